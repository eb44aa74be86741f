/**
 * Flushes under way: each waits until the readings that were there when it began have been reported.
 *
 * @module
 */
import type { Reading } from "../../core/reading.ts";
import type { Changing } from "../../core/changing.ts";

/** The flushes of a producer. */
export interface Flushes {
  /** Whether one is under way: nothing is to linger then. */
  readonly active: boolean;
  /** Resolves when all of these have been reported, or at `endAll`. */
  begin(open: Set<Reading>): Promise<void>;
  /** These have been reported. */
  reported(readings: readonly Reading[]): void;
  endAll(): void;
}

/** Makes {@linkcode Flushes}. A flush is rare: only then every single reading is looked at. */
export function createFlushes(): Flushes {
  const flushes = new Set<{ readonly open: Set<Reading>; readonly resolve: () => void }>();
  const all: Changing<Flushes> = {
    active: false,
    begin(open) {
      if (open.size === 0) return Promise.resolve();
      all.active = true;
      return new Promise((resolve) => flushes.add({ open, resolve }));
    },
    reported(readings) {
      for (const flush of flushes) {
        for (const reading of readings) flush.open.delete(reading);
        if (flush.open.size > 0) continue;
        flushes.delete(flush);
        flush.resolve();
      }
      all.active = flushes.size > 0;
    },
    endAll() {
      for (const { resolve } of flushes) resolve();
      flushes.clear();
      all.active = false;
    },
  };
  return all;
}
