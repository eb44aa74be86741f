/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Arrival, type Row, turnedAway } from "../../src/core/decoder.ts";
import { createNdjsonDecoder } from "../../src/decode/ndjson.ts";
import type { NormalizerOptions } from "../../src/decode/normalizer.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { plainRules } from "../support/plain_options.ts";
import { bytesOf } from "./drain.ts";
import { names, schemas, value } from "./flat_object_arbitrary.ts";
import { numberText } from "./number_arbitrary.ts";
import { isMistake, someRules } from "./rules_arbitrary.ts";

const arrival: Arrival = { origin: "batch", wallMs: 1_700_000_000_000.5, topicFields: null };
const rowBytesMax = 400;

/** What became of the lines of a file, and how many of them went the quick way. */
interface Outcome {
  readonly lines: readonly string[];
  readonly quick: number;
}

const filtered = JSON.stringify({ kind: "filtered" });

/** Reads a file as the file source does; with `quickly`, lines are offered to the writer. */
function outcome(file: Uint8Array, changes: Partial<NormalizerOptions>, quickly: boolean): Outcome {
  const normalizer = createNormalizer({ ...plainRules, ...changes });
  const decoder = createNdjsonDecoder({ rowBytesMax }, null);
  const writer = quickly ? normalizer.lineWriter?.({ format: "ndjson" }, arrival) ?? null : null;
  const page = new Uint8Array(10_000);
  const lines: string[] = [];
  let quick = 0;
  const take = (bytes: Uint8Array, from: number, stop: number, row: number, start: number, end: number): boolean => {
    const stopAt = writer?.write(bytes, from, stop, page, 7) ?? -1;
    if (stopAt === -1) return false;
    assert.ok(stopAt <= 7 + stop - from + (writer?.extraBytes ?? 0), "it keeps within the room that it asks for");
    const said = stopAt === turnedAway ? filtered : new TextDecoder().decode(page.subarray(7, stopAt));
    lines.push(`${row} ${start}-${end} ${said}`);
    quick += 1;
    return true;
  };
  decoder.push(file);
  decoder.end();
  const rows: Row[] = [];
  while (decoder.pull(5, rows, quickly ? take : undefined) > 0) {
    for (const row of rows.splice(0)) {
      const made = row.kind === "object" ? normalizer.normalize(row, arrival) : row;
      const said = made.kind === "reading" ? made.value : JSON.stringify(made);
      if (row.kind === "object" && made.kind === "reading") writer?.learn?.(row);
      lines.push(`${row.row} ${row.start}-${row.end} ${said}`);
    }
  }
  return { lines, quick };
}

interface Case {
  readonly changes: Partial<NormalizerOptions>;
  readonly file: Uint8Array;
}

/** Lines with the same keys in the same order, but for one now and then; then some bytes of the file are changed. */
const fileCase: fc.Arbitrary<Case> = fc.tuple(
  fc.shuffledSubarray(names, { maxLength: 4 }),
  fc.constantFrom(null, null, null, null, "device_id", "value", "x"),
  fc.constantFrom([",", ":"], [", ", ": "], [" ,\t", " :  "]),
  fc.constantFrom("\n", "\r\n", " \n\n"),
).chain(([some, twice, [comma = "", colon = ""], ending]) => {
  const keys = [...new Set(["device_id", "metric", "value", ...some]), ...(twice === null ? [] : [twice])];
  const line = fc.array(value, { minLength: keys.length, maxLength: keys.length }).chain((values) =>
    fc.constantFrom(keys, keys, keys, keys.slice(1), [...keys].reverse()).map((own) =>
      `{${own.map((key, i) => `${JSON.stringify(key)}${colon}${values[i] ?? "1"}`).join(comma)}}`
    )
  );
  const usual = new Map(Object.entries({
    device_id: fc.constantFrom('"press-1"', '"d2"'),
    metric: fc.constant('"t"'),
    value: fc.integer({ min: -99, max: 299 }).map((n) => (n / 10).toFixed(2)),
    ts: fc.constantFrom("1767225600000", "1767225600", '"2026-01-31T10:11:12.345Z"'),
  }));
  const other = fc.oneof(numberText, fc.constantFrom("true", "null", '"x"', '""'));
  const good = fc.tuple(...keys.map((key) => usual.get(key) ?? other)).map((values) =>
    `{${keys.map((key, i) => `${JSON.stringify(key)}${colon}${values[i] ?? "1"}`).join(comma)}}`
  );
  return fc.record({
    changes: fc.record({
      schema: fc.constantFrom(...schemas),
      extra: fc.constantFrom("keep", "keep", "drop", "rescue", "reject"),
      aliases: fc.constantFrom({}, {}, { device_id: ["dev"] }, { other: ["7", "a b"] }),
      timeFormat: fc.constantFrom("epoch", "epoch", "epoch", "iso"),
    }),
    file: fc.tuple(
      fc.array(fc.oneof({ weight: 3, arbitrary: good }, line), { maxLength: 10 }),
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.oneof(fc.constantFrom(...'"{}[],:\\ 0-.eEtn\n\r'), fc.string({ unit: "binary" })),
          fc.nat(1),
        ),
        { maxLength: 3 },
      ),
    ).map(([lines, changes]) => {
      let text = lines.join(ending);
      for (const [at, put, taken] of changes) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + put + text.slice(place + taken);
      }
      return bytesOf(text);
    }),
  });
});

Deno.test("what is written quickly is what decoder and normalizer give, byte for byte", () => {
  let quick = 0;
  fc.assert(
    fc.property(fileCase, ({ changes, file }) => {
      const written = outcome(file, changes, true);
      assert.deepEqual(written.lines, outcome(file, changes, false).lines);
      quick += written.quick;
    }),
    { numRuns: 400 },
  );
  assert.ok(quick > 20, `${quick} lines went the quick way`);
});

Deno.test("with rules too: the same bytes, the same reasons, the same positions", () => {
  let quick = 0;
  fc.assert(
    fc.property(fileCase, someRules, (plain, rules) => {
      const changes = { ...plain.changes, ...rules };
      if (isMistake({ ...plainRules, ...changes })) return;
      const written = outcome(plain.file, changes, true);
      assert.deepEqual(written.lines, outcome(plain.file, changes, false).lines);
      quick += written.quick;
    }),
    { numRuns: 500 },
  );
  assert.ok(quick > 0, `${quick} lines went the quick way`);
});

Deno.test("a rule sees that a number is -0, which leaves as 0", () => {
  const line = (value: string) => `{"device_id":"d","metric":"m","value":${value}}`;
  const file = bytesOf(["1", "-0", "-0.00", "0", "-0.5"].map(line).join("\n"));
  const changes = { filter: "1.0 / value > 0.0" };
  const written = outcome(file, changes, true);
  assert.deepEqual(written.lines, outcome(file, changes, false).lines);
  assert.equal(written.quick, 2);
});

Deno.test("characters that are escaped for no need go the quick way, and leave as themselves", () => {
  const line = (unit: string) => `{"device_id":"d","metric":"m","value":1,"unit":"${unit}"}`;
  const units = ["\\u00b0C", "\\u00B5m\\/s", "\\u20AC", "\\u0041\\u007f\\u2028", "degC"];
  const file = bytesOf(units.map(line).join("\n"));
  const written = outcome(file, { filter: "unit != 'x'" }, true);
  assert.deepEqual(written.lines, outcome(file, { filter: "unit != 'x'" }, false).lines);
  assert.equal(written.quick, units.length - 1);
  assert.ok(written.lines[1]?.includes('"unit":"\u00b5m/s"'));
});

Deno.test("an escape that JSON does not know is an error also in a field that does not leave", () => {
  const line = (more: string) => `{"device_id":"d","metric":"m","value":1,"more":"${more}"}`;
  const file = bytesOf(["x", "\\u00b0", "\\q", "\\u00bg", "y"].map(line).join("\n"));
  const written = outcome(file, { extra: "drop" }, true);
  assert.deepEqual(written.lines, outcome(file, { extra: "drop" }, false).lines);
  assert.equal(written.quick, 2);
});

Deno.test("usual lines go the quick way once one like them was seen", () => {
  const kinds = [
    '{"ts":1767225600000,"device_id":"press-1","metric":"temperature","value":21.50,"unit":"\u00b0C"}',
    '{"ts": "2026-01-01T00:00:00.250Z", "device_id": "press-1", "metric": "on", "value": false, "site": null}',
    '{"ts":1767225600,"device_id":"a","metric":"m","value":-0.0,"n":0.30000000000000004,"x":1700000000000123}\r',
    '{"device_id":"a","metric":"m","value":null}',
  ];
  const file = bytesOf(Array.from({ length: 100 }, () => kinds).flat().join("\n"));
  const written = outcome(file, {}, true);
  assert.deepEqual(written.lines, outcome(file, {}, false).lines);
  assert.equal(written.quick, 400 - kinds.length);
});

Deno.test("what is not sure is left to the normalizer", () => {
  const first = '{"device_id":"d","metric":"m","value":1}';
  const others = [
    '{"device_id":"d","metric":"m","value":1e3}',
    '{"device_id":"d","metric":"m","value":{"a":1}}',
    '{"device_id":"d","metric":"m","value":01}',
    '{"device_id":"d","metric":"m","value":0.0000001}',
    '{"device_id":"d","metric":"m","value":1.000000000000000001}',
    '{"device_id":"d","metric":"\\u0022","value":1}',
    '{"device_id":"d","metric":"\\u005C","value":1}',
    '{"device_id":"d","metric":"\\u001f","value":1}',
    '{"device_id":"d","metric":"\\ud83d\\ude00","value":1}',
    '{"device_id":"d","metric":"\\udc00","value":1}',
    '{"device_id":"d","metric":"a\\nb","value":1}',
    '{"device_id":"d","metric":"a\\"b","value":1}',
    '{"device_id":"d","metric":"\\u00b","value":1}',
    '{"device_id":"d","metric":"\\u00bg","value":1}',
    '{"device_id":7,"metric":"m","value":1}',
    '{"device_id":"d","metric":"m","value":1}}',
    '{"device_id":"d","metric":"m","value":1,"value":2}',
  ];
  for (const other of others) {
    // Twice: it is not learned either, where its values are why.
    const file = bytesOf([first, other, other, first].join("\n"));
    const written = outcome(file, {}, true);
    assert.deepEqual(written.lines, outcome(file, {}, false).lines);
    assert.equal(written.quick, 1, other);
  }
});

Deno.test("an object that has a field by two names has no quick way: which one counts is the normalizer's business", () => {
  const line = '{"dev":"a","device_id":"b","metric":"m","value":1}';
  const file = bytesOf([line, line].join("\n"));
  const written = outcome(file, { aliases: { device_id: ["dev"] } }, true);
  assert.deepEqual(written.lines, outcome(file, { aliases: { device_id: ["dev"] } }, false).lines);
  assert.equal(written.quick, 0);
});

Deno.test("lines that are never alike are not learned for ever", () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `{"device_id":"d","metric":"m","value":1,"k${i}":1}`);
  const pairs = bytesOf(lines.flatMap((line) => [line, line]).join("\n"));
  const { quick } = outcome(pairs, {}, true);
  assert.ok(quick > 60 && quick < 400, `${quick} of 2000`);
});

Deno.test("checks of the whole reading and other rare things have no quick way", () => {
  const way = (changes: Partial<NormalizerOptions>) =>
    createNormalizer({ ...plainRules, ...changes }).lineWriter?.({ format: "ndjson" }, arrival);
  assert.notEqual(way({}), null);
  assert.notEqual(way({ filter: "value > 1.0" }), null);
  assert.equal(way({ timeFormat: "iso" }), null);
  assert.equal(way({ schema: { type: "object", additionalProperties: { type: "number" } } }), null);
});
