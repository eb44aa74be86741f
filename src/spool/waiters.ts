/**
 * Those who wait until something is so.
 *
 * @module
 */

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
  return {
    when: (isSo) => isSo() ? Promise.resolve() : new Promise((resolve) => waiting.push({ isSo, resolve })),
    look() {
      const done = new Set(waiting.filter(({ isSo }) => isSo()));
      if (done.size === 0) return;
      waiting = waiting.filter((one) => !done.has(one));
      for (const { resolve } of done) resolve();
    },
    get any() {
      return waiting.length > 0;
    },
  };
}
