/**
 * Rules as an operator may write them, over some fields; what they give is often of the wrong type, or an error.
 *
 * @module
 */
import fc from "fast-check";
import { WeirError } from "../../src/core/error.ts";
import { createNormalizer, type NormalizerOptions } from "../../src/decode/normalizer.ts";

const field = fc.constantFrom("device_id", "metric", "value", "value", "ts", "unit", "ok", "origin", "processing_time");
const newField = fc.constantFrom("value", "value", "unit", "metric", "ok", "fresh", "also fresh", "gr\u00f6\u00dfe");
const literal = fc.constantFrom("1", "2.5", "-0.0", "1e3", "0.1", "'d'", "'\u00b0C'", "''", "'a\"b'", "null", "true");

const number: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("value", "value", "ts", "processing_time"),
  literal,
  fc.tuple(fc.constantFrom("value", "ts", "3", "0.1"), fc.constantFrom("+", "-", "*", "/", "%"), literal)
    .map((parts) => parts.join(" ")),
  fc.tuple(fc.constantFrom("value", "2.0"), fc.constantFrom("+", "*", "/"), fc.constantFrom("value", "7", "1.8"))
    .map(([left, sign, right]) => `(${left} ${sign} ${right}) * 1.8 + 32`),
  fc.constantFrom("-value", "double(string(value))", "int(value)", "size(device_id)", "9007199254740993"),
);
const text: fc.Arbitrary<string> = fc.oneof(
  field,
  literal,
  fc.tuple(field, literal).map(([name, other]) => `${name} + ${other}`),
  fc.constantFrom("string(value)", "'x' + string(ts)", "metric.startsWith('t') ? unit : 'none'", "[value, unit]"),
  fc.constantFrom(
    "{'a': unit}",
    "timestamp('2026-01-01T00:00:00Z')",
    `'${"long".repeat(80)}'`,
    `'${"\u20ac".repeat(250)}'`,
  ),
);
const test: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.oneof(number, field), fc.constantFrom("<", ">", "<=", ">=", "==", "!="), fc.oneof(number, literal))
    .map((parts) => parts.join(" ")),
  fc.tuple(field, fc.constantFrom("==", "!="), fc.constantFrom("null", "'d'", "1", "true")).map((parts) =>
    parts.join(" ")
  ),
  fc.constantFrom("value > 0.0", "value > 0", "device_id != ''", "true", "false", "1.0 / value > 0.0"),
  fc.constantFrom(
    "metric in ['t', 'temperature']",
    "device_id.matches('^[a-z]')",
    "fresh == null",
    "origin == 'batch'",
  ),
);

/** What seldom fails. */
const usual = [
  "value * 1.8 + 32.0",
  "device_id + '/' + metric",
  "value > 20 ? 'hot' : 'cold'",
  "unit == null ? '-' : unit",
];

/** Fields to set, and a filter; neither, one or both. */
export const someRules: fc.Arbitrary<Pick<NormalizerOptions, "sets" | "filter">> = fc.record({
  sets: fc.array(
    fc.record({
      field: newField,
      expression: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...usual) }, number, text, test),
    }),
    { maxLength: 3 },
  ),
  filter: fc.option(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.constantFrom("value > 0", "value > 5.0 && metric != 'x'", "ts == null || ok == true"),
      },
      test,
      fc.tuple(test, fc.constantFrom("&&", "||"), test).map(([left, sign, right]) => `(${left}) ${sign} !(${right})`),
    ),
  ),
});

/** Whether settings are refused at the start: an unknown name, a filter that can be no test. */
export function isMistake(options: NormalizerOptions): boolean {
  try {
    createNormalizer(options);
    return false;
  } catch (error) {
    if (error instanceof WeirError && error.code === "configuration") return true;
    throw error;
  }
}
