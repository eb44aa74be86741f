/**
 * The pace of a replay: so many letters a second. It delays and never catches up by more than a tenth of a second's worth.
 *
 * @module
 */

/** Counts what may be taken. */
export interface Pace {
  /** Letters that may be taken now. */
  allowed(nowMs: number): number;
  took(count: number): void;
  /** Ms until one more may be taken; 0 when one may be now. */
  waitMs(nowMs: number): number;
}

/** Makes a {@linkcode Pace} that starts with one letter to spend. */
export function createPace(ratePerSecond: number, startMs: number): Pace {
  const depth = Math.max(1, ratePerSecond / 10);
  let credit = 1;
  let atMs = startMs;

  function bringUpTo(nowMs: number): void {
    credit = Math.min(depth, credit + (nowMs - atMs) * ratePerSecond / 1000);
    atMs = nowMs;
  }

  return {
    allowed(nowMs) {
      bringUpTo(nowMs);
      // What a sum of fractions lacks of a whole is no reason to wait another turn.
      return Math.floor(credit + 1e-6);
    },
    took(count) {
      credit -= count;
    },
    waitMs(nowMs) {
      bringUpTo(nowMs);
      return credit >= 1 - 1e-6 ? 0 : Math.ceil((1 - credit) * 1000 / ratePerSecond);
    },
  };
}
