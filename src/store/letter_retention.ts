/**
 * Dead letters do not stay for ever: those that came in longer ago than they are to be kept are deleted, a few at a time, and counted.
 *
 * @module
 */
import { type Clock, sleep } from "../core/clock.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { Emit } from "../core/event.ts";
import type { LetterActions } from "../core/replay.ts";
import { formatCount, formatDuration } from "../core/text.ts";

/** What it works with. */
export interface LetterRetentionParts {
  readonly store: Pick<LetterActions, "removeLetters">;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Null: letters are kept until there is no room. */
  readonly keepForMs: number | null;
}

/** Deletes old letters. */
export interface LetterRetention {
  start(): void;
  /** Resolves when nothing is under way any more. Never throws. */
  stop(): Promise<void>;
  /** Letters deleted since the start. */
  readonly expired: number;
}

/** How often it looks. */
const lookMs = 3_600_000;
/** Looks are closer where letters are kept for less than a few hours. */
const looksAKeeping = 10;
/** How often it says something. */
const sayMs = 86_400_000;
/** Letters that go in one transaction: nobody waits longer than that. */
const removedAtOnceMax = 500;
/** A letter from before this time came in while the machine did not know the time: nobody can say how old it is. */
const clockWasSetMs = Date.UTC(2020, 0, 1);

/** Makes a {@linkcode LetterRetention}. */
export function createLetterRetention(parts: LetterRetentionParts): LetterRetention {
  const { store, clock, emit, keepForMs } = parts;
  const stopped = new AbortController();
  let working: Promise<void> = Promise.resolve();
  let expired = 0;
  let unsaid = 0;
  let saidMs = -Infinity;
  let failing = false;

  async function work(keptMs: number): Promise<void> {
    while (!stopped.signal.aborted) {
      await look(keptMs);
      if (unsaid > 0 && clock.nowMs() - saidMs >= sayMs) say(keptMs);
      await sleep(clock, Math.min(lookMs, keptMs / looksAKeeping), stopped.signal);
    }
  }

  async function look(keptMs: number): Promise<void> {
    const filter = { sinceMs: clockWasSetMs, untilMs: clock.wallMs() - keptMs };
    try {
      for (let gone = removedAtOnceMax; gone === removedAtOnceMax && !stopped.signal.aborted;) {
        gone = await store.removeLetters(filter, removedAtOnceMax);
        expired += gone;
        unsaid += gone;
      }
      failing = false;
    } catch (thrown) {
      if (!(thrown instanceof WeirError)) throw thrown;
      if (!failing) emit("warn", "letters.expiry_failed", `Old dead letters cannot be deleted: ${messageOf(thrown)}`);
      failing = true;
    }
  }

  function say(keptMs: number): void {
    emit(
      "warn",
      "letters.expired",
      `${formatCount(unsaid)} dead letters were deleted: they came in more than ${
        formatDuration(keptMs)
      } ago (--dead-letter-keep-for)`,
      { letters: unsaid },
    );
    unsaid = 0;
    saidMs = clock.nowMs();
  }

  return {
    start() {
      if (keepForMs !== null) working = work(keepForMs);
    },
    stop() {
      stopped.abort();
      return working;
    },
    get expired() {
      return expired;
    },
  };
}
