/**
 * Where a text stops being JSON, without a word of the text: it may be a secret that was given by mistake.
 *
 * @module
 */
import { messageOf } from "./error.ts";

/**
 * Line and column, from 1, of the character at which no JSON can go on, or of the end of the text when it is what is missing; null when the
 * text is JSON.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.deepEqual(brokenJsonPlace('{\n  "type": object }'), { line: 2, column: 11 });
 * assert.deepEqual(brokenJsonPlace("{"), { line: 1, column: 2 });
 * assert.equal(brokenJsonPlace("{}"), null);
 * ```
 */
export function brokenJsonPlace(text: string): { readonly line: number; readonly column: number } | null {
  if (faultOf(text) === null) return null;
  // The engine tells the place of some faults only. But a beginning of the text is broken from one length on, and a search finds it.
  let sound = 0;
  let broken = text.length + 1;
  while (broken - sound > 1) {
    const middle = Math.floor((sound + broken) / 2);
    if (faultOf(text.slice(0, middle)) === "inside") broken = middle;
    else sound = middle;
  }
  const before = text.slice(0, sound).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** `end`: it may become JSON when something follows. `inside`: whatever follows. */
function faultOf(text: string): "end" | "inside" | null {
  try {
    JSON.parse(text);
    return null;
  } catch (thrown) {
    const words = messageOf(thrown);
    const [, position] = / at position (\d+)/.exec(words) ?? [];
    const atEnd = /^(Unexpected end|Unterminated string)/.test(words) || Number(position ?? -1) >= text.length;
    return atEnd ? "end" : "inside";
  }
}
