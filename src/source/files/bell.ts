/**
 * A bell that loops wait for: it says that something may have changed, not what. One promise a wait, never one a row.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";

/** Rings for everybody who waits at that moment. A ring that nobody waits for is kept for the next who does. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once when it rang since the last wait, or after `withinMs`. */
  heard(withinMs?: number): Promise<void>;
}

/** Makes a {@linkcode Bell}. */
export function createBell(clock: Clock): Bell {
  let rang = false;
  let waiting: (() => void)[] = [];
  return {
    ring() {
      rang = waiting.length === 0;
      const all = waiting;
      waiting = [];
      for (const resolve of all) resolve();
    },
    heard(withinMs) {
      if (rang) {
        rang = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const timer = withinMs === undefined ? null : clock.after(withinMs, () => {
          waiting = waiting.filter((other) => other !== wake);
          resolve();
        });
        const wake = () => {
          timer?.cancel();
          resolve();
        };
        waiting.push(wake);
      });
    },
  };
}
