/**
 * One JSON text to one row: what the NDJSON, JSON and payload decoders share.
 *
 * @module
 */
import type { Fields, Reason } from "../core/reading.ts";
import { messageOf } from "../core/error.ts";
import { printable, quoted } from "../core/text.ts";

/** Levels of arrays and objects in one value. Deeper ones are refused: what walks them later is recursive. */
export const nestingMax = 256;

/** A parsed object, or why there is none. */
export type ParsedObject =
  | { readonly object: Fields }
  | { readonly object: null; readonly reason: Reason; readonly detail: string };

/** Parses `text`, which must be a JSON object. */
export function parseObject(text: string): ParsedObject {
  if (isTooDeep(text)) return bad(`The value is nested deeper than ${nestingMax} levels`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return bad(
      `${text.trim() === "" ? "An empty value is" : `${quoted(text, 60)} is`} not JSON: ${jsonProblem(error)}`,
    );
  }
  if (!isFields(value)) return bad(`${quoted(text, 60)} is ${kindOf(value)}, not an object`);
  return { object: value };
}

/** Whether a parsed value is an object with fields. `JSON.parse` makes `__proto__` an own property like any other. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether arrays and objects in `text` may be nested deeper than {@linkcode nestingMax}. Brackets in strings count: they only make it stricter. */
export function isTooDeep(text: string): boolean {
  // A text this short cannot: every level takes an opening and a closing bracket.
  if (text.length <= 2 * nestingMax) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > nestingMax) return true;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return false;
}

/** What a parsed value is, for messages: `an array`, `a number`. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The engine's words without the excerpt that it adds. */
export function jsonProblem(error: unknown): string {
  // V8 names the character that it did not expect as it is.
  return printable(messageOf(error).replace(/, (?:\.\.\.)?"[\s\S]*$/, "").replace(/ in JSON at/, " at"));
}

function bad(detail: string): ParsedObject {
  return { object: null, reason: "bad_json", detail };
}
