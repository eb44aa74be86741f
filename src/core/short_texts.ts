/**
 * Texts that come again and again as bytes (device ids, units): each is made once and found by its bytes afterwards. A text that is made
 * costs ten times as much, and is garbage a moment later.
 *
 * @module
 */

/** The text of `[from, to)`, which is UTF-8. Only ASCII is kept. */
export type ShortTexts = (bytes: Uint8Array, from: number, to: number) => string;

/** Texts that are kept; one that comes to the place of another replaces it. A power of two. */
const keptMax = 1024;
/** Longer texts are not kept: they seldom come again. */
const lengthMax = 64;

/** Makes a {@linkcode ShortTexts}. */
export function createShortTexts(): ShortTexts {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const kept: string[] = Array.from({ length: keptMax }, () => "");

  return (bytes, from, to) => {
    if (to - from > lengthMax) return decoder.decode(bytes.subarray(from, to));
    let hash = 0;
    for (let i = from; i < to; i++) hash = Math.imul(hash, 31) + (bytes[i] ?? 0) | 0;
    const place = (hash ^ hash >>> 15) & keptMax - 1;
    const known = kept[place] ?? "";
    if (isText(known, bytes, from, to)) return known;
    const text = decoder.decode(bytes.subarray(from, to));
    kept[place] = text;
    return text;
  };
}

function isText(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
