/**
 * Objects for fields: without inherited properties, so that `__proto__` and `constructor` are fields like any other.
 *
 * @module
 */
import type { Fields } from "./reading.ts";

/** Made by a constructor and not by `Object.create(null)`, which engines give a slow layout. */
class OwnFields {}
Object.setPrototypeOf(OwnFields.prototype, null);
Reflect.deleteProperty(OwnFields.prototype, "constructor");

/** A new, empty set of fields. */
export function ownFields(): Fields {
  return new OwnFields() as Fields;
}

/** The same fields as `object` has, in the same order. */
export function ownFieldsOf(object: Fields): Fields {
  const fields = ownFields();
  for (const [name, value] of Object.entries(object)) fields[name] = value;
  return fields;
}
