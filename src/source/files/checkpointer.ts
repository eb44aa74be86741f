/**
 * Brings what changed to the ledger: at most one commit in `everyMs`, of only what changed, all in one transaction. A record is asked
 * for at the moment of the commit, so it says what is true then: never more than is acknowledged, for the files count only verdicts that
 * are in. When the ledger cannot write, the same is tried again with backoff and the readers are told to pause; nothing is lost, for what
 * is not committed is read again.
 *
 * @module
 */
import { type Backoff, createBackoff } from "../../core/backoff.ts";
import { type Clock, sleep } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import { printable } from "../../core/text.ts";
import type { CheckpointStore, FileRecord } from "../../core/store.ts";
import { createBell } from "./bell.ts";

/** Something with a record that changes. */
export interface Recorded {
  /** The record as it is true at this moment. */
  record(): FileRecord;
}

/** Commits records. */
export interface Checkpointer {
  /** The record changed: it is committed within `everyMs`. */
  mark(file: Recorded): void;
  /** Commits what is marked without waiting for the interval. Resolves to true once it is durable, to false when closed before. */
  flush(): Promise<boolean>;
  /** Resolves when the ledger can be written to, as far as is known: at once in the normal case. */
  writable(): Promise<void>;
  /** Gives up. Resolves when nothing is under way. */
  close(): Promise<void>;
}

/** How often. */
export interface CheckpointerOptions {
  readonly everyMs: number;
}

/** What it needs. */
export interface CheckpointerDeps {
  readonly store: CheckpointStore;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly dice: Dice;
}

const retry = { firstMs: 200, maxMs: 30_000 };

/** Makes a {@linkcode Checkpointer}; it runs until it is closed. */
export function createCheckpointer(options: CheckpointerOptions, deps: CheckpointerDeps): Checkpointer {
  const { store, clock, emit } = deps;
  const backoff = createBackoff(retry, deps.dice);
  const closing = new AbortController();
  const changed = createBell(clock);
  const committed = createBell(clock);
  let dirty = new Set<Recorded>();
  let urgent = false;
  /** Commits are numbered, so that who waits for one knows which: the last begun and the last that succeeded. */
  let begun = 0;
  let succeeded = 0;
  const running = run();

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      if (dirty.size === 0) {
        await changed.heard();
        continue;
      }
      const dueMs = clock.nowMs() + options.everyMs;
      await commit();
      committed.ring();
      while (!urgent && !closing.signal.aborted && clock.nowMs() < dueMs) {
        // A rest of less than a millisecond is rounding: a timer of that length could find the clock where it was.
        await changed.heard(Math.max(1, dueMs - clock.nowMs()));
      }
    }
    committed.ring();
  }

  async function commit(): Promise<void> {
    const files = dirty;
    dirty = new Set();
    urgent = false;
    begun += 1;
    try {
      await store.saveFiles([...files].map((file) => file.record()));
      succeeded = begun;
      said(backoff, null);
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      for (const file of files) dirty.add(file);
      const delayMs = said(backoff, error);
      await sleep(clock, delayMs, closing.signal);
      urgent = true;
    }
  }

  /** Tells of trouble once, and of its end once. Returns how long to wait. */
  function said(state: Backoff, error: WeirError | null): number {
    if (error === null) {
      if (state.failures > 0) emit("info", "files.ledger_recovered", "Checkpoints can be written again; files go on");
      state.reset();
      committed.ring();
      return 0;
    }
    if (state.failures === 0) {
      const advice = error.advice === undefined ? "" : `; ${error.advice}`;
      emit(
        "error",
        "files.ledger_failed",
        `Cannot write checkpoints, files pause: ${printable(messageOf(error))}${advice}`,
      );
    }
    return state.nextMs();
  }

  return {
    mark(file) {
      const first = dirty.size === 0;
      dirty.add(file);
      if (first) changed.ring();
    },
    async flush() {
      // What is dirty goes with the next commit; else the one under way, if any, is enough. A failed one is followed by another.
      const needed = dirty.size > 0 ? begun + 1 : begun;
      while (!closing.signal.aborted && succeeded < needed) {
        urgent = true;
        changed.ring();
        await committed.heard();
      }
      return succeeded >= needed;
    },
    async writable() {
      while (!closing.signal.aborted && backoff.failures > 0) await committed.heard();
    },
    async close() {
      closing.abort();
      changed.ring();
      await running;
    },
  };
}
