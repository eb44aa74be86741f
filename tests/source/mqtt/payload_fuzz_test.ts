/**
 * Hostile messages through the whole MQTT source, with the real decoder and normalizer: whatever comes, each message ends in readings, misfits
 * or filtered items, is acknowledged exactly once in its turn, and takes no other message with it.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createNormalizer } from "../../../src/decode/normalizer.ts";
import { createPayloadDecoder } from "../../../src/decode/payload.ts";
import { createMqttSource } from "../../../src/source/mqtt/mqtt_source.ts";
import type { Connection, ConnectionEvents } from "../../../src/source/mqtt/connection.ts";
import type { Item } from "../../../src/core/reading.ts";
import { plainRules } from "../../support/plain_options.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { damaged, linesFile } from "../../decode/json_arbitrary.ts";
import { defaultOptions, testParts } from "./parts.ts";

const payloadBytesMax = 4096;

interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly dup: boolean;
  readonly qos: 0 | 1;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

const payload: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map(utf8),
  fc.array(fc.constantFrom(...'{}[],:"\\ue1-.0 \n\r\u0000\u20ac'), { maxLength: 100 }).map((parts) =>
    utf8(parts.join(""))
  ),
  damaged(linesFile),
  fc.constantFrom(
    '{"__proto__":{"value":1},"value":2}',
    '{"constructor":{"prototype":1},"value":1,"device_id":{"toString":1}}',
    '{"value":1e999}',
    '{"value":-0,"ts":9007199254740993}',
    '{"value":1,"value":2}',
    '{"ts":"2026-13-45T99:99:99Z","value":1}',
    '{"ts":8640000000000001,"value":1}',
    '{"value":"\ud800"}',
    '{"device_id":"\u0000\u001b[2J\u202e","value":1}',
    '{"origin":"batch","processing_time":1,"weir.id":"x","value":1}',
    '[{}, 1, null, [], {"value":1}]',
    "[[[]]]",
    "null",
    "NaN",
    "-",
    '"',
    '\ufeff{"value":1}',
  ).map(utf8),
  fc.constantFrom("[", '{"a":', '[{"a":[').map((open) => utf8(open.repeat(500))),
  fc.integer({ min: payloadBytesMax - 1, max: payloadBytesMax + 2 }).map((length) =>
    utf8(`"${"x".repeat(length - 2)}"`)
  ),
  fc.integer({ min: 1, max: 900 }).map((count) => utf8(`[${Array(count).fill("{}").join()}]`)),
);

const message: fc.Arbitrary<Message> = fc.record({
  topic: fc.oneof(
    fc.constantFrom("plant/a/b", "plant/a/__proto__", "plant//x", "plant/\u0000/x", "other", "", "/", "plant/a/b/c"),
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => `plant/${text}/x`),
  ),
  payload,
  dup: fc.boolean(),
  qos: fc.constantFrom(0, 1, 1, 1),
});

Deno.test("whatever a message holds, it is settled and acknowledged once, in its turn, and harms no other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 12 }), async (messages) => {
      const clock = virtualClock();
      const acks: number[] = [];
      const lines: ConnectionEvents[] = [];
      const parts = testParts(clock, (_options, events) => {
        lines.push(events);
        return connection(acks, events);
      });
      const source = createMqttSource({
        ...defaultOptions,
        subscriptions: [{ template: "plant/{site}/{metric}", weight: 1 }],
        // Nothing is settled before all have come: twelve of the largest must find room.
        inboxBytesMax: 2 ** 30,
      }, { ...parts, ...realDecoding() });
      await source.start(() => {});
      await clock.advance(1);
      const events = given(lines[0]);
      events.opened({ sessionPresent: false, sessionExpirySeconds: null });
      events.ready();

      const wanted: number[] = [];
      const items: Item[] = [];
      messages.forEach(({ topic, payload, dup, qos }, index) => {
        const packetId = qos === 0 ? 0 : index + 1;
        if (packetId !== 0) wanted.push(packetId);
        events.message(topic, payload, packetId, dup, false);
        const taken = source.flows.flatMap((flow) => [...flow.take(Infinity, Infinity)]);
        assert.ok(taken.length >= 1, "no message vanishes");
        for (const item of taken) {
          // Whatever leaves is JSON that says where it came from, and ids are this gateway's.
          if (item.kind === "reading") {
            const value: Record<string, unknown> = JSON.parse(item.value);
            assert.equal(value["origin"], "real_time");
            assert.match(item.id, /^gw1\/b1\/\d+(\.\d+)?$/);
            assert.equal(item.redelivered, dup);
          } else if (item.kind === "misfit") {
            assert.ok(item.letter.raw.length <= payload.length + 1 && item.letter.detail.length < 2_000);
            // deno-lint-ignore no-control-regex
            assert.doesNotMatch(item.letter.detail, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\ud800]/u);
          }
        }
        items.push(...taken);
      });
      assert.deepEqual(acks, [], "nothing is acknowledged before it is settled");
      // Any order will do.
      for (const item of items.toReversed()) item.delivery.settle(item.index, "delivered");
      assert.deepEqual(acks, wanted);
      assert.equal(new Set(items.flatMap((item) => item.kind === "reading" ? [item.id] : [])).size, readingsIn(items));
      const status = source.status();
      assert.ok(status.kind === "mqtt" && status.pendingMessages === 0 && status.pendingBytes === 0);
      await source.close();
    }),
    { numRuns: 600 },
  );
});

function realDecoding() {
  return {
    decodePayload: createPayloadDecoder({ payloadBytesMax }),
    normalizer: createNormalizer({
      ...plainRules,
      aliases: { device_id: ["dev", "site"] },
      sets: [{ field: "double", expression: "value * 2" }],
      filter: "value != 7",
    }),
  };
}

function readingsIn(items: readonly Item[]): number {
  return items.filter((item) => item.kind === "reading").length;
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The source has not connected");
  return value;
}

/** A connection that notes its PUBACKs. */
function connection(acks: number[], events: ConnectionEvents): Connection {
  return {
    acknowledge: (packetId) => void acks.push(packetId),
    subscribe: (_filter, qos, _retainHandling, done) => done(qos),
    unsubscribe: (_filter, done) => done(),
    holdsBack: true,
    read: () => {},
    publish: (_message, done) => done(null),
    close: () => events.closed({ kind: "closed", code: null, text: "closed", reached: true }),
  };
}
