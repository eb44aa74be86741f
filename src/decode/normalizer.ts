/**
 * Row to reading, the same for both origins: names (aliases), types (coercion), schema, rules, and at last `origin` and `processing_time`,
 * whatever the input said.
 *
 * ```text
 *   cells  -> plan of the header -+
 *                                 +-> slots -> topic's fields -> coercion and checks -> rules -> JSON text
 *   object -> names --------------+   (one for each declared field, and the extra ones)
 * ```
 *
 * Readings are united by name: declared fields leave first, in the schema's order, then the extra ones in the order in which they came.
 * The JSON text is put together from the fields' own texts, so that numbers leave with the digits they came with.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Arrival, CellsRow, LineWriter, Normalized, Normalizer, ObjectRow } from "../core/decoder.ts";
import { ownFields } from "../core/own_fields.ts";
import type { Fields, Reason } from "../core/reading.ts";
import { quoted } from "../core/text.ts";
import type { Coerced } from "./coerce.ts";
import { createCoercion, jsonString } from "./coerce.ts";
import { mayLoseDigits, parseExact } from "./digits.ts";
import { createFieldNames, rescuedName, reservedNames } from "./field_names.ts";
import type { HeaderPlan } from "./header_plan.ts";
import { checkHeader, isArrivalTime, planHeader } from "./header_plan.ts";
import { isFields } from "./json_value.ts";
import { planLineWriter } from "./line_writer.ts";
import { createMemberWriter, type PlannedField, topicColumn } from "./member_writer.ts";
import { createObjectWriter } from "./object_writer.ts";
import { createPayloadWriters } from "./payload_writer.ts";
import type { RuleSetting } from "./rules.ts";
import { createRules } from "./rules.ts";
import type { SchemaField } from "./schema.ts";
import { anyType, builtInSchema, compileSchema, typeBit } from "./schema.ts";
import type { ReadTime } from "./time.ts";
import { createTimeReader } from "./time.ts";

/** What becomes of fields that the schema does not name. */
export type ExtraFields =
  /** They leave with the reading. */
  | "keep"
  | "drop"
  /** They leave inside the field `_rescued`. */
  | "rescue"
  /** The reading goes to the dead letters. */
  | "reject";

/** How rows become readings. */
export interface NormalizerOptions {
  /** A parsed JSON Schema (2020-12) of an object; null for the built-in schema. */
  readonly schema: unknown;
  /** Names that a field goes by besides its own. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  readonly extra: ExtraFields;
  /** Fields to set, in order, each by a CEL expression. */
  readonly sets: readonly RuleSetting[];
  /** CEL expression that is true for readings to forward; null for all. */
  readonly filter: string | null;
  /** IANA zone of times that name none. */
  readonly timeZone: string;
  /** How times leave: epoch milliseconds or ISO 8601 in UTC. */
  readonly timeFormat: "epoch" | "iso";
}

/**
 * Makes a normalizer. It keeps scratch space from row to row, so one must not be shared among threads.
 *
 * @throws {WeirError} `configuration` when the schema, an alias, the zone or an expression is wrong
 */
export function createNormalizer(options: NormalizerOptions): Normalizer {
  const schema = options.schema === null ? builtInSchema : compileSchema(options.schema);
  const extraMode = schema.closed && options.extra === "keep" ? "reject" : options.extra;
  const names = createFieldNames(schema.fields, options.aliases);
  const { fields: declared, slotOf } = names;
  const declaredKeys = declared.map((field) => `${JSON.stringify(field.name)}:`);
  const times = createTimeReader(options);
  const coercion = createCoercion(times);
  const rules = createRules({
    sets: options.sets,
    filter: options.filter,
    names: [...slotOf.keys()],
    open: extraMode === "keep",
  });

  const headerRules = { names, rejectsExtra: extraMode === "reject", builtIn: schema.builtIn };

  /** The row that is worked on: what came in for each declared field, and whether it is text (a CSV cell, a level of a topic). */
  const slots: unknown[] = declared.map(() => undefined);
  const slotIsText: boolean[] = declared.map(() => false);
  const extras: Extra[] = [];
  /** What goes out: `"name":` and its JSON, in order. */
  const keys: string[] = [];
  const texts: string[] = [];
  let fields: Fields = ownFields();
  const coerced: Coerced = { value: null, json: "" };
  const time: ReadTime = { value: 0, json: "" };
  /** `processing_time` of the last row: many rows arrive at one moment. */
  const processed: ReadTime = { value: 0, json: "" };
  let processedMs = NaN;
  let plan: HeaderPlan = planHeader([], names);
  /** The writer of plain lines under the last header asked for. */
  let writer: { readonly header: readonly string[]; readonly planned: LineWriter | null } | null = null;

  const add = (name: string, key: string, value: unknown, json: string): void => {
    fields[name] = value;
    keys.push(key);
    texts.push(json);
  };

  const put = (name: string, value: unknown, isText: boolean): void => {
    const slot = slotOf.get(name);
    if (slot === undefined) {
      putExtra(extras, name, value, isText);
    } else if (slots[slot] === undefined || declared[slot]?.name === name) {
      // A field's own name wins over its aliases.
      slots[slot] = value;
      slotIsText[slot] = isText;
    }
  };

  const takeCells = (row: CellsRow): void => {
    if (plan.header !== row.header) plan = planHeader(row.header, names);
    const { columnOf, extraColumns } = plan;
    for (let slot = 0; slot < declared.length; slot++) {
      const column = columnOf[slot] ?? -1;
      slots[slot] = column < 0 ? undefined : row.cells[column];
      slotIsText[slot] = true;
    }
    for (const { name, column } of extraColumns) extras.push({ name, value: row.cells[column] ?? "", isText: true });
  };

  const takeObject = (row: ObjectRow): void => {
    slots.fill(undefined);
    const object = exactObject(row);
    for (const name in object) put(name, object[name], false);
  };

  const takeTopic = (topicFields: Readonly<Record<string, string>>): void => {
    for (const name of Object.keys(topicFields)) {
      const slot = slotOf.get(name);
      if (slot !== undefined) slots[slot] = undefined;
      put(name, topicFields[name], true);
    }
  };

  /** Brings a declared field out; null when all is well. */
  const bringOut = (slot: number, field: SchemaField, arrival: Arrival): Normalized | null => {
    const value = slots[slot];
    const key = declaredKeys[slot] ?? "";
    if (value === undefined || value === null || (value === "" && slotIsText[slot] === true)) {
      if (isArrivalTime(field)) {
        times.write(arrival.wallMs, time);
        add(field.name, key, time.value, time.json);
      } else if (value !== undefined && (field.types & typeBit.null) !== 0) {
        return checked(field, key, null, "null");
      } else if (field.required) {
        return misfit("missing_field", missing(field.name, value === undefined));
      }
      return null;
    }
    const problem = slotIsText[slot] === true && typeof value === "string"
      ? coercion.text(value, field.types, coerced)
      : coercion.json(value, field.types, coerced);
    if (problem !== null) return misfit("wrong_type", `Field ${quoted(field.name)} ${problem}`);
    return checked(field, key, coerced.value, coerced.json);
  };

  const checked = (field: SchemaField, key: string, value: unknown, json: string): Normalized | null => {
    const problem = field.check === null ? null : field.check(value);
    if (problem !== null) return misfit("wrong_type", `Field ${quoted(field.name)} ${problem}`);
    add(field.name, key, value, json);
    return null;
  };

  const missing = (name: string, absent: boolean): string => {
    const what = `Required field ${quoted(name)} is ${absent ? "missing" : "empty"}`;
    if (!schema.builtIn || !absent) return what;
    const seen = extras.slice(0, 8).map((extra) => quoted(extra.name, 40)).join(", ");
    return `${what}${
      seen === "" ? "" : ` (there are also ${seen})`
    }; say with --alias ${name}=NAME which field it is, let the MQTT ` +
      `topic template give it, or describe such readings with --schema FILE`;
  };

  const bringOutExtras = (): Normalized | null => {
    const rescued: string[] = [];
    const rescuedFields = ownFields();
    for (const { name, value, isText } of extras) {
      if (reservedNames.has(name)) continue;
      if (extraMode === "drop") continue;
      if (extraMode === "reject") {
        return misfit("extra_field", `Field ${quoted(name)} is not in the schema, and --extra reject is in force`);
      }
      const problem = isText && typeof value === "string"
        ? coercion.text(value, anyType, coerced)
        : coercion.json(value, anyType, coerced);
      if (problem !== null) return misfit("wrong_type", `Field ${quoted(name)} ${problem}`);
      const bad = schema.checkExtra === null ? null : schema.checkExtra(coerced.value);
      if (bad !== null) return misfit("wrong_type", `Field ${quoted(name)} ${bad}`);
      if (extraMode === "keep") {
        add(name, `${jsonString(name)}:`, coerced.value, coerced.json);
      } else {
        rescued.push(`${jsonString(name)}:${coerced.json}`);
        rescuedFields[name] = coerced.value;
      }
    }
    if (rescued.length > 0) add(rescuedName, `"${rescuedName}":`, rescuedFields, `{${rescued.join(",")}}`);
    return null;
  };

  /** Puts the JSON text together. `origin` and `processing_time` come last and are always ours. */
  const finish = (arrival: Arrival): Normalized => {
    let text = "{";
    for (let i = 0; i < keys.length; i++) text += `${keys[i] ?? ""}${texts[i] ?? ""},`;
    text += `"origin":"${arrival.origin}","processing_time":${processed.json}}`;
    return { kind: "reading", fields, value: text, bytes: Buffer.byteLength(text) };
  };

  const setField = (name: string, value: unknown, json: string): void => {
    const key = `${jsonString(name)}:`;
    const at = keys.indexOf(key);
    if (at < 0) {
      add(name, key, value, json);
    } else {
      fields[name] = value;
      texts[at] = json;
    }
  };

  const work = (arrival: Arrival): Normalized => {
    for (let slot = 0; slot < declared.length; slot++) {
      const field = declared[slot];
      const problem = field === undefined ? null : bringOut(slot, field, arrival);
      if (problem !== null) return problem;
    }
    if (extras.length > 0) {
      const problem = bringOutExtras();
      if (problem !== null) return problem;
    }
    const bad = schema.checkWhole === null ? null : schema.checkWhole(fields);
    if (bad !== null) return misfit("wrong_type", `The reading ${bad}`);
    if (arrival.wallMs !== processedMs) {
      processedMs = arrival.wallMs;
      times.write(processedMs, processed);
    }
    fields["origin"] = arrival.origin;
    fields["processing_time"] = processed.value;
    if (rules !== null) {
      const result = rules.apply(fields, setField);
      if (result === "filtered") return filtered;
      if (result !== "kept") return misfit("rule_error", result.problem);
    }
    return finish(arrival);
  };

  /** The fields that leave of rows with these names, in order; null where the normalizer has to look at each row. */
  const planFields = (columns: readonly string[]): readonly PlannedField[] | null => {
    const { columnOf, extraColumns } = planHeader(columns, names);
    if (extraColumns.length > 0 && (extraMode === "rescue" || extraMode === "reject")) return null;
    if (declared.some((field, slot) => field.required && columnOf[slot] === -1 && !isArrivalTime(field))) return null;
    const known = declared.flatMap((field, slot) => {
      const column = columnOf[slot] ?? -1;
      return column < 0 && !isArrivalTime(field) ? [] : [{ field, column, key: declaredKeys[slot] ?? "" }];
    });
    const kept = extraMode === "drop" ? [] : extraColumns.map(({ name, column }) => ({
      field: { name, types: anyType, required: false, check: null },
      column,
      key: `${jsonString(name)}:`,
    }));
    return [...known, ...kept];
  };

  const planLines = (header: readonly string[], delimiter: string): LineWriter | null => {
    const fields = planFields(header);
    return fields === null ? null : planLineWriter({ columns: header.length, fields, delimiter, members, rules });
  };

  /** A header with two columns for one field is refused; an object may have both, and a name that is empty. */
  const planObject = (own: readonly string[]): readonly PlannedField[] | null => {
    const of = own.map((name) => slotOf.get(name) ?? name);
    return own.includes("") || new Set(of).size < of.length ? null : planFields(own);
  };

  /** The same for an object with these names that came by a topic that gives those fields, which win. */
  const planPayload = (own: readonly string[], topic: readonly string[]): readonly PlannedField[] | null => {
    const of = own.map((name) => slotOf.get(name) ?? name);
    const winners = topic.map((name) => slotOf.get(name) ?? name);
    if (own.includes("") || new Set(of).size < of.length || new Set(winners).size < winners.length) return null;
    // A field that is not declared stays where the object has it.
    const all = [...own, ...topic.filter((name) => slotOf.has(name) || !own.includes(name))];
    return planFields(all)?.map((planned) => {
      const name = all[planned.column] ?? "";
      const index = planned.column < 0 ? -1 : winners.indexOf(slotOf.get(name) ?? name);
      return index < 0 ? planned : { ...planned, column: topicColumn(index) };
    }) ?? null;
  };

  /** A field of a topic as JSON; null where the normalizer has to look at each message. */
  const renderTopicField = (name: string, text: string): string | null => {
    const { types, check } = declared[slotOf.get(name) ?? -1] ?? extraField;
    if (text === "" || coercion.text(text, types, coerced) !== null) return null;
    // Rules read values out of what was written, and expect it to be plain.
    if (check !== null && check(coerced.value) !== null || /^[[{]|\\/.test(coerced.json)) return null;
    return coerced.json;
  };

  /** Checks of more than a field need the fields themselves. */
  const isSimple = schema.checkWhole === null && schema.checkExtra === null &&
    options.timeFormat === "epoch";
  const members = createMemberWriter(times);
  const objects = createObjectWriter({ members, plan: planObject, rules });
  const payloads = createPayloadWriters({ members, plan: planPayload, render: renderTopicField, rules });

  return {
    checkHeader: (header) => checkHeader(header, headerRules),
    lineWriter(layout, arrival) {
      if (!isSimple) return null;
      members.arrive(arrival);
      if (layout.format === "ndjson") return objects;
      const { header, delimiter } = layout;
      if (writer?.header !== header) writer = { header, planned: planLines(header, delimiter) };
      return writer.planned;
    },
    payloadWriter: (topicFields) => isSimple ? payloads(topicFields) : null,
    normalize(row, arrival) {
      keys.length = 0;
      texts.length = 0;
      extras.length = 0;
      fields = ownFields();
      if (row.kind === "cells") takeCells(row);
      else takeObject(row);
      if (arrival.topicFields !== null) takeTopic(arrival.topicFields);
      return work(arrival);
    },
  };
}

const extraField: Pick<SchemaField, "types" | "check"> = { types: anyType, check: null };
const filtered: Normalized = { kind: "filtered" };

interface Extra {
  readonly name: string;
  readonly value: unknown;
  readonly isText: boolean;
}

function putExtra(extras: Extra[], name: string, value: unknown, isText: boolean): void {
  const extra: Extra = { name, value, isText };
  const at = extras.findIndex((other) => other.name === name);
  if (at < 0) extras.push(extra);
  else extras[at] = extra;
}

/** The object of a row; with the source's digits where a double would lose some. */
function exactObject(row: ObjectRow): Fields {
  if (!mayLoseDigits(row.text)) return row.object;
  const exact = parseExact(row.text);
  return isFields(exact) ? exact : row.object;
}

function misfit(reason: Reason, detail: string): Normalized {
  return { kind: "misfit", reason, detail };
}
