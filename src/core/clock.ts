/**
 * Time, passed in. Nothing outside this file asks the machine what time it is or sets a timer: a program that is given
 * its clock can be tested in virtual time, exactly and at once.
 *
 * @module
 */

/** A timer that has been set and can be called off. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** A monotonic clock, the wall clock and one-shot timers. */
export interface Clock {
  /** Monotonic time in milliseconds, with fractions. The origin means nothing: only differences do. */
  nowMs(): number;
  /** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z. It may step; never measure durations with it. */
  wallMs(): number;
  /** Calls `callback` once, no sooner than `delayMs` from now. A delay of 0 lets pending I/O run first. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    let cancelled = false;
    // A moment that has passed is now: some runtimes complain of negative delays. Deno 2.6 calls back a timer that was cleared in the
    // round in which it was due.
    const id = setTimeout(() => cancelled ? undefined : callback(), Math.max(0, delayMs));
    return {
      cancel() {
        cancelled = true;
        clearTimeout(id);
      },
    };
  },
};

/**
 * Resolves after `delayMs`, or at once when `signal` is aborted (check `signal.aborted` afterwards).
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      timer.cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}
