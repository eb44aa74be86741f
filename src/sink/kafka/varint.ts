/**
 * Zigzag varints of numbers that are not negative: seven bits a byte, the lowest first.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/#signed-ints
 *
 * @module
 */

/** Bytes of a number from 0 to 2^31 - 1. */
export function varintBytes(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x2000) return 2;
  if (value < 0x100000) return 3;
  return value < 0x8000000 ? 4 : 5;
}

/** Writes a number at `at`; returns the position behind it. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value * 2;
  while (rest > 0x7f) {
    buffer[position++] = rest & 0x7f | 0x80;
    rest = Math.floor(rest / 128);
  }
  buffer[position++] = rest;
  return position;
}
