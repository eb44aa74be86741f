/**
 * Numbers in the bytes of a line, told and read without making a text of them.
 *
 * @module
 */
import { copy } from "./bytes.ts";

/** A number of JavaScript keeps so many digits, so that digits reckoned up are the number that they mean. */
export const exactDigits = 15;
const powersOfTen: readonly number[] = Array.from({ length: exactDigits + 1 }, (_, i) => 10 ** i);

/** Kinds of text by what JSON makes of them. */
export const notNumber = 0;
export const integer = 1;
export const decimal = 2;
export const unsure = 3;

/** Zeros between the point and the first digit with which JavaScript still writes a number without an exponent. */
const leadingZerosMax = 5;

/** What a cell is by JSON's grammar; unsure where there is an exponent. */
export function kindOfNumber(line: Uint8Array, from: number, stop: number): number {
  let at = line[from] === 0x2d ? from + 1 : from;
  const first = at < stop ? line[at] ?? 0 : 0;
  if (!isDigit(first)) return notNumber;
  at = first === 0x30 ? at + 1 : digitsEnd(line, at, stop);
  let kind = integer;
  if (at < stop && line[at] === 0x2e) {
    const end = digitsEnd(line, at + 1, stop);
    if (end === at + 1) return notNumber;
    at = end;
    kind = decimal;
  }
  // 0x20 makes a small letter of a capital one.
  if (at < stop) return ((line[at] ?? 0) | 0x20) === 0x65 ? unsure : notNumber;
  // Beyond this a double may be infinite.
  return stop - from > 300 ? unsure : kind;
}

/** Whether a plain number is -0, whatever its decimals. */
export function isNegativeZero(line: Uint8Array, from: number, stop: number): boolean {
  if (line[from] !== 0x2d) return false;
  for (let i = from + 1; i < stop; i++) if (line[i] !== 0x30 && line[i] !== 0x2e) return false;
  return true;
}

/** Where the digits that begin at `from` end. */
export function digitsEnd(line: Uint8Array, from: number, stop: number): number {
  let at = from;
  while (at < stop && isDigit(line[at] ?? 0)) at += 1;
  return at;
}

/** Whether a byte is a digit. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** A plain number of at most {@linkcode exactDigits} characters: digits and a power of ten are exact, so one division rounds as it must. */
export function numberIn(line: Uint8Array, from: number, stop: number): number {
  const negative = line[from] === 0x2d;
  let digits = 0;
  let point = -1;
  for (let i = negative ? from + 1 : from; i < stop; i++) {
    const byte = line[i] ?? 0;
    if (byte === 0x2e) point = i;
    else digits = digits * 10 + byte - 0x30;
  }
  const value = point < 0 ? digits : digits / (powersOfTen[stop - point - 1] ?? 1);
  return negative ? -value : value;
}

/**
 * Writes an {@linkcode integer} or a {@linkcode decimal} as JavaScript writes its double; -1 where more than {@linkcode exactDigits} characters,
 * or a fraction that begins with many zeros, would have to be reckoned out.
 */
export function writeShortest(
  line: Uint8Array,
  from: number,
  stop: number,
  kind: number,
  into: Uint8Array,
  at: number,
): number {
  const digitsFrom = line[from] === 0x2d ? from + 1 : from;
  let end = stop;
  if (kind === decimal) {
    while (line[end - 1] === 0x30) end -= 1;
    if (line[end - 1] === 0x2e) end -= 1;
  }
  if (end - digitsFrom === 1 && line[digitsFrom] === 0x30) return copy(line, digitsFrom, end, into, at);
  if (end - digitsFrom > exactDigits) return -1;
  let zeros = 0;
  if (line[digitsFrom] === 0x30) { while (line[digitsFrom + 2 + zeros] === 0x30) zeros += 1; }
  return zeros > leadingZerosMax ? -1 : copy(line, from, end, into, at);
}
