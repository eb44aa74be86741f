/**
 * Templates for keys and topics: text with fields of the reading in braces, `{site}/{device_id}`.
 *
 * What a field gives: text as it is, everything else as in JSON (`21.5`, `true`). A field that is absent or null gives nothing. When
 * that is so for every field of the template, the whole is absent (null): such a record has no key. When it is so for some only, they
 * are empty in the text, so that the same reading always gives the same key.
 *
 * @module
 */
import { WeirError } from "../../core/error.ts";
import type { Fields } from "../../core/reading.ts";
import { quoted } from "../../core/text.ts";

/** A parsed template. */
export interface Template {
  readonly source: string;
  /** Names of its fields, in order. Empty: the text is the same for all readings. */
  readonly fields: readonly string[];
  /** The text for a reading, or null when none of the template's fields has a value. */
  render(fields: Fields): string | null;
  /** Names of the fields that have no value in this reading. */
  missing(fields: Fields): readonly string[];
}

/**
 * Parses a template.
 *
 * @param what names the setting in the error: `key template`
 * @throws {WeirError} `configuration` for a brace without its partner or an empty name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const key = parseTemplate("{site}/{device_id}", "key template");
 * assert.equal(key.render({ site: "a", device_id: 7 }), "a/7");
 * assert.equal(key.render({ device_id: 7 }), "/7");
 * assert.equal(key.render({}), null);
 * ```
 */
export function parseTemplate(source: string, what: string): Template {
  const texts: string[] = [];
  const names: string[] = [];
  let rest = source;
  while (true) {
    const brace = rest.search(/[{}]/);
    if (brace < 0) break;
    const close = rest.indexOf("}", brace);
    const name = rest.slice(brace + 1, close);
    if (rest[brace] === "}" || close < 0 || name === "" || name.includes("{")) {
      throw new WeirError(
        "configuration",
        `The ${what} ${quoted(source)} has a brace without its partner or without a name`,
        {
          advice: "Write fields as {name}, for example {device_id}",
        },
      );
    }
    texts.push(rest.slice(0, brace));
    names.push(name);
    rest = rest.slice(close + 1);
  }
  const last = rest;
  const [onlyName] = names;
  const isOneField = names.length === 1 && onlyName !== undefined && texts[0] === "" && last === "";

  return {
    source,
    fields: names,
    render: isOneField ? (fields) => textOf(fields[onlyName]) : renderParts,
    missing: (fields) => names.filter((name) => textOf(fields[name]) === null),
  };

  function renderParts(fields: Fields): string | null {
    if (names.length === 0) return last;
    let text = "";
    let found = false;
    for (let i = 0; i < names.length; i++) {
      const value = textOf(fields[names[i] ?? ""]);
      found ||= value !== null;
      text += (texts[i] ?? "") + (value ?? "");
    }
    return found ? text + last : null;
  }
}

function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return null;
  return JSON.stringify(value);
}
