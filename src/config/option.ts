/**
 * One setting: its name, its kind, and the words that the help, the reference page and the JSON Schema are made of. Everything else
 * (the flag, the environment variable, the key) follows from the name.
 *
 * @module
 */
import type { Kind, Parsed } from "./kind.ts";
import { toggle as toggleKind } from "./kinds.ts";

/** The commands that take settings. */
export type CommandName =
  | "run"
  | "check"
  | "demo"
  | "dlq list"
  | "dlq show"
  | "dlq replay"
  | "dlq purge"
  | "plan"
  | "status"
  | "top"
  | "doctor"
  | "schema"
  | "service print"
  | "completions";

/** Headings of the help and the reference page, in their order. */
export const groups = [
  "General",
  "MQTT",
  "Files",
  "Readings",
  "Sink",
  "Limits",
  "Status",
  "This run",
  "Dead letters",
] as const;

export type Group = typeof groups[number];

/** What is said about an option. */
export interface About {
  readonly group: Group;
  readonly commands: readonly CommandName[];
  /** What it does: begins small, no full stop. Defaults and units are added from the other fields. */
  readonly help: string;
  /** More, for the reference page only: whole sentences. */
  readonly more?: string;
  /** Replaces the kind's placeholder. */
  readonly placeholder?: string;
  /** What a bare number means: `bytes`, `seconds`, `rows/s`. */
  readonly unit?: string;
  /** A value as one would write it in a shell. */
  readonly example?: string;
  /** The default in words, when it is not one fixed text. */
  readonly defaultText?: string;
  /** Only a flag: neither a variable nor a key. */
  readonly flagOnly?: boolean;
}

/** How often an option may stand, and what parts of one text are set apart by. */
export type Arity = "toggle" | "one" | "many";

/** A setting whose value is a `V`. */
export interface Option<V> extends About {
  /** `mqtt-url`: the flag is `--mqtt-url`, the variable `WEIR_MQTT_URL`, the key `mqtt-url`. */
  readonly name: string;
  readonly kind: Kind<unknown>;
  readonly arity: Arity;
  /** Several values in one text: only where the separator cannot be part of a value. A line break always separates. */
  readonly commas: boolean;
  /** The default, as one would write it. */
  readonly fallback: string | null;
  /** The value of these texts; of none: the default. Tells all mistakes, with the index of the text. */
  read(texts: readonly string[]): { readonly value: V } | { readonly mistakes: readonly Mistake[] };
}

/** What is wrong with one of the texts. */
export interface Mistake {
  readonly index: number;
  readonly message: string;
}

/** A setting that may be absent: then it is null. */
export function optional<T>(name: string, kind: Kind<T>, about: About): Option<T | null> {
  return {
    ...about,
    name,
    kind,
    arity: "one",
    commas: false,
    fallback: null,
    read: (texts) => readOne<T | null>(texts, kind, null),
  };
}

/** A setting with a default, given as text of its kind. */
export function defaulted<T>(name: string, kind: Kind<T>, fallback: string, about: About): Option<T> {
  const standard = kind.parse(fallback);
  if (!standard.ok) throw new Error(`The default of --${name} is wrong: ${standard.mistake}`);
  return {
    ...about,
    name,
    kind,
    arity: "one",
    commas: false,
    fallback,
    read: (texts) => readOne<T>(texts, kind, standard.value),
  };
}

/** A setting that may stand several times. `separator`: what sets values apart inside one text, besides line breaks. */
export function repeatable<T>(
  name: string,
  kind: Kind<T>,
  separator: "comma" | "line",
  about: About,
): Option<readonly T[]> {
  return {
    ...about,
    name,
    kind,
    arity: "many",
    commas: separator === "comma",
    fallback: null,
    read(texts) {
      const results = texts.map((text) => kind.parse(text));
      const mistakes = mistakesOf(results);
      if (mistakes.length > 0) return { mistakes };
      return { value: results.flatMap((result) => result.ok ? [result.value] : []) };
    },
  };
}

/** A setting that is on or off; off by default. */
export function toggle(name: string, about: About): Option<boolean> {
  return {
    ...about,
    name,
    kind: toggleKind,
    arity: "toggle",
    commas: false,
    fallback: null,
    read: (texts) => readOne<boolean>(texts, toggleKind, false),
  };
}

/** The flag of an option. */
export function flagOf(option: { readonly name: string }): string {
  return `--${option.name}`;
}

/** The environment variable of an option. */
export function variableOf(option: { readonly name: string }): string {
  return `WEIR_${option.name.toUpperCase().replaceAll("-", "_")}`;
}

function readOne<T>(
  texts: readonly string[],
  kind: { parse(text: string): Parsed<T> },
  standard: T,
): ReturnType<Option<T>["read"]> {
  const [text] = texts;
  if (text === undefined) return { value: standard };
  const result = kind.parse(text);
  return result.ok ? { value: result.value } : { mistakes: mistakesOf([result]) };
}

function mistakesOf(results: readonly Parsed<unknown>[]): readonly Mistake[] {
  return results.flatMap((result, index) => result.ok ? [] : [{ index, message: result.mistake }]);
}
