/**
 * The one schema that readings of both origins have in common: the built-in one, or a JSON Schema (2020-12) given by the operator,
 * compiled to a list of fields with a quick check each.
 *
 * zod reads the schema, refuses what it cannot express, and checks whatever is not simple. Simple fields (a type, an enumeration, bounds,
 * lengths) are checked without it: the same verdict at a tenth of the cost.
 *
 * @module
 */
import { z } from "zod";
import { messageOf, WeirError } from "../core/error.ts";
import { printable, quoted } from "../core/text.ts";
import { isSlowPattern, patternsIn, slowPatternAdvice } from "./slow_pattern.ts";

/** JSON types that a field may have, as bits that can be added up, and `time`. */
export const typeBit = {
  string: 1,
  number: 2,
  /** A number without a fraction. */
  integer: 4,
  boolean: 8,
  null: 16,
  object: 32,
  array: 64,
  /** A point in time: a string in ISO 8601 or a number since 1970; leaves as the settings say. */
  time: 128,
} as const;

/** All JSON types: a field that nobody declared. */
export const anyType: number = typeBit.string | typeBit.number | typeBit.boolean | typeBit.null | typeBit.object |
  typeBit.array;

/** Checks the value of a field beyond its type: null when it fits, else what is wrong with it. */
export type ValueCheck = (value: unknown) => string | null;

/** One declared field. */
export interface SchemaField {
  readonly name: string;
  /** {@linkcode typeBit}s. */
  readonly types: number;
  readonly required: boolean;
  readonly check: ValueCheck | null;
}

/** The compiled schema. */
export interface Schema {
  /** In the order in which they leave. */
  readonly fields: readonly SchemaField[];
  /** Whether it is the built-in one: messages say then how to describe other readings. */
  readonly builtIn: boolean;
  /** Whether the schema itself forbids fields that it does not name. */
  readonly closed: boolean;
  /** The check of fields that the schema does not name, if it has one. */
  readonly checkExtra: ValueCheck | null;
  /** The check of the reading as a whole, where keywords outside `properties` ask for it. */
  readonly checkWhole: ValueCheck | null;
}

/**
 * The schema in force when none is given. `ts` is required of nobody: a reading without it is given the time of its arrival. A `value` of
 * null is a reading (the sensor is there and has nothing to say); a `value` that is missing is not.
 */
export const builtInSchema: Schema = {
  builtIn: true,
  closed: false,
  checkExtra: null,
  checkWhole: null,
  fields: [
    { name: "device_id", types: typeBit.string, required: true, check: null },
    { name: "metric", types: typeBit.string, required: true, check: null },
    {
      name: "value",
      types: typeBit.number | typeBit.string | typeBit.boolean | typeBit.null,
      required: true,
      check: null,
    },
    { name: "ts", types: typeBit.time, required: false, check: null },
    { name: "unit", types: typeBit.string, required: false, check: null },
  ],
};

/**
 * Compiles a JSON Schema.
 *
 * @param json the parsed schema
 * @throws {WeirError} `configuration` when it is not a schema of an object, or uses what is not supported
 */
export function compileSchema(json: unknown): Schema {
  if (!isRecord(json)) throw wrong("it is not a JSON object");
  const root = resolve(json, json);
  const slow = patternsIn(json).find(isSlowPattern);
  if (slow !== undefined) {
    throw wrong(`its pattern ${quoted(slow)} could run for ever on a hostile value. ${slowPatternAdvice}`);
  }
  if (root["type"] !== "object") throw wrong('its "type" must be "object", for a reading is a set of named fields');
  const properties = root["properties"] ?? {};
  if (!isRecord(properties)) throw wrong('"properties" is not an object');
  const required = root["required"] ?? [];
  if (!Array.isArray(required)) throw wrong('"required" is not a list');
  const names = new Set<unknown>(required);
  const fields = Object.entries(properties).map(([name, property]) =>
    compileField(name, property, names.has(name), json)
  );
  for (const name of names) {
    if (typeof name !== "string") throw wrong('"required" holds something that is not a name');
    if (!Object.hasOwn(properties, name)) fields.push({ name, types: anyType, required: true, check: null });
  }
  const additional = root["additionalProperties"];
  return {
    builtIn: false,
    fields,
    closed: additional === false,
    checkExtra: isRecord(additional) ? zodCheck(withDefinitions(additional, json), "additionalProperties") : null,
    checkWhole: compileWhole(root, fields, json),
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Types that a time may be declared as. */
const timeLike = typeBit.string | typeBit.number | typeBit.integer;

const annotations: ReadonlySet<string> = new Set([
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
]);

function compileField(name: string, property: unknown, required: boolean, root: JsonObject): SchemaField {
  if (property === true) return { name, types: anyType, required, check: null };
  if (!isRecord(property)) throw wrong(`the property ${quoted(name)} is not a schema`);
  const resolved = resolve(property, root);
  const types = typesOf(resolved);
  if (resolved["format"] === "date-time" || (name === "ts" && (types & timeLike) !== 0)) {
    return { name, types: typeBit.time | (types & typeBit.null), required, check: null };
  }
  const simple = simpleCheck(resolved);
  return {
    name,
    types,
    required,
    check: simple === undefined ? zodCheck(withDefinitions(property, root), name) : simple,
  };
}

/** The types that a schema admits, as far as coercion must know them. */
function typesOf(schema: JsonObject): number {
  const type = schema["type"];
  if (typeof type === "string") return bitOf(type);
  if (Array.isArray(type)) return type.reduce<number>((bits, one) => bits | bitOf(String(one)), 0);
  if (Array.isArray(schema["enum"])) return schema["enum"].reduce<number>((bits, one) => bits | bitOfValue(one), 0);
  if ("const" in schema) return bitOfValue(schema["const"]);
  for (const key of ["anyOf", "oneOf"]) {
    const options = schema[key];
    if (Array.isArray(options)) {
      return options.reduce<number>((bits, one) => bits | (isRecord(one) ? typesOf(one) : anyType), 0);
    }
  }
  return anyType;
}

function bitOf(type: string): number {
  const known: Readonly<Record<string, number>> = typeBit;
  const bit = type === "time" || !Object.hasOwn(known, type) ? undefined : known[type];
  if (bit === undefined) throw wrong(`the type ${quoted(type)} is not one of JSON Schema`);
  return bit;
}

function bitOfValue(value: unknown): number {
  if (value === null) return typeBit.null;
  if (Array.isArray(value)) return typeBit.array;
  return bitOf(typeof value);
}

/** Keywords that {@linkcode simpleCheck} understands, besides `type` (checked by coercion) and annotations. */
interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
  readonly exclusiveMinimum: number;
  readonly exclusiveMaximum: number;
  readonly minLength: number;
  readonly maxLength: number;
}

const noBounds: Bounds = {
  minimum: -Infinity,
  maximum: Infinity,
  exclusiveMinimum: -Infinity,
  exclusiveMaximum: Infinity,
  minLength: 0,
  maxLength: Infinity,
};

/** A check without zod; undefined when the schema is not simple enough, null when its type says all. */
function simpleCheck(schema: JsonObject): ValueCheck | null | undefined {
  const keys = Object.keys(schema).filter((key) => !annotations.has(key) && key !== "type");
  const bounds: Record<keyof Bounds, number> = { ...noBounds };
  for (const key of keys) {
    if (key === "enum" || key === "const") return keys.length === 1 ? memberCheck(schema, key) : undefined;
    const value = schema[key];
    if (!isBound(key) || typeof value !== "number") return undefined;
    bounds[key] = value;
  }
  // A type that is a structure, or none at all, may have keywords that hide in it: zod's business when there is any.
  if (schema["type"] === undefined) return keys.length === 0 ? null : undefined;
  if (keys.length === 0) return null;
  return (value) => {
    if (typeof value === "number") return outside(value, bounds);
    if (typeof value === "string") return wrongLength(value.length, bounds);
    return null;
  };
}

function isBound(key: string): key is keyof Bounds {
  return Object.hasOwn(noBounds, key);
}

function outside(value: number, bounds: Bounds): string | null {
  if (value < bounds.minimum) return `is ${value}, below the minimum of ${bounds.minimum}`;
  if (value > bounds.maximum) return `is ${value}, above the maximum of ${bounds.maximum}`;
  if (value <= bounds.exclusiveMinimum) return `is ${value}, not above ${bounds.exclusiveMinimum}`;
  if (value >= bounds.exclusiveMaximum) return `is ${value}, not below ${bounds.exclusiveMaximum}`;
  return null;
}

function wrongLength(length: number, bounds: Bounds): string | null {
  if (length < bounds.minLength) return `has ${length} characters, fewer than ${bounds.minLength}`;
  if (length > bounds.maxLength) return `has ${length} characters, more than ${bounds.maxLength}`;
  return null;
}

function memberCheck(schema: JsonObject, key: "enum" | "const"): ValueCheck | undefined {
  const members: unknown = key === "enum" ? schema["enum"] : [schema["const"]];
  if (!Array.isArray(members) || members.some((member) => typeof member === "object" && member !== null)) {
    return undefined;
  }
  const allowed = new Set<unknown>(members);
  const list = printable(members.map((member) => JSON.stringify(member)).join(", "), 120);
  return (value) =>
    allowed.has(value) ? null : `is ${printable(String(JSON.stringify(value)), 60)}, not one of ${list}`;
}

/** Keywords of the root that the fields' own checks cover. */
const coveredByFields: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$defs",
  "definitions",
  "type",
  "properties",
  "required",
  "additionalProperties",
]);

/** A check of the whole reading, when the schema says more than what its fields are. Times are left out: they have been read by then. */
function compileWhole(root: JsonObject, fields: readonly SchemaField[], json: JsonObject): ValueCheck | null {
  const isTime = (name: string): boolean =>
    fields.some((field) => field.name === name && (field.types & typeBit.time) !== 0);
  const properties = isRecord(root["properties"]) ? root["properties"] : {};
  const loosened = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, isTime(name) ? {} : one]));
  const check = zodCheck(withDefinitions({ ...root, properties: loosened }, json), "the schema");
  const covered = Object.keys(root).every((key) => coveredByFields.has(key) || annotations.has(key));
  return covered ? null : check;
}

/** A check by zod. Compiling it also finds out at start what zod does not support. */
function zodCheck(schema: JsonObject, where: string): ValueCheck {
  let compiled: z.ZodType;
  try {
    compiled = z.fromJSONSchema(schema);
  } catch (cause) {
    throw wrong(`${quoted(where)}: ${printable(messageOf(cause))}`);
  }
  return (value) => {
    const result = compiled.safeParse(value);
    if (result.success) return null;
    const issue = result.error.issues[0];
    const path = issue === undefined || issue.path.length === 0 ? "" : ` at ${printable(issue.path.join("."), 60)}`;
    return `does not fit the schema${path}: ${printable(issue?.message ?? "invalid", 120)}`;
  };
}

/** A part of the schema together with the definitions that it may refer to. */
function withDefinitions(part: JsonObject, root: JsonObject): JsonObject {
  const { $defs, definitions } = root;
  return {
    ...part,
    ...(isRecord($defs) ? { $defs } : {}),
    ...(isRecord(definitions) ? { definitions } : {}),
  };
}

/** Follows `$ref` to a definition of the root, at most 32 times. */
function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  let current = schema;
  for (let i = 0; i < 32; i++) {
    const ref = current["$ref"];
    if (typeof ref !== "string") return current;
    const match = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(ref);
    const definitions = match === null ? undefined : root[match[1] ?? ""];
    const name = (match?.[2] ?? "").replace(/~1/g, "/").replace(/~0/g, "~");
    const target = isRecord(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (!isRecord(target)) throw wrong(`the reference ${quoted(ref)} leads nowhere`);
    current = target;
  }
  throw wrong("its references go round in a circle");
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(what: string): WeirError {
  return new WeirError("configuration", `The schema cannot be used: ${what}`, {
    advice: "Give a JSON Schema (2020-12) of an object with --schema; docs/settings.md shows one",
  });
}
