/**
 * How much room a dead letter takes: the sum that `--dead-letter-max` bounds.
 *
 * @module
 */
import type { DeadLetter } from "../core/reading.ts";

/** Numbers, row and index overhead of a letter in the state file, measured and rounded up. */
const overheadBytes = 192;

const utf8 = new TextEncoder();

/** Bytes that a letter counts: its raw bytes, its texts in UTF-8, and a fixed overhead. */
export function letterBytes(letter: DeadLetter): number {
  const { id, reason, detail, source, decoder, header } = letter;
  let bytes = overheadBytes + letter.raw.byteLength;
  for (const text of [id, reason, detail, source, decoder]) bytes += utf8.encode(text).byteLength;
  if (header !== null) bytes += utf8.encode(JSON.stringify(header)).byteLength;
  return bytes;
}
