/**
 * A clock that stands still until a test moves it. Timers fire in order of their time, then in the order in which they were set; between
 * two of them all pending promises run.
 *
 * @module
 */
import type { Clock, Timer } from "../../src/core/clock.ts";

/** A {@linkcode Clock} under a test's control. */
export interface VirtualClock extends Clock {
  /** Moves time on by `ms`, firing what falls due and letting promises settle after each. */
  advance(ms: number): Promise<void>;
  /** The same without letting promises run: for code that is wholly synchronous. */
  advanceSync(ms: number): void;
  /** Steps the wall clock alone. */
  stepWall(ms: number): void;
  /** When the next timer falls due (monotonic ms), or null. */
  nextDueMs(): number | null;
  /** Timers that are set. */
  readonly timers: number;
}

/** Makes a virtual clock. `startMs` is the monotonic origin; the wall clock starts at `wallStartMs`. */
export function virtualClock(startMs = 0, wallStartMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = startMs;
  let wallOffset = wallStartMs - startMs;
  let sequence = 0;
  const due: { atMs: number; sequence: number; callback: () => void }[] = [];

  const before = (a: { atMs: number; sequence: number }, b: { atMs: number; sequence: number }) =>
    a.atMs - b.atMs || a.sequence - b.sequence;

  function takeDue(until: number): (() => void) | null {
    const first = due[0];
    if (first === undefined || first.atMs > until) return null;
    due.shift();
    now = Math.max(now, first.atMs);
    return first.callback;
  }

  return {
    nowMs: () => now,
    wallMs: () => now + wallOffset,
    after(delayMs, callback): Timer {
      const entry = { atMs: now + Math.max(0, delayMs), sequence: sequence++, callback };
      const at = due.findIndex((other) => before(entry, other) < 0);
      if (at < 0) due.push(entry);
      else due.splice(at, 0, entry);
      return {
        cancel() {
          const index = due.indexOf(entry);
          if (index >= 0) due.splice(index, 1);
        },
      };
    },
    async advance(ms) {
      const until = now + ms;
      await settled();
      for (let fire = takeDue(until); fire !== null; fire = takeDue(until)) {
        fire();
        await settled();
      }
      now = until;
    },
    advanceSync(ms) {
      const until = now + ms;
      for (let fire = takeDue(until); fire !== null; fire = takeDue(until)) fire();
      now = until;
    },
    stepWall(ms) {
      wallOffset += ms;
    },
    nextDueMs: () => due[0]?.atMs ?? null,
    get timers() {
      return due.length;
    },
  };
}

/** Lets promise chains of reasonable length run to their end. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
