/**
 * The operator's rules in CEL (the Common Expression Language, https://cel.dev): fields to set, then the filter. The only file that knows
 * the CEL library.
 *
 * All of CEL's standard functions and macros are there, and arithmetic that mixes whole and decimal numbers (`value * 2`, `value / 10`),
 * which plain CEL refuses: numbers in JSON are doubles and numbers in an expression are ints. A field that a reading lacks is null.
 *
 * @module
 */
import { Environment, EvaluationError, ParseError, TypeError as CelTypeError } from "@marcbachmann/cel-js";
import { messageOf, WeirError } from "../core/error.ts";
import type { Fields } from "../core/reading.ts";
import { isSlowPattern, patternLiterals, slowPatternAdvice } from "./slow_pattern.ts";
import { printable, quoted } from "../core/text.ts";
import { jsonString } from "./coerce.ts";
import { isRawNumber } from "./digits.ts";
import { reservedNames } from "./field_names.ts";

/** One `--set FIELD=EXPR`. */
export interface RuleSetting {
  readonly field: string;
  readonly expression: string;
}

/** The rules and the names that they may use. */
export interface RulesOptions {
  /** In the order in which they are carried out; each sees what those before it set. */
  readonly sets: readonly RuleSetting[];
  /** True for readings to forward; null for all. */
  readonly filter: string | null;
  /** Names of fields that are known at the start. */
  readonly names: readonly string[];
  /** Whether readings may have other fields too. If not, an unknown name in an expression is a mistake. */
  readonly open: boolean;
}

/** Takes the new value of a field and its JSON. */
export type SetField = (name: string, value: unknown, json: string) => void;

/** What the rules make of a reading. */
export type RuleResult = "kept" | "filtered" | { readonly problem: string };

/** Compiled rules. */
export interface Rules {
  /** Names of the fields that the expressions read. */
  readonly used: readonly string[];
  /** Names of the fields that are set, in the order in which that happens; one may stand there twice. */
  readonly targets: readonly string[];
  /** Carries them out. `set` must put the value into `fields` as well. */
  apply(fields: Fields, set: SetField): RuleResult;
  /**
   * The same for who keeps the values of the {@linkcode Rules.used} fields himself: numbers, strings, booleans, and null for a field that is
   * absent. What is set is put into `values` as well.
   */
  decide(values: Record<string, unknown>, set: SetField): RuleResult;
}

/**
 * Compiles rules; null when there are none.
 *
 * @throws {WeirError} `configuration` naming the expression, the place in it and the nearest name that exists
 */
export function createRules(options: RulesOptions): Rules | null {
  if (options.sets.length === 0 && options.filter === null) return null;
  const names = new Set([...options.names, ...reservedNames, ...options.sets.map((set) => set.field)]);
  const sets = options.sets.map(({ field, expression }) => {
    const label = `--set ${printable(field, 40)}`;
    if (reservedNames.has(field)) {
      throw new WeirError("configuration", `${label} cannot be: the field is set by Weir itself`, {
        advice: "Set another field",
      });
    }
    return { field, ...compile(label, expression, names, options.open) };
  });
  const filter = options.filter === null ? null : compile("--filter", options.filter, names, options.open);
  if (filter !== null && filter.type !== "bool" && filter.type !== "dyn") {
    throw new WeirError(
      "configuration",
      `--filter ${quoted(filter.expression)} gives ${filter.type}, not true or false`,
      {
        advice: "Compare with something: value > 0",
      },
    );
  }

  const compiled: readonly Compiled[] = filter === null ? sets : [...sets, filter];
  const used = [...new Set(compiled.flatMap((rule) => rule.used))];
  const targets = sets.map((rule) => rule.field);
  /** What the expressions see of a reading; reused, as they keep nothing of it. */
  const context: Record<string, unknown> = Object.fromEntries(used.map((name) => [name, null]));

  const decide = (values: Record<string, unknown>, set: SetField): RuleResult => {
    for (const rule of sets) {
      let written: Written;
      try {
        written = toJson(rule.evaluate(values));
      } catch (error) {
        return failed(rule, values, error);
      }
      if (used.includes(rule.field)) values[rule.field] = toCel(written.value);
      set(rule.field, written.value, written.json);
    }
    if (filter === null) return "kept";
    try {
      const verdict = filter.evaluate(values);
      if (typeof verdict === "boolean") return verdict ? "kept" : "filtered";
      return {
        problem: `--filter ${quoted(filter.expression)} gave ${printable(String(verdict), 40)}, not true or false`,
      };
    } catch (error) {
      return failed(filter, values, error);
    }
  };

  return {
    used,
    targets,
    apply(fields, set) {
      for (const name of used) context[name] = toCel(fields[name]);
      return decide(context, set);
    },
    decide,
  };
}

interface Compiled {
  readonly label: string;
  readonly expression: string;
  /** Names of fields that the expression may read: only these are converted. */
  readonly used: readonly string[];
  /** The type it gives as far as that is known: `bool`, `dyn`. */
  readonly type: string;
  readonly evaluate: (context: Record<string, unknown>) => unknown;
}

/** CEL's reserved words: no variable may have such a name. */
const reservedWords: ReadonlySet<string> = new Set(
  ("as break const continue else false for function if import in let loop namespace null package return true var void while " +
    "__proto__").split(" "),
);

/** Names an expression may use that are no field yet; far more than anybody writes. */
const unknownNamesMax = 64;

function compile(label: string, expression: string, names: ReadonlySet<string>, open: boolean): Compiled {
  const used = [...names].filter((name) =>
    /^[A-Za-z_]\w*$/.test(name) && !reservedWords.has(name) && new RegExp(`\\b${name}\\b`).test(expression)
  );
  for (let i = 0; i <= unknownNamesMax; i++) {
    const environment = createEnvironment(used);
    const checked = environment.check(expression);
    if (checked.valid) {
      checkPatterns(label, expression, environment);
      return { label, expression, used, type: checked.type ?? "dyn", evaluate: environment.parse(expression) };
    }
    const unknown = /^Unknown variable: (\w+)$/.exec(problemOf(checked.error))?.[1];
    if (unknown === undefined || !open || used.includes(unknown) || reservedWords.has(unknown)) {
      throw mistake(label, expression, checked.error, names);
    }
    used.push(unknown);
  }
  throw new WeirError(
    "configuration",
    `${label} ${quoted(expression)} uses more than ${unknownNamesMax} unknown names`,
  );
}

/** A value must not be able to choose a pattern, nor to make one run for ever. */
function checkPatterns(label: string, expression: string, environment: Environment): void {
  for (const literal of patternLiterals(expression)) {
    if (literal === null) {
      throw new WeirError(
        "configuration",
        `${label} ${quoted(expression)}: matches() is given a pattern that is not written out`,
        {
          advice: "Write the pattern in quotes: what comes in must not choose it",
        },
      );
    }
    const pattern: unknown = environment.parse(literal)({});
    if (typeof pattern === "string" && isSlowPattern(pattern)) {
      throw new WeirError(
        "configuration",
        `${label}: the pattern ${quoted(pattern)} could run for ever on a hostile value`,
        {
          advice: slowPatternAdvice,
        },
      );
    }
  }
}

function createEnvironment(variables: readonly string[]): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
    "+": (a, b) => a + b,
    "-": (a, b) => a - b,
    "*": (a, b) => a * b,
    "/": (a, b) => a / b,
    "%": (a, b) => a % b,
  };
  for (const [sign, reckon] of Object.entries(operators)) {
    environment.registerOperator(`double ${sign} int: double`, (a: number, b: bigint) => reckon(a, Number(b)));
    environment.registerOperator(`int ${sign} double: double`, (a: bigint, b: number) => reckon(Number(a), b));
  }
  environment.registerOperator("double % double: double", (a: number, b: number) => a % b);
  for (const name of variables) environment.registerVariable(name, "dyn");
  return environment;
}

/** A JSON value as CEL sees it. Recursion is bounded: what comes in is nested no deeper than the decoders admit. */
function toCel(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  if (isRawNumber(value)) return Number(value.rawJSON);
  if (Array.isArray(value)) return value.map(toCel);
  return new Map(Object.entries(value).map(([key, one]) => [key, toCel(one)]));
}

interface Written {
  readonly value: unknown;
  readonly json: string;
}

/** What an expression gave, as JSON. */
function toJson(value: unknown): Written {
  switch (typeof value) {
    case "string":
      return { value, json: jsonString(value) };
    case "boolean":
      return { value, json: String(value) };
    case "bigint":
      return { value: Number(value), json: String(value) };
    case "number":
      if (!Number.isFinite(value)) throw new RangeError(`The result is ${value}, which JSON cannot hold`);
      return { value, json: String(value) };
    case "object":
      if (value === null) return { value: null, json: "null" };
      if (Array.isArray(value)) {
        const parts = value.map(toJson);
        return { value: parts.map((part) => part.value), json: `[${parts.map((part) => part.json).join(",")}]` };
      }
      if (value instanceof Date) return { value: value.toISOString(), json: JSON.stringify(value) };
      if (value instanceof Map || Object.getPrototypeOf(value) === Object.prototype) return objectToJson(value);
  }
  throw new RangeError(`The result is of a kind that JSON cannot hold; convert it with string() or double()`);
}

function objectToJson(value: object): Written {
  const entries: readonly (readonly [unknown, unknown])[] = value instanceof Map ? [...value] : Object.entries(value);
  const parts = entries.map(([key, one]) => [String(key), toJson(one)] as const);
  return {
    value: Object.fromEntries(parts.map(([key, part]) => [key, part.value])),
    json: `{${parts.map(([key, part]) => `${jsonString(key)}:${part.json}`).join(",")}}`,
  };
}

function failed(rule: Compiled, values: Readonly<Record<string, unknown>>, error: unknown): RuleResult {
  // Whatever the library throws on a value it did not expect is this reading's misfortune and must not stop the others.
  const empty = rule.used.filter((name) => values[name] === null).map((name) => quoted(name, 40));
  const hint = empty.length === 0
    ? ""
    : `; ${empty.join(", ")} ${empty.length === 1 ? "is" : "are"} absent or null here`;
  return { problem: `${rule.label} ${quoted(rule.expression)} failed: ${printable(problemOf(error), 160)}${hint}` };
}

type CelError = EvaluationError | ParseError | CelTypeError;

function isCelError(error: unknown): error is CelError {
  return error instanceof EvaluationError || error instanceof ParseError || error instanceof CelTypeError;
}

/** The library's message without its drawing of the source line. */
function problemOf(error: unknown): string {
  return isCelError(error) ? error.summary : messageOf(error);
}

function mistake(label: string, expression: string, error: unknown, names: ReadonlySet<string>): WeirError {
  const problem = problemOf(error);
  const at = isCelError(error) && error.range !== undefined ? ` at character ${error.range.start + 1}` : "";
  const word = /(?:Unknown variable: |overload for ')(?:[\w<>, ]+\.)?(\w+)/.exec(problem)?.[1];
  const near = word === undefined ? null : nearest(word, [...names, ...standardFunctions]);
  return new WeirError("configuration", `${label} ${quoted(expression)} is wrong${at}: ${printable(problem)}`, {
    advice: near === null ? "Expressions are written in CEL: https://cel.dev" : `Is ${quoted(near)} meant?`,
  });
}

/** Names of functions, for suggestions. */
const standardFunctions =
  ("size contains startsWith endsWith matches lowerAscii upperAscii trim split substring indexOf join int uint " +
    "double string bool bytes timestamp duration type has all exists exists_one map filter").split(" ");

/** The name that is at most two edits away (one from a short word), or null. */
function nearest(word: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = word.length > 3 ? 3 : 2;
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
