/**
 * Flat objects for the quick ways: what their schemas, names and values may be.
 *
 * @module
 */
import fc from "fast-check";
import { numberText } from "./number_arbitrary.ts";
import { rowSchemas } from "./row_schemas.ts";

/** Schemas that ask for much, and none. */
export const schemas = [null, null, ...rowSchemas];

/** A value of an object as JSON, now and then not quite. */
export const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: numberText },
  fc.constantFrom(
    "0",
    "-0",
    "-0.0",
    "0.0",
    "1.0",
    "21.50",
    "100",
    "1e3",
    "1e999",
    "0.000001",
    "0.0000001",
    "-0.00000120",
  ),
  fc.constantFrom(
    "9007199254740993",
    "0.1000000000000000055",
    "123456789012345",
    "1234567890123456",
    "1.00000000000000001",
  ),
  fc.constantFrom("true", "false", "null", "{}", "[1]", "01", "+1", "tru", "nul", "NaN", ""),
  fc.constantFrom("1767225600000", "1767225600", "99999999999", "100000000000", "99999999999999", "1767225600.5"),
  fc.constantFrom('"2026-01-31"', '"2026-01-31T10:11:12Z"', '"2026-02-31T10:11:12Z"', '"2026-01-31T10:11:12.345Z"'),
  fc.constantFrom('"1767225600"', '"1767225600000"', '""', '"d"', '"t"', '"x"', '"temperature"', '"5"', '"\\u00b0C"'),
  fc.constantFrom(
    '"\\u00B0C"',
    '"a\\/b"',
    '"\\u20ac\\u0041"',
    '"\\u2028"',
    '"\\\\"',
    '"\\u000a"',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\\u00bg"',
    '"\\q"',
  ),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.integer().map((n) => (n / 1000).toFixed(3)),
  fc.string({ unit: "grapheme", maxLength: 6 }).map((text) => JSON.stringify(text)),
);
/** Names of fields, the odd ones among them. */
export const names = [
  "device_id",
  "metric",
  "value",
  "ts",
  "unit",
  "ok",
  "on",
  "n",
  "dev",
  "gr\u00f6\u00dfe",
  "__proto__",
]
  .concat("constructor", "origin", "processing_time", "", "7", "a b");
