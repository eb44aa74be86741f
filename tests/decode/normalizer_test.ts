/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Arrival, Normalized } from "../../src/core/decoder.ts";
import { WeirError } from "../../src/core/error.ts";
import type { NormalizerOptions } from "../../src/decode/normalizer.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { plainRules } from "../support/plain_options.ts";
import { bytesOf } from "./drain.ts";

const batch: Arrival = { origin: "batch", wallMs: 1_700_000_000_000, topicFields: null };
const position = { row: 1, start: 0, end: 10 };

function cells(
  row: Readonly<Record<string, string>>,
  changes: Partial<NormalizerOptions> = {},
  arrival = batch,
): Normalized {
  const normalizer = createNormalizer({ ...plainRules, ...changes });
  return normalizer.normalize(
    { kind: "cells", ...position, header: Object.keys(row), cells: Object.values(row) },
    arrival,
  );
}

function json(text: string, changes: Partial<NormalizerOptions> = {}, arrival = batch): Normalized {
  return createNormalizer({ ...plainRules, ...changes }).normalize({
    kind: "object",
    ...position,
    object: JSON.parse(text),
    text,
  }, arrival);
}

/** The value that is sent, or what kept it from being sent. */
function outcome(normalized: Normalized): string {
  if (normalized.kind === "reading") return normalized.value;
  return normalized.kind === "misfit" ? `${normalized.reason}: ${normalized.detail}` : normalized.kind;
}

const end = '"origin":"batch","processing_time":1700000000000}';

Deno.test("one reading comes out of a CSV row and of a JSON object alike", () => {
  const fromCells = cells({
    unit: "C",
    value: "21.5",
    ts: "2026-11-23T11:12:12Z",
    device_id: "d",
    metric: "t",
    site: "7",
    ok: "true",
  });
  const fromJson = json('{"site":7,"value":21.5,"ts":1795432332,"device_id":"d","unit":"C","metric":"t","ok":true}');
  const value = `{"device_id":"d","metric":"t","value":21.5,"ts":1795432332000,"unit":"C","site":7,"ok":true,${end}`;
  assert.equal(outcome(fromCells), value);
  assert.equal(outcome(fromJson), value);
});

Deno.test("CSV text becomes what the schema or JSON's grammar says", () => {
  const value = (text: string): string => outcome(cells({ device_id: "d", metric: "m", value: text, more: text }));
  const sent = (text: string): string =>
    `{"device_id":"d","metric":"m","value":${text},"ts":1700000000000,"more":${text},${end}`;
  for (const text of ["21.50", "-0", "1e3", "true", "false", "12345678901234567890"]) {
    assert.equal(value(text), sent(text));
  }
  for (const text of ["007", "+1", "TRUE", "NaN", " 1", 'a"b\\\n\u0001', "\u20ac", "1e999"]) {
    assert.equal(value(text), sent(JSON.stringify(text)));
  }
  assert.equal(value(""), sent("null"));
  assert.equal(
    outcome(cells({ device_id: "0012", metric: "7", value: "1" })),
    `{"device_id":"0012","metric":"7","value":1,"ts":1700000000000,${end}`,
  );
});

Deno.test("JSON strings are not coerced, except times", () => {
  assert.equal(
    outcome(json('{"device_id":"d","metric":"m","value":"21.5","ts":"1700000001","x":"true"}')),
    `{"device_id":"d","metric":"m","value":"21.5","ts":1700000001000,"x":"true",${end}`,
  );
  assert.match(
    outcome(json('{"device_id":7,"metric":"m","value":1}')),
    /^wrong_type: Field "device_id" is the number 7 where string is wanted/,
  );
});

Deno.test("a declared type decides, and says what it wanted", () => {
  const schema = {
    type: "object",
    properties: {
      n: { type: "integer" },
      b: { type: "boolean" },
      o: { type: "object" },
      t: { type: "string", format: "date-time" },
      s: { enum: ["on", "off"] },
    },
  };
  assert.equal(
    outcome(
      cells({ n: " 7 ", b: "TRUE", o: '{"a":\n12345678901234567890}', t: "2026-11-23 11:12", s: "on" }, { schema }),
    ),
    `{"n":7,"b":true,"o":{"a":12345678901234567890},"t":1795432320000,"s":"on",${end}`,
  );
  assert.match(
    outcome(cells({ n: "7.5" }, { schema })),
    /wrong_type: Field "n" is the number 7.5 where an integer is wanted/,
  );
  assert.match(
    outcome(cells({ n: "x\u001b" }, { schema })),
    /wrong_type: Field "n" is text "x\\u001b" where integer is wanted/,
  );
  assert.match(outcome(cells({ b: "1" }, { schema })), /wrong_type: Field "b"/);
  assert.match(outcome(cells({ o: "[1]" }, { schema })), /wrong_type: Field "o" is an array where object/);
  assert.match(outcome(cells({ t: "soon" }, { schema })), /wrong_type: Field "t" "soon" is not a time/);
  assert.match(outcome(cells({ s: "dim" }, { schema })), /wrong_type: Field "s" is "dim", not one of "on", "off"/);
});

Deno.test("an empty or null field is absent where null is not admitted, null where it is, and missing where it is required", () => {
  assert.equal(
    outcome(json('{"device_id":"d","metric":"m","value":null,"unit":null,"x":null}')),
    `{"device_id":"d","metric":"m","value":null,"ts":1700000000000,"x":null,${end}`,
  );
  assert.equal(
    outcome(cells({ device_id: "d", metric: "m", value: "", unit: "", x: "" })),
    `{"device_id":"d","metric":"m","value":null,"ts":1700000000000,"x":null,${end}`,
  );
  assert.equal(
    outcome(cells({ device_id: "", metric: "m", value: "1" })),
    'missing_field: Required field "device_id" is empty',
  );
  assert.match(outcome(json('{"device_id":"d","metric":"m"}')), /^missing_field: Required field "value" is missing/);
});

Deno.test("a payload of several values is told how it can be read", () => {
  const detail = outcome(json('{"temp":1,"hum":2}', {}, { ...batch, topicFields: { device_id: "d" } }));
  assert.match(
    detail,
    /^missing_field: Required field "metric" is missing \(there are also "temp", "hum"\); say with --alias metric=NAME .* --schema FILE/,
  );
});

Deno.test("aliases name fields, and the field's own name wins", () => {
  const aliases = { device_id: ["dev", "deviceId"], site: ["plant"] };
  assert.equal(
    outcome(json('{"dev":"a","metric":"m","value":1,"plant":"p"}', { aliases })),
    `{"device_id":"a","metric":"m","value":1,"ts":1700000000000,"site":"p",${end}`,
  );
  assert.match(outcome(json('{"dev":"a","device_id":"b","metric":"m","value":1}', { aliases })), /"device_id":"b"/);
  assert.match(outcome(json('{"device_id":"b","dev":"a","metric":"m","value":1}', { aliases })), /"device_id":"b"/);
  assert.match(outcome(cells({ deviceId: "a", metric: "m", value: "1" }, { aliases })), /"device_id":"a"/);
  for (const wrong of [{ device_id: ["metric"] }, { origin: ["o"] }, { a: ["x"], b: ["x"] }]) {
    assert.throws(
      () => createNormalizer({ ...plainRules, aliases: wrong }),
      (error) => error instanceof WeirError && error.code === "configuration",
    );
  }
});

Deno.test("fields from the topic win over the payload's and are read as text", () => {
  const arrival: Arrival = {
    origin: "real_time",
    wallMs: 1,
    topicFields: { device_id: "007", metric: "m", line: "3", dev: "x" },
  };
  const aliases = { device_id: ["dev2"] };
  assert.equal(
    outcome(json('{"device_id":"p","dev2":"q","value":1,"line":"4","dev":2}', { aliases }, arrival)),
    '{"device_id":"007","metric":"m","value":1,"ts":1,"line":3,"dev":"x","origin":"real_time","processing_time":1}',
  );
});

Deno.test("extra fields are kept, dropped, rescued or rejected", () => {
  const text = '{"device_id":"d","metric":"m","value":1,"x":[1,{"y":2}],"origin":"me","processing_time":0}';
  const begin = '{"device_id":"d","metric":"m","value":1,"ts":1700000000000,';
  assert.equal(outcome(json(text)), `${begin}"x":[1,{"y":2}],${end}`);
  assert.equal(outcome(json(text, { extra: "drop" })), begin + end);
  assert.equal(outcome(json(text, { extra: "rescue" })), `${begin}"_rescued":{"x":[1,{"y":2}]},${end}`);
  assert.equal(
    outcome(json(text, { extra: "reject" })),
    'extra_field: Field "x" is not in the schema, and --extra reject is in force',
  );
  const closed = { type: "object", properties: { a: {} }, additionalProperties: false };
  assert.match(outcome(json('{"a":1,"b":2}', { schema: closed })), /^extra_field/);
  assert.equal(outcome(json('{"a":1,"b":2}', { schema: closed, extra: "drop" })), `{"a":1,${end}`);
  const typed = { type: "object", additionalProperties: { type: "number" } };
  assert.match(outcome(json('{"b":"x"}', { schema: typed })), /^wrong_type: Field "b" does not fit/);
});

Deno.test("origin and processing_time are ours whatever the input says", () => {
  const reading = cells({ device_id: "d", metric: "m", value: "1", origin: "real_time", processing_time: "1" });
  assert.ok(reading.kind === "reading" && reading.value.endsWith(`"ts":1700000000000,${end}`));
  assert.equal(reading.fields["origin"], "batch");
  assert.equal(reading.fields["processing_time"], 1_700_000_000_000);
  const schema = { type: "object", properties: { origin: { type: "string" } }, required: ["origin"] };
  assert.equal(outcome(json('{"origin":"x"}', { schema })), `{${end}`);
});

Deno.test("__proto__ and constructor are fields like any other", () => {
  const reading = json(
    '{"device_id":"d","metric":"m","value":1,"__proto__":{"value":2},"constructor":"c","toString":"t"}',
  );
  assert.ok(reading.kind === "reading");
  assert.deepEqual(Object.keys(reading.fields).slice(4, 7), ["__proto__", "constructor", "toString"]);
  assert.equal(JSON.stringify(JSON.parse(reading.value).constructor), '"c"');
  assert.equal(reading.fields["value"], 1);
  assert.equal(reading.fields["hasOwnProperty"], undefined);
  assert.match(outcome(json('{"__proto__":{"device_id":"d","metric":"m","value":1}}')), /^missing_field/);
});

Deno.test("a number that cannot be reckoned with is mistyped", () => {
  assert.match(
    outcome(json('{"device_id":"d","metric":"m","value":1e400}')),
    /^wrong_type: Field "value" is the number/,
  );
});

Deno.test("a header is refused when a required column is missing or a column stands twice", () => {
  const { checkHeader } = createNormalizer({ ...plainRules, aliases: { device_id: ["dev"] } });
  const refusal = (header: readonly string[]): string => {
    try {
      checkHeader(header);
      return "";
    } catch (error) {
      assert.ok(error instanceof WeirError && error.code === "bad_file");
      return error.message;
    }
  };
  assert.equal(refusal(["dev", "metric", "value", "", ""]), "");
  assert.equal(
    refusal(["a", "value"]),
    'The header lacks the required "device_id", "metric"; its columns are "a", "value"',
  );
  assert.equal(
    refusal(["device_id", "metric", "value", "dev"]),
    'The columns "device_id" and "dev" both mean the field "device_id"',
  );
  assert.equal(refusal(["device_id", "metric", "value", "x", "x"]), 'The column "x" stands twice in the header');
  const strict = createNormalizer({ ...plainRules, extra: "reject" });
  assert.throws(() => strict.checkHeader(["device_id", "metric", "value", "x"]), /column "x" is not in the schema/);
});

Deno.test("a normalizer carries nothing from one row to the next", () => {
  const normalizer = createNormalizer(plainRules);
  const object = (text: string): string =>
    outcome(normalizer.normalize({ kind: "object", ...position, object: JSON.parse(text), text }, batch));
  const first = object('{"device_id":"d","metric":"m","value":1,"unit":"C","x":1}');
  assert.match(object('{"x":1}'), /^missing_field/);
  assert.equal(
    object('{"device_id":"d","metric":"m","value":2}'),
    `{"device_id":"d","metric":"m","value":2,"ts":1700000000000,${end}`,
  );
  assert.equal(object('{"device_id":"d","metric":"m","value":1,"unit":"C","x":1}'), first);
});

Deno.test("what is sent is JSON, says what the fields say, and is as long as it says", () => {
  const field = fc.oneof({ weight: 1, arbitrary: fc.constantFrom("unit", "_rescued", "__proto__", "ts") }, {
    weight: 4,
    arbitrary: fc.string(),
  });
  fc.assert(
    fc.property(
      fc.dictionary(field, fc.jsonValue({ maxDepth: 2 })),
      fc.constantFrom("keep", "drop", "rescue"),
      fc.string({ unit: "binary" }),
      fc.constantFrom("epoch", "iso"),
      (extra, mode, text, timeFormat) => {
        const source = JSON.stringify({
          ...extra,
          device_id: text,
          metric: "m",
          value: text,
          unit: text,
          ts: 1_700_000_000.5,
        });
        const reading = json(source, { extra: mode, timeFormat });
        assert.ok(reading.kind === "reading", outcome(reading));
        const parsed: unknown = JSON.parse(reading.value);
        assert.deepEqual(parsed, JSON.parse(JSON.stringify(reading.fields)));
        assert.equal(reading.bytes, bytesOf(reading.value).length);
        assert.ok(!reading.value.includes("\n"));
      },
    ),
    { numRuns: 500 },
  );
});
