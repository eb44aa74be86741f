/**
 * Timers that end together: what a producer has set is called off when it closes.
 *
 * @module
 */
import type { Clock, Timer } from "../../core/clock.ts";

/** A group of timers. */
export interface Timers {
  /** As `Clock.after`, until `cancelAll`; then nothing is set any more. */
  after(delayMs: number, callback: () => void): Timer;
  cancelAll(): void;
}

/** Makes a group on `clock`. */
export function createTimers(clock: Clock): Timers {
  const running = new Set<Timer>();
  let ended = false;
  return {
    after(delayMs, callback) {
      if (ended) return { cancel() {} };
      const timer = clock.after(delayMs, () => {
        running.delete(timer);
        callback();
      });
      running.add(timer);
      return {
        cancel() {
          running.delete(timer);
          timer.cancel();
        },
      };
    },
    cancelAll() {
      ended = true;
      for (const timer of running) timer.cancel();
      running.clear();
    },
  };
}
