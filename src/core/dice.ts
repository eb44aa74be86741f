/**
 * Chance, passed in, so that jitter and random identifiers can be replayed from a seed.
 *
 * @module
 */

/** A source of uniformly distributed numbers in [0, 1). */
export type Dice = () => number;

/** Dice from the machine's entropy. */
export const systemDice: Dice = (): number => {
  const word = new Uint32Array(1);
  crypto.getRandomValues(word);
  return (word[0] ?? 0) / 2 ** 32;
};

/**
 * Dice that always fall the same way for the same seed (mulberry32). Good enough for jitter and tests, not for secrets.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const a = seededDice(7), b = seededDice(7);
 * assert.deepEqual([a(), a()], [b(), b()]);
 * ```
 */
export function seededDice(seed: number): Dice {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
