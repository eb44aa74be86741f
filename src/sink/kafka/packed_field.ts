/**
 * One field's text out of a packed reading, without making the rest of it: what a key needs of each record.
 *
 * @module
 */
import type { PackedReading } from "../../core/reading.ts";
import { createShortTexts } from "../../core/short_texts.ts";

/**
 * The field as text; null when the reading does not have it, or has null. Undefined where it is not as simple as that: a value that is no
 * plain text, a value with structure before it, a character that is escaped.
 */
export type PackedField = (reading: PackedReading) => string | null | undefined;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const comma = 0x2c;

/** Makes a {@linkcode PackedField} for a name. */
export function packedField(name: string): PackedField {
  const texts = createShortTexts();
  const key = new TextEncoder().encode(`${JSON.stringify(name)}:`);

  return ({ page, from, valueEnd }) => {
    let at = from + 1;
    while (at < valueEnd && page[at] === quote) {
      const isWanted = isAt(key, page, at);
      const keyEnd = textEnd(page, at, valueEnd);
      if (keyEnd < 0) return undefined;
      const valueAt = keyEnd + 1;
      const first = page[valueAt];
      if (first === openBrace || first === openBracket) return undefined;
      const isText = first === quote;
      const end = isText ? textEnd(page, valueAt, valueEnd) : wordEnd(page, valueAt, valueEnd);
      if (end < 0) return undefined;
      if (isWanted) return isText && isAscii(page, valueAt, end) ? texts(page, valueAt + 1, end - 1) : undefined;
      at = end + 1;
    }
    return null;
  };
}

/** Behind the text that begins at `at`; -1 when something in it is escaped. */
function textEnd(page: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const byte = page[i];
    if (byte === quote) return i + 1;
    if (byte === backslash) return -1;
  }
  return -1;
}

/** Behind a number, a boolean or null. */
function wordEnd(page: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) if (page[i] === comma || page[i] === closeBrace) return i;
  return -1;
}

function isAt(key: Uint8Array, page: Uint8Array, at: number): boolean {
  for (let i = 0; i < key.length; i++) if (page[at + i] !== key[i]) return false;
  return true;
}

function isAscii(page: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((page[i] ?? 0) > 0x7f) return false;
  return true;
}
