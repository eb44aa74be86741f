/**
 * Which name belongs to which declared field: its own name and its aliases.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import type { SchemaField } from "./schema.ts";
import { anyType } from "./schema.ts";

/** Set by Weir on every reading, whatever the input says. */
export const reservedNames: ReadonlySet<string> = new Set(["origin", "processing_time"]);
/** Where `--extra rescue` puts extra fields. */
export const rescuedName = "_rescued";

/** Other names of fields, by the field's name. */
export type Aliases = Readonly<Record<string, readonly string[]>>;

/** Declared fields and the names they go by. */
export interface FieldNames {
  /** The schema's fields, then those that only an alias names (of any type, optional). */
  readonly fields: readonly SchemaField[];
  /** Index in `fields` of the field that a name belongs to. */
  readonly slotOf: ReadonlyMap<string, number>;
}

/**
 * Works out the names.
 *
 * @throws {WeirError} `configuration` when a name would belong to two fields
 */
export function createFieldNames(schemaFields: readonly SchemaField[], aliases: Aliases): FieldNames {
  const fields = schemaFields.filter((field) => !reservedNames.has(field.name));
  const slotOf = new Map(fields.map((field, slot) => [field.name, slot]));
  for (const name of Object.keys(aliases)) {
    if (reservedNames.has(name)) throw wrong(`${quoted(name)} is set by Weir itself`, "Leave this alias out");
    if (slotOf.has(name)) continue;
    slotOf.set(name, fields.length);
    fields.push({ name, types: anyType, required: false, check: null });
  }
  for (const [name, others] of Object.entries(aliases)) {
    const slot = slotOf.get(name) ?? -1;
    for (const other of others) {
      const owner = slotOf.get(other);
      if (owner !== undefined && owner !== slot) {
        throw wrong(
          `${quoted(other)} would be both ${quoted(name)} and ${quoted(fields[owner]?.name ?? "")}`,
          "Give each name to one field only",
        );
      }
      slotOf.set(other, slot);
    }
  }
  return { fields, slotOf };
}

function wrong(what: string, advice: string): WeirError {
  return new WeirError("configuration", `An alias cannot be used: ${what}`, { advice });
}
