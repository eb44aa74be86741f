/**
 * A rate that is never passed: the generic cell rate algorithm, in its form as a leaky bucket that is a meter. What passes raises a debt,
 * time pays the debt off at the rate, and an amount conforms while the debt stays within the depth. Hence in every window of length D
 * at most `depth + perSecond * D` passes, wherever the window begins.
 *
 * The debt is kept in rows and not as a time, so that a change of the rate leaves it alone.
 *
 * Arithmetic: time is read in whole microseconds and the debt counts millionths of a row, so that a rate of C rows/s pays off exactly C
 * millionths a microsecond: integers all through, nothing is rounded and nothing adds up. Reading the clock in whole microseconds can make
 * one window, however long, look up to a microsecond longer than it was; the depth is made smaller by what passes in that microsecond.
 *
 * Source: ITU-T I.371, "continuous-state leaky bucket algorithm".
 *
 * @module
 */
import type { Changing } from "../core/changing.ts";

/** Rate and depth of a {@linkcode Rate}. The unit is rows or bytes; below it says rows. */
export interface RateLimits {
  /** Rows a second: a whole number from 1 to {@linkcode rateLimitMax}. */
  readonly perSecond: number;
  /** Rows that may pass at once after a long rest: a whole number from 1 to {@linkcode rateLimitMax}. */
  readonly depth: number;
}

/** Largest rate and depth: a debt of several such depths, in millionths, is still an exact integer in a double. */
export const rateLimitMax = 2 ** 30;

/** A rate and what has been used of it. Times are whole microseconds of the monotonic clock. */
export interface Rate {
  readonly limits: RateLimits;
  /** Whether `rows` may pass now. Never true for more than the depth. */
  conforms(rows: number, nowUs: number): boolean;
  /** Whole rows that may pass now. */
  room(nowUs: number): number;
  /** The first microsecond at which `rows` conform if nothing else passes before. */
  readyAtUs(rows: number): number;
  /** The first microsecond at which the debt is paid off: what the rate allows after it is lost. */
  restedAtUs(): number;
  /** Books rows that pass now, also more than conform: the rest is debt that later rows wait for. */
  charge(rows: number, nowUs: number): void;
  /** Nothing conforms before that microsecond, and then no more than if the depth had been used up. Nothing happens when it has passed. */
  hold(untilUs: number, nowUs: number): void;
  /** Changes rate and depth from now on; the debt stays the same number of rows. */
  change(limits: RateLimits, nowUs: number): void;
}

const millionths = 1_000_000;

/**
 * Makes a {@linkcode Rate} with nothing to spend: a full depth of debt. What a process that died had spent is not known to the next
 * one, and never was more than this.
 *
 * @throws {Error} when a limit is not a whole number in its range.
 */
export function createRate(initial: RateLimits, nowUs: number): Rate {
  let limits = checked(initial);
  let debt = limits.depth * millionths;
  let atUs = nowUs;

  const debtMax = () => limits.depth * millionths - limits.perSecond;

  function settle(nowUs: number): void {
    const elapsedUs = nowUs - atUs;
    if (elapsedUs <= 0) return;
    // Compared before it is multiplied: the product stays below debt + perSecond, however long the sleep was.
    debt = elapsedUs >= Math.ceil(debt / limits.perSecond) ? 0 : debt - elapsedUs * limits.perSecond;
    atUs = nowUs;
  }

  const rate: Changing<Rate> = {
    limits,
    conforms(rows, nowUs) {
      settle(nowUs);
      return debt + rows * millionths <= debtMax();
    },
    room(nowUs) {
      settle(nowUs);
      return Math.max(0, Math.floor((debtMax() - debt) / millionths));
    },
    readyAtUs(rows) {
      return atUs + Math.max(0, Math.ceil((debt + rows * millionths - debtMax()) / limits.perSecond));
    },
    restedAtUs() {
      return atUs + Math.ceil(debt / limits.perSecond);
    },
    charge(rows, nowUs) {
      settle(nowUs);
      debt += rows * millionths;
    },
    hold(untilUs, nowUs) {
      settle(nowUs);
      if (untilUs > nowUs) debt = Math.max(debt, debtMax() + (untilUs - nowUs) * limits.perSecond);
    },
    change(changed, nowUs) {
      settle(nowUs);
      limits = checked(changed);
      rate.limits = limits;
    },
  };
  return rate;
}

function checked(limits: RateLimits): RateLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 1 || value > rateLimitMax) {
      throw new Error(`The ${name} of a rate must be a whole number from 1 to ${rateLimitMax}, but is ${value}`);
    }
  }
  return limits;
}
