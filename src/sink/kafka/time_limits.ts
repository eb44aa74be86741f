/**
 * Time limits of requests that follow each other. One timer watches all of them, and stays when a request is answered: to set and call off
 * one for each request costs a twentieth of a request, and nearly none of them ever ends.
 *
 * @module
 */
import type { Clock, Timer } from "../../core/clock.ts";

/** What waits, and for how long. */
export interface TimeLimits {
  /** Something begins that may take `limitMs`. Returns what ends it. */
  begin(limitMs: number): () => void;
  /** Ends all that has begun, and leaves no timer. */
  endAll(): void;
}

/** Makes {@linkcode TimeLimits}. `onOver` is told the limit of something that was not ended in its time; it has ended then. */
export function createTimeLimits(clock: Clock, onOver: (limitMs: number) => void): TimeLimits {
  const open = new Set<Limit>();
  let timer: Timer | null = null;
  let timerDueMs = Infinity;

  function look(): void {
    timer = null;
    timerDueMs = Infinity;
    const nowMs = clock.nowMs();
    for (const limit of [...open]) {
      // Being told may end all the others.
      if (!open.has(limit)) continue;
      if (limit.dueMs > nowMs) {
        wakeBy(limit.dueMs);
        continue;
      }
      open.delete(limit);
      onOver(limit.limitMs);
    }
  }

  function wakeBy(dueMs: number): void {
    if (dueMs >= timerDueMs) return;
    timer?.cancel();
    timerDueMs = dueMs;
    timer = clock.after(dueMs - clock.nowMs(), look);
  }

  return {
    begin(limitMs) {
      const limit = { limitMs, dueMs: clock.nowMs() + limitMs };
      open.add(limit);
      wakeBy(limit.dueMs);
      return () => open.delete(limit);
    },
    endAll() {
      open.clear();
      timer?.cancel();
      timer = null;
      timerDueMs = Infinity;
    },
  };
}

interface Limit {
  readonly limitMs: number;
  readonly dueMs: number;
}
