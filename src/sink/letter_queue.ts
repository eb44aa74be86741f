/**
 * Dead letters of one lane on their way into the store. A store that cannot write, or is full, is waited for; what waits here is bounded
 * by the credits of the scheduler.
 *
 * @module
 */
import { type Backoff, createBackoff } from "../core/backoff.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { Dice } from "../core/dice.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { Emit } from "../core/event.ts";
import type { Lane } from "../core/flow.ts";
import type { Misfit } from "../core/reading.ts";
import type { AppendResult, DeadLetterStore } from "../core/store.ts";
import { printable, quoted } from "../core/text.ts";

/** What a queue works with. */
export interface LetterQueueParts {
  readonly letters: Pick<DeadLetterStore, "append">;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
}

/** Most dead letters in one transaction. */
const letterBatchMax = 500;
/**
 * Transactions of files begin so far apart while no batch is full: each costs some 300 us of CPU and a sync of the disk, a letter in it 20.
 * Nobody waits for a dead row of a file but its credit.
 */
export const fileLettersSpacingMs = 50;
const letterBackoff = { firstMs: 250, maxMs: 30_000 } as const;

/** The misfits of one lane on their way into the store: one transaction at a time, in order. */
export interface LetterQueue {
  add(misfits: readonly Misfit[]): void;
  close(): void;
}

/** Makes a {@linkcode LetterQueue}. `stored` is told of each transaction, in order; they begin at least `spacingMs` apart, unless one is full. */
export function createLetterQueue(
  lane: Lane,
  parts: LetterQueueParts,
  stored: (lane: Lane, misfits: readonly Misfit[]) => void,
  spacingMs = 0,
): LetterQueue {
  const { letters, clock, emit } = parts;
  const backoff: Backoff = createBackoff(letterBackoff, parts.dice);
  let waiting: Misfit[] = [];
  let busy = false;
  let closed = false;
  let retry: Timer | null = null;
  let spacing: Timer | null = null;
  let begunMs = -Infinity;

  async function write(): Promise<void> {
    const batch = waiting.slice(0, letterBatchMax);
    const result = await appended(batch);
    if (closed) return;
    if (result.accepted > 0) {
      const done = batch.slice(0, result.accepted);
      waiting = waiting.slice(done.length);
      announce(done, result);
      stored(lane, done);
    }
    if (result.accepted === batch.length) recovered();
    else retryLater(result);
  }

  async function appended(batch: readonly Misfit[]): Promise<AppendResult & { readonly failure?: string }> {
    try {
      return await letters.append(batch.map((misfit) => misfit.letter));
    } catch (thrown) {
      // Only a store that cannot write is waited for; anything else is a defect and must end the program.
      if (!(thrown instanceof WeirError)) throw thrown;
      return { accepted: 0, droppedStreamLetters: 0, failure: messageOf(thrown) };
    }
  }

  function announce(done: readonly Misfit[], result: AppendResult): void {
    const first = done[0];
    if (first === undefined) return;
    const where = first.letter.row === null ? "" : `, row ${first.letter.row}`;
    const many = done.length === 1 ? "" : ` (and ${done.length - 1} more)`;
    emit(
      "warn",
      "letters.stored",
      `Dead letter: ${first.letter.reason}: ${printable(first.letter.detail)} in ${
        quoted(first.letter.source)
      }${where}${many}`,
      { lane, letters: done.length, reason: first.letter.reason, dropped_letters: result.droppedStreamLetters },
    );
    if (result.droppedStreamLetters > 0) {
      emit(
        "warn",
        "letters.dropped",
        `${result.droppedStreamLetters} dead letters of streams were dropped: the store is full (--dead-letter-max)`,
        { letters: result.droppedStreamLetters },
      );
    }
  }

  function retryLater(result: AppendResult & { readonly failure?: string }): void {
    const delayMs = backoff.nextMs();
    if (backoff.failures === 1) {
      const why = result.failure ?? "the store is full (--dead-letter-max)";
      const consequence = lane === "files" ? "files with bad rows wait" : "streams with bad messages wait";
      emit("error", "letters.stuck", `Dead letters cannot be stored: ${why}; ${consequence}, nothing is lost`, {
        lane,
      });
    }
    retry = clock.after(delayMs, () => {
      retry = null;
      work();
    });
  }

  function recovered(): void {
    if (backoff.failures > 0) {
      emit("info", "letters.recovered", `Dead letters are stored again (${lane})`, {
        lane,
        failures: backoff.failures,
      });
    }
    backoff.reset();
  }

  function work(): void {
    if (busy || closed || retry !== null || waiting.length === 0 || isTooEarly()) return;
    spacing?.cancel();
    spacing = null;
    begunMs = clock.nowMs();
    busy = true;
    write().finally(() => {
      busy = false;
      work();
    });
  }

  /** Whether more letters are waited for; `work` is called again then. */
  function isTooEarly(): boolean {
    const waitMs = begunMs + spacingMs - clock.nowMs();
    if (waitMs <= 0 || waiting.length >= letterBatchMax) return false;
    spacing ??= clock.after(waitMs, () => {
      spacing = null;
      work();
    });
    return true;
  }

  return {
    add(misfits) {
      waiting.push(...misfits);
      work();
    },
    close() {
      closed = true;
      retry?.cancel();
      spacing?.cancel();
      waiting = [];
    },
  };
}
