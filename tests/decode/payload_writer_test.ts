/** @module */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { type PayloadWriter, turnedAway } from "../../src/core/decoder.ts";
import type { NormalizerOptions } from "../../src/decode/normalizer.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { createPayloadDecoder } from "../../src/decode/payload.ts";
import { plainRules } from "../support/plain_options.ts";
import { bytesOf } from "./drain.ts";
import { names, schemas, value } from "./flat_object_arbitrary.ts";
import { numberText } from "./number_arbitrary.ts";

type TopicFields = Readonly<Record<string, string>>;

const decodePayload = createPayloadDecoder({ payloadBytesMax: 1 << 20 });

interface Message {
  readonly topicFields: TopicFields;
  readonly payload: Uint8Array;
  readonly wallMs: number;
}

/** What becomes of messages, and how many of them went the quick way; with `quickly`, they are offered to the writers of their topics. */
function outcome(
  messages: readonly Message[],
  changes: Partial<NormalizerOptions>,
  quickly: boolean,
): { readonly texts: readonly string[]; readonly quick: number } {
  const normalizer = createNormalizer({ ...plainRules, ...changes });
  const writers = new Map<TopicFields, PayloadWriter | null>();
  const page = new Uint8Array(20_000);
  let quick = 0;
  const texts = messages.map(({ topicFields, payload, wallMs }) => {
    const writer = writers.get(topicFields) ?? normalizer.payloadWriter?.(topicFields) ?? null;
    writers.set(topicFields, writer);
    const end = quickly && isUtf8(payload) ? writer?.write(payload, wallMs, page, 7) ?? -1 : -1;
    if (end === turnedAway) {
      quick += 1;
      return JSON.stringify({ kind: "filtered" });
    }
    if (end >= 0) {
      assert.ok(end <= 7 + payload.length + (writer?.extraBytes() ?? 0), "it keeps within the room that it asks for");
      quick += 1;
      return new TextDecoder().decode(page.subarray(7, end));
    }
    const rows = decodePayload(payload);
    return rows.map((row) => {
      if (row.kind !== "object") return JSON.stringify(row);
      const made = normalizer.normalize(row, { origin: "real_time", wallMs, topicFields });
      if (made.kind === "reading" && rows.length === 1) writer?.learn(row);
      return made.kind === "reading" ? made.value : JSON.stringify(made);
    }).join("\n");
  });
  return { texts, quick };
}

function topicOf(fields: Record<string, string>): TopicFields {
  return Object.assign(Object.create(null), fields);
}

const topicName = fc.constantFrom(
  "device_id",
  "metric",
  "value",
  "ts",
  "unit",
  "ok",
  "dev",
  "site",
  "__proto__",
  "origin",
);
const topicText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("press-1", "t", "temperature") },
  fc.constantFrom("21.50", "true", "", "1767225600", "2026-01-31T10:11:12Z", "gr\u00f6\u00dfe"),
  fc.string({ unit: "binary", maxLength: 8 }),
);
/** Two or three topics of one template. */
const topics: fc.Arbitrary<readonly TopicFields[]> = fc.tuple(
  fc.constantFrom(["device_id", "metric"], ["device_id", "metric"], ["device_id", "metric"], []),
  fc.uniqueArray(topicName, { maxLength: 2 }),
).chain(([usual, odd]) => {
  const own = [...new Set([...usual, ...odd])];
  return fc.array(
    fc.tuple(...own.map(() => topicText)).map((texts) =>
      topicOf(Object.fromEntries(own.map((name, i) => [name, texts[i] ?? ""])))
    ),
    { minLength: 1, maxLength: 3 },
  );
});

const usualNames = ["device_id", "metric", "ts", "unit", "site", "battery"];
const usualValues = new Map(Object.entries({
  device_id: fc.constantFrom('"press-1"', '"d2"'),
  metric: fc.constantFrom('"t"', '"temperature"'),
  value: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: -99, max: 299 }).map((n) => (n / 10).toFixed(2)) },
    numberText,
  ),
  ts: fc.constantFrom("1767225600000", "1767225600", '"2026-01-31T10:11:12.345Z"', "null"),
  unit: fc.constantFrom('"degC"', '"\u00b0C"', "null"),
}));

interface Case {
  readonly changes: Partial<NormalizerOptions>;
  readonly messages: readonly Message[];
}

/** Payloads with the same keys in the same order, but for one now and then, and some with a few bytes changed. */
const streamCase: fc.Arbitrary<Case> = fc.record({
  own: fc.oneof(fc.shuffledSubarray(usualNames, { maxLength: 4 }), fc.shuffledSubarray(names, { maxLength: 5 })),
  twice: fc.constantFrom(null, null, null, null, null, "device_id", "x"),
  layout: fc.constantFrom([",", ":", ""], [", ", ": ", ""], [" ,\t", " :  ", "\r\n"], [",", ":", "\n"]),
  among: topics,
}).chain(({ own, twice, layout: [comma = "", colon = "", ending = ""], among }) => {
  const keys = [...new Set(["value", ...own]), ...(twice === null ? [] : [twice])];
  const good = fc.tuple(...keys.map((key) => usualValues.get(key) ?? fc.constantFrom("1", "21.5", '"x"', "true")));
  const any = fc.array(value, { minLength: keys.length, maxLength: keys.length });
  const text = fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: any }).chain((values) =>
    fc.constantFrom(keys, keys, keys, keys.slice(1)).map((some) =>
      `{${some.map((key, i) => `${JSON.stringify(key)}${colon}${values[i] ?? "1"}`).join(comma)}}${ending}`
    )
  );
  const damage = fc.tuple(
    fc.nat(),
    fc.oneof(fc.constantFrom(...'"{}[],:\\ 0-.eEtn\n\r\ufeff'), fc.string({ unit: "binary" })),
    fc.nat(1),
  );
  const payload = fc.tuple(text, fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, damage)).map(
    ([whole, change]) => {
      if (change === null) return bytesOf(whole);
      const at = change[0] % (whole.length + 1);
      return bytesOf(whole.slice(0, at) + change[1] + whole.slice(at + change[2]));
    },
  );
  return fc.record({
    changes: fc.record({
      schema: fc.constantFrom(...schemas),
      extra: fc.constantFrom("keep", "keep", "drop", "rescue", "reject"),
      aliases: fc.constantFrom({}, {}, { device_id: ["dev"] }, { other: ["7", "site"] }),
      timeFormat: fc.constantFrom("epoch", "epoch", "epoch", "iso"),
      sets: fc.constantFrom(
        [],
        [],
        [{ field: "twice", expression: "value * 2.0" }, { field: "metric", expression: "device_id" }],
      ),
      filter: fc.constantFrom(null, null, "value != 7", 'device_id != "d2"'),
    }),
    messages: fc.array(
      fc.record({
        topicFields: fc.constantFrom(...among),
        payload,
        wallMs: fc.constantFrom(1_700_000_000_000, 1_700_000_000_001),
      }),
      { minLength: 3, maxLength: 12 },
    ),
  });
});

Deno.test("what is written quickly of a payload is what decoder and normalizer give, byte for byte", () => {
  let quick = 0;
  fc.assert(
    fc.property(streamCase, ({ changes, messages }) => {
      const written = outcome(messages, changes, true);
      assert.deepEqual(written.texts, outcome(messages, changes, false).texts);
      quick += written.quick;
    }),
    { numRuns: 300 },
  );
  assert.ok(quick > 20, `${quick} payloads went the quick way`);
});

/** A hundred messages of one payload each, taking turns among topics. */
function stream(payloads: readonly string[], fields: readonly TopicFields[]): readonly Message[] {
  return Array.from({ length: 100 }, (_, i) =>
    payloads.map((payload) => ({
      topicFields: fields[i % fields.length] ?? topicOf({}),
      payload: bytesOf(payload),
      wallMs: 1_700_000_000_000 + i,
    }))).flat();
}

Deno.test("usual payloads go the quick way once one like them was seen, whichever topic it came by", () => {
  const payloads = [
    '{"value":21.50,"ts":1767225600000,"unit":"\u00b0C"}',
    '{"value": 7, "battery": 0.3}\n',
    '{"metric":"from the payload","value":true,"site":"s"}',
  ];
  const fields = ["press-1", "press-2", "gr\u00f6\u00dfe"].map((device_id) =>
    topicOf({ device_id, metric: "temperature" })
  );
  const messages = stream(payloads, fields);
  const written = outcome(messages, {}, true);
  assert.deepEqual(written.texts, outcome(messages, {}, false).texts);
  assert.equal(written.quick, messages.length - payloads.length);
});

Deno.test("a topic's field stands where the payload has it when the schema does not know it, and where the schema has it when it does", () => {
  const messages = stream(['{"site":"payload","value":1,"line":2}'], [
    topicOf({ line: "7", metric: "m", device_id: "d", hall: "north" }),
  ]);
  const written = outcome(messages, {}, true);
  assert.equal(written.quick, 99);
  assert.equal(
    written.texts[99],
    '{"device_id":"d","metric":"m","value":1,"ts":1700000000099,"site":"payload","line":7,"hall":"north","origin":"real_time","processing_time":1700000000099}',
  );
  assert.equal(written.texts[0]?.replaceAll("1700000000000", "1700000000099"), written.texts[99]);
});

Deno.test("a topic whose fields are empty, wrong, or mean the same has no quick way", () => {
  const normalizer = createNormalizer({ ...plainRules, aliases: { device_id: ["dev"] } });
  const quickly = (fields: Record<string, string>) => {
    const written = outcome(stream(['{"value":1}'], [topicOf({ metric: "m", ...fields })]), {
      aliases: { device_id: ["dev"] },
    }, true);
    return written.quick;
  };
  assert.notEqual(normalizer.payloadWriter?.(topicOf({ device_id: "d" })), null);
  assert.equal(normalizer.payloadWriter?.(topicOf({ device_id: "" })), null);
  assert.equal(normalizer.payloadWriter?.(topicOf({ device_id: "d", ts: "soon" })), null);
  assert.equal(quickly({ device_id: "d" }), 99);
  assert.equal(quickly({ device_id: "d", dev: "e" }), 0);
});

Deno.test("what is longer than 4 KiB, and times as text, have no quick way", () => {
  const messages = stream([`{"value":1,"text":"${"x".repeat(5000)}"}`], [topicOf({ device_id: "d", metric: "m" })]);
  assert.equal(outcome(messages, {}, true).quick, 0);
  const way = (changes: Partial<NormalizerOptions>) =>
    createNormalizer({ ...plainRules, ...changes }).payloadWriter?.(topicOf({ device_id: "d" }));
  assert.equal(way({ timeFormat: "iso" }), null);
});
