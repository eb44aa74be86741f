/**
 * The key of a reading's record.
 *
 * @module
 */
import type { Reading } from "../../core/reading.ts";
import { packedField } from "./packed_field.ts";
import type { Template } from "./template.ts";

/** The key, null for none. */
export type KeyOf = (reading: Reading) => string | null;

/** Makes a {@linkcode KeyOf}. A key that is one field, the usual case, is looked up in the bytes where there are any. */
export function createKeyOf(key: Template | null): KeyOf {
  if (key === null) return () => null;
  const [name] = key.fields;
  if (name === undefined || key.source !== `{${name}}`) return (reading) => key.render(reading.fields);
  const fieldOf = packedField(name);
  return (reading) => {
    const known = reading.packed === undefined ? undefined : fieldOf(reading.packed);
    return known === undefined ? key.render(reading.fields) : known;
  };
}
