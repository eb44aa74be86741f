/**
 * A kind of value: how its text is read, what is allowed, and what an editor may know of it (JSON Schema). The one file that knows zod.
 *
 * @module
 */
import * as z from "zod";
import { nearest } from "./nearest.ts";

/** What {@linkcode kind} is told. */
export interface KindOptions<T> {
  /** What stands for the value in the help: `URL`, `N`, `TIME`. */
  readonly placeholder: string;
  /** Ends the sentence "Must be ...". */
  readonly allowed: string;
  /** The only texts there are, when they can be listed. */
  readonly choices?: readonly string[];
  /** Also a number in YAML and JSON, not only text. */
  readonly number?: "integer" | "decimal";
  /** Also `true` and `false` in YAML and JSON. */
  readonly boolean?: boolean;
  /** Reads the text; what it is not willing to read it refuses with {@linkcode refuse}. */
  readonly parse: (text: string) => T | Refusal;
}

/** Says no to a text. */
export interface Refusal {
  readonly refused: true;
  /** Why, as a sentence without a full stop; null: the kind's `allowed` says enough. */
  readonly because: string | null;
}

/** What came of reading a text. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly mistake: string };

/** A kind of value. */
export interface Kind<T> {
  readonly placeholder: string;
  readonly allowed: string;
  readonly schema: z.ZodType<T>;
  parse(text: string): Parsed<T>;
}

/** Refuses a text. Without a reason the kind's `allowed` is told. */
export function refuse(because: string | null = null): Refusal {
  return { refused: true, because };
}

/** Makes a {@linkcode Kind}. */
export function kind<T>(options: KindOptions<T>): Kind<T> {
  const mustBe = `Must be ${options.allowed}`;
  const schema = inputOf(options, mustBe).transform((raw, context): T => {
    const value = options.parse(String(raw));
    if (!isRefusal(value)) return value;
    context.issues.push({ code: "custom", message: value.because ?? mustBe, input: raw });
    return z.NEVER;
  });
  return {
    placeholder: options.placeholder,
    allowed: options.allowed,
    schema,
    parse(text) {
      const result = schema.safeParse(text);
      if (result.success) return { ok: true, value: result.data };
      return { ok: false, mistake: result.error.issues.map((issue) => issue.message).join("; ") };
    },
  };
}

/** One key of the config file, for {@linkcode jsonSchema}. */
export interface SchemaKey {
  readonly name: string;
  readonly kind: Kind<unknown>;
  /** A list is allowed beside a single value. */
  readonly repeatable: boolean;
  readonly description: string;
  readonly default?: string;
  readonly examples?: readonly string[];
}

/** A JSON Schema (2020-12) of the config file, for editors: what may be written, before it is read. */
export function jsonSchema(title: string, keys: readonly SchemaKey[]): Readonly<Record<string, unknown>> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    type: "object",
    properties: Object.fromEntries(keys.map((key) => [key.name, keySchema(key)])),
    additionalProperties: false,
  };
}

function keySchema(key: SchemaKey): Readonly<Record<string, unknown>> {
  const one = key.kind.schema;
  const { $schema: _, ...input } = z.toJSONSchema(key.repeatable ? z.union([one, z.array(one)]) : one, { io: "input" });
  return {
    description: key.description,
    ...input,
    ...(key.default === undefined ? {} : { default: key.default }),
    ...(key.examples === undefined ? {} : { examples: key.examples }),
  };
}

function inputOf<T>({ choices, ...options }: KindOptions<T>, mustBe: string): z.ZodType<string | number | boolean> {
  const error = ({ input }: { readonly input?: unknown }): string => {
    const hint = choices === undefined ? null : nearest(String(input), choices);
    return hint === null ? mustBe : `${mustBe}. Did you mean ${hint}?`;
  };
  const text = choices === undefined ? z.string({ error }) : z.enum([...choices], { error });
  const inputs: z.ZodType<string | number | boolean>[] = [text];
  if (options.number === "integer") inputs.push(z.int({ error }));
  if (options.number === "decimal") inputs.push(z.number({ error }));
  if (options.boolean === true) inputs.push(z.boolean({ error }));
  return inputs.length === 1 ? text : z.union(inputs, { error });
}

function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refused" in value && value.refused === true;
}
