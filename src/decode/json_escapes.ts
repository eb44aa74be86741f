/**
 * Escapes in the bytes of a JSON string that stand for a character which needs none: `\u00b0` for a degree sign, as many encoders write
 * whatever is not ASCII.
 *
 * @module
 */
import { putCharacter } from "../core/utf8.ts";
import { isDigit } from "./number_bytes.ts";

const quote = 0x22;
const slash = 0x2f;
const backslash = 0x5c;
const letterU = 0x75;
/** Bytes of `\u00b0`. */
const escapeBytes = 6;

/** Where a string that has an escape ends, at its quote; -1 where there is no end. `from` is inside of the string. */
export function escapedStop(line: Uint8Array, from: number, stop: number): number {
  for (let i = from; i < stop; i++) {
    const byte = line[i] ?? 0;
    if (byte === quote) return i;
    if (byte < 0x20) return -1;
    if (byte === backslash) i += 1;
  }
  return -1;
}

/**
 * Writes the characters of a string, `[from, stop)`, to `into` at `begin`; returns how many bytes, or -1 where one of them has to be escaped, is
 * half of a pair, or is no character, or where there may not be room.
 */
export function unescape(line: Uint8Array, from: number, stop: number, into: Uint8Array, begin: number): number {
  if (begin + stop - from > into.length) return -1;
  let at = begin;
  for (let i = from; i < stop; i++) {
    const byte = line[i] ?? 0;
    if (byte !== backslash) {
      into[at++] = byte;
      continue;
    }
    if (line[i + 1] === slash) {
      into[at++] = slash;
      i += 1;
      continue;
    }
    if (line[i + 1] !== letterU || i + escapeBytes > stop) return -1;
    const code = hexIn(line, i + 2);
    if (code < 0x20 || code === quote || code === backslash || (code & 0xf800) === 0xd800) return -1;
    at = putCharacter(code, into, at);
    i += escapeBytes - 1;
  }
  return at - begin;
}

/** Four hexadecimal digits as a number, else -1. */
function hexIn(line: Uint8Array, from: number): number {
  let code = 0;
  for (let i = from; i < from + 4; i++) {
    const byte = line[i] ?? 0;
    // 0x20 makes a small letter of a capital one.
    const letter = byte | 0x20;
    if (isDigit(byte)) code = code * 16 + byte - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) code = code * 16 + letter - 0x57;
    else return -1;
  }
  return code;
}
