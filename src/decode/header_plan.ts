/**
 * What a CSV header means for all rows under it: which column is which field, and whether any row under it can be good.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import type { FieldNames } from "./field_names.ts";
import { reservedNames } from "./field_names.ts";
import type { SchemaField } from "./schema.ts";
import { typeBit } from "./schema.ts";

/** Where the fields stand under one header, worked out once for all rows of a file. */
export interface HeaderPlan {
  readonly header: readonly string[];
  /** For each declared field its column, or -1. */
  readonly columnOf: readonly number[];
  readonly extraColumns: readonly { readonly name: string; readonly column: number }[];
}

/** Works the plan out. */
export function planHeader(header: readonly string[], names: FieldNames): HeaderPlan {
  const columnOf = names.fields.map(() => -1);
  const extraColumns: { name: string; column: number }[] = [];
  header.forEach((name, column) => {
    const slot = names.slotOf.get(name);
    if (slot !== undefined) columnOf[slot] = column;
    // A column without a name comes from a delimiter at the end of each line.
    else if (name !== "" && !reservedNames.has(name)) extraColumns.push({ name, column });
  });
  return { header, columnOf, extraColumns };
}

/** What makes a header good. */
export interface HeaderRules {
  readonly names: FieldNames;
  /** Whether a column that the schema does not name makes every row bad. */
  readonly rejectsExtra: boolean;
  /** Whether the built-in schema is in force: the advice is then to describe other readings. */
  readonly builtIn: boolean;
}

/**
 * Checks a header.
 *
 * @throws {WeirError} `bad_file` naming the column that is missing, stands twice or is not known
 */
export function checkHeader(header: readonly string[], rules: HeaderRules): void {
  const { names } = rules;
  const seen = new Map<string, string>();
  for (const name of header) {
    if (name === "") continue;
    const slot = names.slotOf.get(name);
    const field = slot === undefined ? name : names.fields[slot]?.name ?? name;
    const before = seen.get(field);
    if (before !== undefined) {
      throw new WeirError(
        "bad_file",
        before === name
          ? `The column ${quoted(name)} stands twice in the header`
          : `The columns ${quoted(before)} and ${quoted(name)} both mean the field ${quoted(field)}`,
        { advice: "Name each column once, or name the columns with --csv-columns" },
      );
    }
    seen.set(field, name);
    if (slot === undefined && rules.rejectsExtra && !reservedNames.has(name)) {
      throw new WeirError(
        "bad_file",
        `The column ${quoted(name)} is not in the schema, and --extra reject is in force`,
        {
          advice: "Add it to the schema, or choose --extra keep, drop or rescue",
        },
      );
    }
  }
  const missing = names.fields.filter((field) => field.required && !seen.has(field.name) && !isArrivalTime(field));
  if (missing.length === 0) return;
  const list = missing.map((field) => quoted(field.name, 40)).join(", ");
  const columns = header.slice(0, 20).map((name) => quoted(name, 40)).join(", ");
  throw new WeirError("bad_file", `The header lacks the required ${list}; its columns are ${columns}`, {
    advice: `Say with --alias FIELD=COLUMN which column it is${
      rules.builtIn ? ", or describe such readings with --schema FILE" : ""
    }`,
  });
}

/** A `ts` that is missing is the time of arrival. */
export function isArrivalTime(field: SchemaField): boolean {
  return field.name === "ts" && (field.types & typeBit.time) !== 0;
}
