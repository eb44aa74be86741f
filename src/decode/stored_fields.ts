/**
 * The fields of a reading out of the JSON text that is sent: for readings that were put aside as that text.
 *
 * @module
 */
import type { Fields } from "../core/reading.ts";
import { mayLoseDigits, parseExact } from "./digits.ts";
import { ownFields } from "../core/own_fields.ts";
import { isFields } from "./json_value.ts";

/**
 * Reads the text back, with its digits.
 *
 * @throws {Error} when it is no JSON object
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(JSON.stringify(storedFields('{"a":0.10000000000000000001}')), '{"a":0.10000000000000000001}');
 * ```
 */
export function storedFields(value: string): Fields {
  const parsed: unknown = mayLoseDigits(value) || hasExponent.test(value) ? parseExact(value) : JSON.parse(value);
  if (!isFields(parsed)) throw new Error("It is no JSON object");
  return Object.assign(ownFields(), parsed);
}

const hasExponent = /\d[eE][+\d]/;
