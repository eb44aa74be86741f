/**
 * How long to wait before trying again: exponential, with jitter and a ceiling, so that a fleet of gateways that lost the same
 * broker does not come back in step.
 *
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (the "equal jitter" form: half fixed, half random).
 *
 * @module
 */
import type { Dice } from "./dice.ts";
import type { Changing } from "./changing.ts";

/** The limits of a backoff. */
export interface BackoffOptions {
  /** Delay after the first failure, in ms. */
  readonly firstMs: number;
  /** Longest delay, in ms. */
  readonly maxMs: number;
}

/** Counts failures and says how long to wait after each. */
export interface Backoff {
  /** Delay in ms before the next try: between half of and the whole of `firstMs * 2^failures`, at most `maxMs`. */
  nextMs(): number;
  /** Failures since the last success. */
  readonly failures: number;
  /** A success: start from `firstMs` again. */
  reset(): void;
}

/** Makes a {@linkcode Backoff}. */
export function createBackoff(options: BackoffOptions, dice: Dice): Backoff {
  const backoff: Changing<Backoff> = {
    failures: 0,
    nextMs() {
      const ceiling = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(backoff.failures, 30));
      backoff.failures += 1;
      return ceiling / 2 + dice() * (ceiling / 2);
    },
    reset() {
      backoff.failures = 0;
    },
  };
  return backoff;
}
