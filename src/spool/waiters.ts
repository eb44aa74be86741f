/**
 * Those who wait until something is so.
 *
 * @module
 */
import type { Changing } from "../core/changing.ts";

/** Promises with their conditions. */
export interface Waiters {
  /** Resolves once `isSo()`, looked at by `look`. */
  when(isSo: () => boolean): Promise<void>;
  /** Something may be so now. */
  look(): void;
  /** Whether anybody waits. */
  readonly any: boolean;
}

/** Makes {@linkcode Waiters}. */
export function createWaiters(): Waiters {
  let waiting: { readonly isSo: () => boolean; readonly resolve: () => void }[] = [];
  const waiters: Changing<Waiters> = {
    any: false,
    when(isSo) {
      if (isSo()) return Promise.resolve();
      waiters.any = true;
      return new Promise((resolve) => waiting.push({ isSo, resolve }));
    },
    look() {
      const done = new Set(waiting.filter(({ isSo }) => isSo()));
      if (done.size === 0) return;
      waiting = waiting.filter((one) => !done.has(one));
      waiters.any = waiting.length > 0;
      for (const { resolve } of done) resolve();
    },
  };
  return waiters;
}
