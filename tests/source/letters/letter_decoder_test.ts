import assert from "node:assert/strict";
import type { DeadLetter } from "../../../src/core/reading.ts";
import { createNormalizer } from "../../../src/decode/normalizer.ts";
import { createOpenDecoder } from "../../../src/decode/open_decoder.ts";
import { createPayloadDecoder } from "../../../src/decode/payload.ts";
import { createLetterDecoder } from "../../../src/source/letters/letter_decoder.ts";
import { parseTopicTemplate } from "../../../src/source/mqtt/topic_template.ts";
import { plainFormats, plainRules } from "../../support/plain_options.ts";
import { letter } from "../../support/ledger_values.ts";

const rowBytesMax = 1024;
const template = parseTopicTemplate("plant/{device_id}/{metric}");

const decode = createLetterDecoder({
  openDecoder: createOpenDecoder({ ...plainFormats, rowBytesMax }),
  decodePayload: createPayloadDecoder({ payloadBytesMax: rowBytesMax }),
  normalizer: createNormalizer({ ...plainRules, aliases: { device_id: ["dev"] }, filter: 'metric != "secret"' }),
  topicFields: (topic) => template.match(topic),
});

/** What the letter becomes: the fields that count, `filtered`, or why not. */
function tried(raw: string, otherwise: Partial<DeadLetter>): unknown {
  const stored = {
    ...letter("gw/f/70", { raw: new TextEncoder().encode(raw), ...otherwise }),
    number: 1,
    storedAtMs: 0,
    tries: 0,
  };
  const item = decode(stored, { origin: stored.origin, source: stored.source, settle() {} }, 5_000, 90_000);
  if (item.kind === "filtered") return "filtered";
  if (item.kind === "misfit") {
    const { reason: _reason, detail: _detail, ...same } = item.letter;
    const { reason: _r, detail: _d, number: _number, storedAtMs: _storedAtMs, tries: _tries, ...before } = stored;
    assert.deepEqual(same, before, "all but the reason and its words stays");
    return item.letter.reason;
  }
  assert.deepEqual([item.id, item.row, item.byte], ["gw/f/70", stored.row ?? 0, stored.byte ?? -1]);
  assert.equal(item.arrivedMs, 5_000 - 90_000 + stored.arrivedAtMs);
  const { device_id, metric, value, ts, origin } = JSON.parse(item.value);
  return [device_id, metric, value, ts, origin];
}

const header = ["dev", "metric", "value"];
const now = 1_000;

Deno.test("a CSV row is read with its own header and delimiter", () => {
  assert.deepEqual(tried("a,m,1\n", { header, delimiter: "," }), ["a", "m", 1, now, "batch"]);
  assert.deepEqual(tried('"a;1";m;x,5;z\r\n', { header: [...header, "n"], delimiter: ";" }), [
    "a;1",
    "m",
    "x,5",
    now,
    "batch",
  ]);
  assert.equal(tried("a,m,1\n", { header, delimiter: ";" }), "bad_csv");
});

Deno.test("a CSV row whose delimiter is not known is read with the one that fits the header", () => {
  assert.deepEqual(tried("a\tm\t1", { header }), ["a", "m", 1, now, "batch"]);
  assert.equal(tried("ragged\n", { header }), "bad_csv");
});

Deno.test("what was wrong and is not mended fails again, with the reason of now", () => {
  assert.equal(tried(",m,1\n", { header, delimiter: ",", reason: "bad_csv" }), "missing_field");
  assert.equal(tried("a,1\n", { header: ["dev", "value"], delimiter: "," }), "bad_csv");
  assert.equal(tried("a,secret,1\n", { header, delimiter: "," }), "filtered");
});

Deno.test("a row of which only the beginning was kept never passes for the whole", () => {
  assert.equal(tried("a,m,1", { header, delimiter: ",", reason: "too_long" }), "too_long");
});

Deno.test("JSON of files is read as it stands, also over several lines", () => {
  const text = '{"dev":"a",\n"metric":"m","value":2}';
  const json = { header: null, reason: "missing_field" } as const;
  assert.deepEqual(tried(text, { ...json, decoder: "json" }), ["a", "m", 2, now, "batch"]);
  assert.deepEqual(tried(`${text.replace("\n", "")}\n`, { ...json, decoder: "ndjson" }), ["a", "m", 2, now, "batch"]);
  assert.equal(tried("{oops", { ...json, decoder: "json" }), "bad_json");
  assert.equal(tried('{"dev":"a"} {"dev":"b"}', { ...json, decoder: "json", reason: "wrong_type" }), "wrong_type");
});

const payload = {
  origin: "real_time",
  source: "plant/p1/temp",
  decoder: "payload",
  header: null,
  row: 0,
  byte: null,
} as const;

Deno.test("a payload gets the fields of its topic, by the templates of now", () => {
  assert.deepEqual(tried("21.5", payload), ["p1", "temp", 21.5, now, "real_time"]);
  assert.equal(tried("21.5", { ...payload, source: "elsewhere" }), "topic_mismatch");
  assert.deepEqual(tried("7", { ...payload, row: null, reason: "topic_mismatch" }), [
    "p1",
    "temp",
    7,
    now,
    "real_time",
  ]);
});

Deno.test("of an array only the element that failed comes again", () => {
  assert.deepEqual(tried('{"value":3}', { ...payload, row: 2 }), ["p1", "temp", 3, now, "real_time"]);
  assert.deepEqual(tried('[{"value":1},{"value":2}]', { ...payload, row: 1 }), ["p1", "temp", 2, now, "real_time"]);
  assert.equal(tried('[{"value":1},7]', { ...payload, row: 1 }), "bad_json");
});

Deno.test("a finished reading that the sink refused is sent as it is", () => {
  const text = '{"device_id":"a","metric":"m","value":1,"ts":7,"origin":"batch","processing_time":8,"__proto__":1}';
  assert.deepEqual(tried(text, { decoder: "reading", header: null }), ["a", "m", 1, 7, "batch"]);
  assert.equal(tried("[]", { decoder: "reading", header: null }), "bad_json");
  assert.equal(tried("{", { decoder: "reading", header: null }), "bad_json");
});

Deno.test("a letter of a decoder that this version does not know stays", () => {
  assert.equal(tried("x", { decoder: "avro", reason: "rule_error" }), "rule_error");
});
