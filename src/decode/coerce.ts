/**
 * The one table of coercion for both origins.
 *
 * | from               | to                                                                                            |
 * |--------------------|-----------------------------------------------------------------------------------------------|
 * | text, empty        | null                                                                                          |
 * | text, time         | ISO 8601, or a number since 1970                                                              |
 * | text, other type   | what the type admits, in this order: number (JSON's grammar), boolean, object or array, string |
 * | text, undeclared   | a number if it is one by JSON's grammar, `true` and `false` a boolean, else the text itself    |
 * | JSON string, time  | as text                                                                                       |
 * | JSON value         | itself, when its type is admitted; never turned into another one                              |
 *
 * Text is what CSV cells and the levels of an MQTT topic are.
 *
 * @module
 */
import { messageOf } from "../core/error.ts";
import { printable, quoted } from "../core/text.ts";
import { isJsonNumber, isRawNumber, mayLoseDigits, parseExact } from "./digits.ts";
import { isTooDeep, kindOf } from "./json_value.ts";
import { anyType, typeBit } from "./schema.ts";
import type { ReadTime, TimeReader } from "./time.ts";

/** A value and the JSON text that is sent for it; reused from field to field. */
export interface Coerced {
  value: unknown;
  json: string;
}

/** Turns what came in into values of the schema's types. Both give null when it worked, else what is wrong. */
export interface Coercion {
  text(text: string, types: number, into: Coerced): string | null;
  json(value: unknown, types: number, into: Coerced): string | null;
}

/** Makes a {@linkcode Coercion}. */
export function createCoercion(times: TimeReader): Coercion {
  const time: ReadTime = { value: 0, json: "" };

  const textTime = (text: string, into: Coerced): string | null => {
    if (!times.readText(text, time)) return noTime(quoted(text, 40));
    return give(time.value, time.json, into);
  };

  return {
    text(text, types, into) {
      if (text === "") return give(null, "null", into);
      if (types === typeBit.string) return give(text, jsonString(text), into);
      if ((types & typeBit.time) !== 0) return textTime(text, into);
      // Where any text is a string, spaces are part of it; where none is, they mean nothing.
      const content = (types & typeBit.string) === 0 ? text.trim() : text;
      if ((types & (typeBit.number | typeBit.integer)) !== 0 && isJsonNumber(content)) {
        const number = Number(content);
        const problem = numberProblem(number, types, content);
        if (problem === null) return give(number, content, into);
        if ((types & typeBit.string) === 0) return problem;
      }
      if ((types & typeBit.boolean) !== 0) {
        const word = (types & typeBit.string) === 0 ? content.toLowerCase() : content;
        if (word === "true") return give(true, "true", into);
        if (word === "false") return give(false, "false", into);
      }
      if ((types & typeBit.string) !== 0) return give(text, jsonString(text), into);
      if ((types & (typeBit.object | typeBit.array)) !== 0) return structure(content, types, into);
      return `is text ${quoted(text, 40)} where ${typeNames(types)} is wanted`;
    },
    json(value, types, into) {
      switch (typeof value) {
        case "string":
          if ((types & typeBit.time) !== 0) return textTime(value, into);
          if ((types & typeBit.string) !== 0) return give(value, jsonString(value), into);
          break;
        case "number":
          if ((types & typeBit.time) !== 0) {
            return times.readNumber(value, time) ? give(time.value, time.json, into) : noTime(String(value));
          }
          if ((types & (typeBit.number | typeBit.integer)) !== 0) {
            return numberProblem(value, types, String(value)) ?? give(value, String(value), into);
          }
          break;
        case "boolean":
          if ((types & typeBit.boolean) !== 0) return give(value, value ? "true" : "false", into);
          break;
        case "object":
          if (value === null) return give(null, "null", into);
          if (isRawNumber(value)) {
            const source = value.rawJSON;
            if ((types & typeBit.time) !== 0) return textTime(source, into);
            if ((types & (typeBit.number | typeBit.integer)) === 0) break;
            return numberProblem(Number(source), types, source) ?? give(Number(source), source, into);
          }
          if ((types & (Array.isArray(value) ? typeBit.array : typeBit.object)) !== 0) {
            return give(value, JSON.stringify(value), into);
          }
      }
      return `is ${shownKind(value)} where ${typeNames(types)} is wanted`;
    },
  };
}

/**
 * A string as JSON.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(jsonString('a "b"\n'), '"a \\"b\\"\\n"');
 * ```
 */
export function jsonString(text: string): string {
  // Short plain text, the usual case, needs a pair of quotes and nothing else; the engine's own function is slower on it.
  if (text.length > plainLengthMax) return JSON.stringify(text);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return JSON.stringify(text);
  }
  return `"${text}"`;
}

const plainLengthMax = 64;

function give(value: unknown, json: string, into: Coerced): null {
  into.value = value;
  into.json = json;
  return null;
}

function noTime(shown: string): string {
  return `${shown} is not a time (ISO 8601 or a number since 1970)`;
}

function numberProblem(value: number, types: number, source: string): string | null {
  if (!Number.isFinite(value)) return `is the number ${printable(source, 40)}, beyond what can be reckoned with`;
  if ((types & typeBit.number) === 0 && !Number.isInteger(value)) {
    return `is the number ${printable(source, 40)} where an integer is wanted`;
  }
  return null;
}

/** Text where an object or an array is declared: JSON inside a CSV cell. */
function structure(text: string, types: number, into: Coerced): string | null {
  if (isTooDeep(text)) return "is nested too deeply";
  let value: unknown;
  try {
    value = mayLoseDigits(text) ? parseExact(text) : JSON.parse(text);
  } catch (error) {
    return `is not JSON: ${printable(messageOf(error), 80)}`;
  }
  const admitted = Array.isArray(value)
    ? typeBit.array
    : typeof value === "object" && value !== null
    ? typeBit.object
    : 0;
  if ((types & admitted) === 0) return `is ${kindOf(value)} where ${typeNames(types)} is wanted`;
  return give(value, JSON.stringify(value), into);
}

function shownKind(value: unknown): string {
  if (typeof value === "string") return `the string ${quoted(value, 40)}`;
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`;
  return kindOf(value);
}

/** The names of some types, for messages: `number or null`. */
export function typeNames(types: number): string {
  if (types === anyType) return "anything";
  const names = Object.entries(typeBit).filter(([, bit]) => (types & bit) !== 0).map(([name]) => name);
  return names.length === 0 ? "nothing" : names.join(" or ");
}
