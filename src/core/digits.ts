/**
 * Numbers as the bytes of their digits.
 *
 * @module
 */

/** Writes a whole number from 0 to 2^53 - 1 in decimal; returns the position behind it. */
export function writeNumber(value: number, into: Uint8Array, at: number): number {
  let end = at + 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end += 1;
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    into[i] = rest - next * 10 + 0x30;
    rest = next;
  }
  return end;
}
