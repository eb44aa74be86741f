/**
 * Bytes in the encoding of the file to bytes of UTF-8, in pieces of any length and in constant memory: what a piece ends in the middle of
 * is kept for the next one. The same bytes always give the same UTF-8, so positions in it are as good as positions in the file.
 *
 * What is no character becomes bytes that are not valid UTF-8, so that the decoder refuses that row and no other:
 *
 * | in the file                                        | in what the decoder sees                                  |
 * | -------------------------------------------------- | --------------------------------------------------------- |
 * | half of a surrogate pair                           | its three bytes, as UTF-8 would write it if it were one   |
 * | half of a UTF-16 unit, which ends the file         | `0xff`                                                    |
 * | one of the five bytes that windows-1252 leaves out | that byte                                                 |
 *
 * A byte order mark is a character like the others: decoders skip it at the beginning of a file.
 *
 * Formats: RFC 2781 (UTF-16), RFC 3629 (UTF-8), ISO 8859-1, and the table of windows-1252 that Unicode publishes.
 *
 * @module
 */
import { isAscii } from "node:buffer";
import type { FileEncoding } from "../../core/decoder.ts";
import { putCharacter } from "../../core/utf8.ts";

/** Makes UTF-8 of the bytes of one file, in order. */
export interface Transcode {
  /** UTF-8 of all whole characters there are. Good until the next call, and as long as `bytes` does not change. */
  push(bytes: Uint8Array): Uint8Array;
  /** No more bytes: what a half character at the end is made of. */
  end(): Uint8Array;
}

/** Stands for half of a UTF-16 unit: never a part of UTF-8. */
const halfUnit = 0xff;
const nothing = new Uint8Array(0);

/** Makes a {@linkcode Transcode}. UTF-8 passes as it is, and so do pieces of ASCII in the encodings of one byte a character. */
export function createTranscode(encoding: FileEncoding): Transcode {
  switch (encoding) {
    case "utf-8":
      return { push: (bytes) => bytes, end: () => nothing };
    case "utf-16le":
      return fromUtf16(0);
    case "utf-16be":
      return fromUtf16(1);
    case "latin1":
      return fromSingleBytes(latin1);
    case "windows-1252":
      return fromSingleBytes(windows1252);
  }
}

/** @param lowAt which of the two bytes of a unit is the low one: 0 or 1 */
function fromUtf16(lowAt: 0 | 1): Transcode {
  const output = createOutput();
  /** The first byte of a unit whose second is still to come, or -1. */
  let half = -1;
  /** A high surrogate whose low one is still to come, or 0. */
  let high = 0;
  return {
    push(bytes) {
      // A unit gives three bytes at most, and one unit more than come in may be waiting.
      const into = output.ofAtLeast(3 * (bytes.length / 2 + 2));
      let length = 0;
      let at = 0;
      while (at < bytes.length) {
        const first = half < 0 ? bytes[at++] ?? 0 : half;
        if (at === bytes.length) {
          half = first;
          break;
        }
        half = -1;
        const second = bytes[at++] ?? 0;
        const unit = lowAt === 0 ? first | second << 8 : first << 8 | second;
        if (high !== 0) {
          if ((unit & 0xfc00) === 0xdc00) {
            const point = 0x10000 + ((high & 0x3ff) << 10) + (unit & 0x3ff);
            into[length++] = 0xf0 | point >> 18;
            into[length++] = 0x80 | point >> 12 & 0x3f;
            into[length++] = 0x80 | point >> 6 & 0x3f;
            into[length++] = 0x80 | point & 0x3f;
            high = 0;
            continue;
          }
          length = putCharacter(high, into, length);
          high = 0;
        }
        if (unit < 0x80) into[length++] = unit;
        else if ((unit & 0xfc00) === 0xd800) high = unit;
        else length = putCharacter(unit, into, length);
      }
      return into.subarray(0, length);
    },
    end() {
      const into = output.ofAtLeast(4);
      let length = 0;
      if (high !== 0) length = putCharacter(high, into, length);
      if (half >= 0) into[length++] = halfUnit;
      high = 0;
      half = -1;
      return into.subarray(0, length);
    },
  };
}

/** @param upperHalf characters of the bytes from 0x80 on; 0 where there is none */
function fromSingleBytes(upperHalf: readonly number[]): Transcode {
  const output = createOutput();
  return {
    push(bytes) {
      if (isAscii(bytes)) return bytes;
      const into = output.ofAtLeast(3 * bytes.length);
      let length = 0;
      for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at] ?? 0;
        const point = byte < 0x80 ? byte : upperHalf[byte - 0x80] ?? 0;
        // A byte from 0x80 on that follows a whole character is not UTF-8.
        if (point < 0x80) into[length++] = byte;
        else length = putCharacter(point, into, length);
      }
      return into.subarray(0, length);
    },
    end: () => nothing,
  };
}

/** One array for all that comes out: as large as the largest piece asks for. */
function createOutput(): { ofAtLeast(bytes: number): Uint8Array } {
  let array = nothing;
  return {
    ofAtLeast(bytes) {
      if (array.length < bytes) array = new Uint8Array(Math.ceil(bytes));
      return array;
    },
  };
}

const latin1 = Array.from({ length: 0x80 }, (_, index) => 0x80 + index);

// deno-fmt-ignore
const windows1252 = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
  0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
  ...latin1.slice(0x20),
];
