/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Arrival, type Normalized, turnedAway } from "../../src/core/decoder.ts";
import type { NormalizerOptions } from "../../src/decode/normalizer.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { plainRules } from "../support/plain_options.ts";
import { bytesOf } from "./drain.ts";
import { rowSchemas } from "./row_schemas.ts";
import { isMistake, someRules } from "./rules_arbitrary.ts";

const arrival: Arrival = { origin: "batch", wallMs: 1_700_000_000_000.5, topicFields: null };

const schemas = [null, ...rowSchemas];

const cell = fc.oneof(
  fc.constantFrom(
    "",
    "d",
    "press-1",
    "t",
    "temperature",
    "degC",
    "true",
    "false",
    "TRUE",
    "null",
    "x",
    "C:\\x",
    "a b",
    "\u00b0C",
  ),
  fc.constantFrom("\ufeffd", "\ufeff", "\u00a07", "\u2028", "\u007f", "\ud83d\ude00"),
  fc.constantFrom("0", "-0", "1.0", "007", "1e3", "1e999", "2E-7", "-", ".5", "5.", " 1", "1 ", "1".repeat(301), "+1"),
  fc.constantFrom("1767225600000", "1767225600", "99999999999", "100000000000", "99999999999999", "100000000000000"),
  fc.constantFrom("2026-01-31", "2026-01-31T10:11:12Z", "2026-02-31T10:11:12Z", "2026-01-31T10:11:12.345Z"),
  fc.constantFrom("2026-01-31 10:11:12", "2026-01-31T23:59:60Z", "2026-01-31T24:00:00Z", "1969-12-31T23:59:59.999Z"),
  fc.integer().map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => value.toFixed(3)),
  fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.string({ unit: "binary-ascii", maxLength: 6 }).map((text) => text.replace(/["\r\n;]/g, "")),
);
const names = [
  "device_id",
  "metric",
  "value",
  "ts",
  "unit",
  "ok",
  "on",
  "n",
  "limit",
  "yes",
  "dev",
  "gr\u00f6\u00dfe",
  "__proto__",
  "origin",
  "",
];

interface Case {
  readonly changes: Partial<NormalizerOptions>;
  readonly header: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

const lineCase: fc.Arbitrary<Case> = fc.tuple(fc.constantFrom(...schemas), fc.shuffledSubarray(names, { minLength: 2 }))
  .chain(([schema, header]) =>
    fc.record({
      changes: fc.record({
        schema: fc.constant(schema),
        extra: fc.constantFrom("keep", "drop", "rescue", "reject"),
        aliases: fc.constantFrom({}, header.includes("device_id") ? {} : { device_id: ["dev"] }),
        timeFormat: fc.constantFrom("epoch", "epoch", "iso"),
        timeZone: fc.constantFrom("UTC", "Europe/Berlin"),
      }),
      header: fc.constant(header),
      lines: fc.array(fc.array(cell, { minLength: header.length, maxLength: header.length }), { maxLength: 8 }),
    })
  );

/** What the normalizer makes of each line. */
function normalized({ changes, header, lines }: Case): readonly Normalized[] {
  const normalizer = createNormalizer({ ...plainRules, ...changes });
  return lines.map((cells) =>
    normalizer.normalize({ kind: "cells", row: 1, start: 0, end: 1, header, cells }, arrival)
  );
}

const filtered = "filtered";

/** What the writer makes of a line that stands somewhere in a page; null where it gives up, or where there is no writer. */
function written({ changes, header, lines }: Case): readonly (string | null)[] {
  const writer =
    createNormalizer({ ...plainRules, ...changes }).lineWriter?.({ format: "csv", header, delimiter: ";" }, arrival) ??
      null;
  const page = new Uint8Array(10_000);
  return lines.map((cells) => {
    const line = bytesOf(`..${cells.join(";")}\r\n`);
    const end = writer?.write(line, 2, line.length - 2, page, 7) ?? -1;
    if (end === turnedAway) return filtered;
    assert.ok(end <= 7 + line.length - 4 + (writer?.extraBytes ?? 0), "it keeps within the room that it asks for");
    return end < 0 ? null : new TextDecoder().decode(page.subarray(7, end));
  });
}

/** Cells that most schemas take. */
const usual: Readonly<Record<string, fc.Arbitrary<string>>> = {
  device_id: fc.constantFrom("press-1", "d2"),
  metric: fc.constantFrom("t", "temperature"),
  value: fc.integer({ min: -99, max: 299 }).map((n) => n % 10 === 0 ? String(n / 10) : (n / 10).toFixed(2)),
  ts: fc.constantFrom("1767225600000", "1767225600", "2026-01-31T10:11:12.345Z", ""),
  unit: fc.constantFrom("degC", "\u00b0C", ""),
  ok: fc.constantFrom("true", "false"),
};

/** Lines of which most are good. */
const goodCase: fc.Arbitrary<Case> = fc.shuffledSubarray(["ts", "unit", "ok", "dev2", "origin"]).chain((more) => {
  const header = ["device_id", "metric", "value", ...more];
  const good = fc.tuple(...header.map((name) => usual[name] ?? fc.constantFrom("", "7", "x")));
  const odd = fc.array(cell, { minLength: header.length, maxLength: header.length });
  return fc.record({
    changes: fc.record({
      schema: fc.constantFrom(null, null, schemas[1]),
      extra: fc.constantFrom("keep", "keep", "drop"),
      aliases: fc.constantFrom({}, { fresh: ["dev2"] }),
    }),
    header: fc.constant(header),
    lines: fc.array(fc.oneof({ weight: 4, arbitrary: good }, odd), { minLength: 1, maxLength: 8 }),
  });
});

/** The same of the normalizer: of what is no reading, its kind. */
function said(made: Normalized | undefined): string | undefined {
  return made?.kind === "reading" ? made.value : made?.kind;
}

Deno.test("what is written quickly is what the normalizer gives, byte for byte", () => {
  fc.assert(
    fc.property(lineCase, (one) => {
      const slow = normalized(one);
      written(one).forEach((text, i) => {
        if (text !== null) assert.equal(text, said(slow[i]));
      });
    }),
    { numRuns: 400 },
  );
});

Deno.test("with rules too: the same bytes, the same are filtered, and none is written that fails", () => {
  let quick = 0;
  let turned = 0;
  fc.assert(
    fc.property(fc.oneof(lineCase, goodCase), someRules, (plain, rules) => {
      const one = { ...plain, changes: { ...plain.changes, ...rules } };
      if (isMistake({ ...plainRules, ...one.changes })) return;
      const slow = normalized(one);
      written(one).forEach((text, i) => {
        if (text !== null) assert.equal(text, said(slow[i]));
        if (text === filtered) turned += 1;
        else if (text !== null) quick += 1;
      });
    }),
    { numRuns: 500 },
  );
  assert.ok(quick > 0 && turned > 0, `${quick} lines and ${turned} filtered ones went the quick way`);
});

Deno.test("usual lines are written quickly", () => {
  const header = ["ts", "device_id", "metric", "value", "unit", "site", "ok"];
  const lines = [
    ["1767225600000", "press-1", "temperature", "21.50", "degC", "7", "true"],
    ["2026-01-01T00:00:00Z", "press-1", "state", "running", "", "", "x y"],
    ["2026-01-01T00:00:00.250Z", "press-1", "on", "false", "", "2026-01-01", "-1"],
    ["", "press-1", "m", "", "u", "1.5", "1"],
  ];
  assert.deepEqual(
    written({ changes: {}, header, lines }),
    normalized({ changes: {}, header, lines }).map((made) => made.kind === "reading" ? made.value : made),
  );
  const [schema] = schemas.slice(1);
  const checked = { changes: { schema }, header, lines: [["1767225600000", "press-1", "t", "21.5", "u", "1", "1"]] };
  assert.ok(written(checked)[0]?.includes('"value":21.5,'));
});

Deno.test("usual rules go the quick way", () => {
  const header = ["device_id", "metric", "value", "ts", "unit"];
  const lines = [
    ["press-1", "t", "21.5", "1767225600000", "degC"],
    ["press-2", "t", "-3", "1767225600000", "degC"],
    ["press-2", "t", "100", "1767225600", ""],
  ];
  const changes = {
    sets: [
      { field: "value", expression: "value * 1.8 + 32.0" },
      { field: "unit", expression: "unit == 'degC' ? '\u00b0F' : unit" },
      { field: "line", expression: "device_id.endsWith('2') ? 2 : 1" },
    ],
    filter: "value > 32 && origin == 'batch'",
  };
  const tail = '"origin":"batch","processing_time":1700000000000}';
  assert.deepEqual(written({ changes, header, lines }), [
    `{"device_id":"press-1","metric":"t","value":70.7,"ts":1767225600000,"unit":"\u00b0F","line":1,${tail}`,
    filtered,
    `{"device_id":"press-2","metric":"t","value":212,"ts":1767225600000,"unit":null,"line":2,${tail}`,
  ]);
});

Deno.test("what rules cannot do is left to the normalizer, which says why", () => {
  const way = (line: readonly string[], changes: Partial<NormalizerOptions>) =>
    written({ changes, header: ["device_id", "metric", "value"], lines: [line] })[0];
  assert.equal(way(["d", "m", "x"], { filter: "value > 1" }), null);
  assert.equal(way(["d", "m", "1"], { filter: "value" }), null);
  assert.equal(way(["d", "m", "0"], { sets: [{ field: "value", expression: "1.0 / value" }] }), null);
  const long = { sets: [{ field: "n", expression: `'${"x".repeat(300)}'` }] };
  assert.equal(way(["d", "m", "1"], long), null);
});

Deno.test("checks of the whole reading and other rare things have no quick way", () => {
  const way = (changes: Partial<NormalizerOptions>) =>
    createNormalizer({ ...plainRules, ...changes }).lineWriter?.({
      format: "csv",
      header: ["device_id", "metric", "value", "x"],
      delimiter: ",",
    }, arrival);
  assert.notEqual(way({}), null);
  assert.notEqual(way({ filter: "value > 1.0" }), null);
  assert.equal(way({ extra: "rescue" }), null);
  assert.equal(way({ schema: { type: "object", additionalProperties: { type: "number" } } }), null);
  assert.equal(way({ schema: { type: "object", maxProperties: 3 } }), null);
});

Deno.test("bounds and constants keep neither an empty cell, nor a boolean, nor a long number from the quick way", () => {
  const changes = { schema: schemas[2] };
  const lines = [["", "true"], ["12345678901234567890.5", "true"], ["-123456789012345678901", "true"], ["1", "false"]];
  const texts = written({ changes, header: ["limit", "yes"], lines });
  assert.deepEqual(texts.map((text) => text?.slice(0, text.indexOf(',"ts"')) ?? null), [
    '{"limit":null,"yes":true',
    '{"limit":12345678901234567890.5,"yes":true',
    null,
    null,
  ]);
});

Deno.test("lines of another number of cells, and bytes that JSON escapes, are left to the normalizer", () => {
  const lines = [["d", "m"], ["d", "m", "1", "2"], ["d", "m\\", "1"], ["d", "m\u0001", "1"]];
  const texts = written({ changes: {}, header: ["device_id", "metric", "value"], lines });
  assert.deepEqual(texts, lines.map(() => null));
});
