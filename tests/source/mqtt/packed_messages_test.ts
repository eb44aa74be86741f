/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Item } from "../../../src/core/reading.ts";
import type { Normalizer } from "../../../src/core/decoder.ts";
import { createNormalizer, type NormalizerOptions } from "../../../src/decode/normalizer.ts";
import { createPayloadDecoder } from "../../../src/decode/payload.ts";
import { createInbox } from "../../../src/source/mqtt/inbox.ts";
import { createIntake } from "../../../src/source/mqtt/intake.ts";
import { createPending } from "../../../src/source/mqtt/pending.ts";
import { parseTopicTemplate } from "../../../src/source/mqtt/topic_template.ts";
import { plainRules } from "../../support/plain_options.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { bytes } from "./parts.ts";

interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly dup: boolean;
}

/** What a sink would see of an item, and how it came. */
function seen(item: Item): unknown {
  const { kind, index, bytes: size, delivery: { origin, source } } = item;
  if (kind !== "reading") return { kind, index, size, origin, source, letter: kind === "misfit" ? item.letter : null };
  const { id, value, row, byte, arrivedMs, redelivered, fields } = item;
  const settled = JSON.stringify(fields);
  return { kind, index, size, origin, source, id, value, row, byte, arrivedMs, redelivered, settled };
}

function normalizerWith(extra: NormalizerOptions["extra"]): Normalizer {
  return createNormalizer({ ...plainRules, extra, filter: "value != 7" });
}

/**
 * Takes messages in, a few a turn; with or without the quick way, and with other rules from message `changeAt` on. Tells what came out, and
 * how much of it was packed.
 */
async function takeIn(
  messages: readonly Message[],
  quickly: boolean,
  changeAt = Infinity,
): Promise<{ readonly items: readonly unknown[]; readonly pendingBytes: number; readonly packed: number }> {
  const clock = virtualClock();
  let rules = normalizerWith("keep");
  const pending = createPending(() => {});
  pending.connected(false, () => {});
  const inbox = createInbox([{ name: "a", weight: 1 }], () => {});
  const intake = createIntake({
    clock,
    emit: () => {},
    decodePayload: createPayloadDecoder({ payloadBytesMax: 4096 }),
    normalizer: {
      checkHeader: () => {},
      normalize: (row, arrival) => rules.normalize(row, arrival),
      payloadWriter: (topicFields) => quickly ? rules.payloadWriter?.(topicFields) ?? null : null,
    },
    gateway: "gw",
    boot: "b",
    templates: [parseTopicTemplate("plant/{device_id}/{metric}")],
    inbox,
    pending,
  });
  for (const [index, { topic, payload, dup }] of messages.entries()) {
    if (index === changeAt) rules = normalizerWith("drop");
    intake.take(topic, payload.slice(), index + 1, dup);
    if (index % 3 === 2) await clock.advance(5);
  }
  const items = inbox.flows.flatMap((flow) => [...flow.take(Infinity, Infinity)]);
  const pendingBytes = pending.bytes;
  for (const item of items) item.delivery.settle(item.index, "delivered");
  assert.equal(pending.unfinished, 0);
  const packed = items.filter((item) => item.kind === "reading" && item.packed !== undefined).length;
  return { items: items.map(seen), pendingBytes, packed };
}

const message: fc.Arbitrary<Message> = fc.record({
  topic: fc.constantFrom("plant/a/t", "plant/a/t", "plant/b/t", "plant/gr\u00f6\u00dfe/t", "plant//t", "other"),
  payload: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.oneof(fc.integer(), fc.constant(7)).map((n) =>
        bytes(`{"value":${n},"ts":1767225600000,"unit":"\u00b0C"}`)
      ),
    },
    fc.constantFrom("{}", "21.5", "ON", "", '[{"value":1},{"value":"x"},2]', '{"value":{}}', '{"value":1').map(bytes),
    fc.constant(Uint8Array.of(...bytes('{"value":1,"ts":1767225600000,"unit":"'), 0xff, ...bytes('"}'))),
    fc.constant(bytes(`{"value":1,"ts":1767225600000,"unit":"${"x".repeat(4090)}"}`)),
  ),
  dup: fc.boolean(),
});

Deno.test("a message is the same reading the quick way: id, text, fields, time and size", async () => {
  let packed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 6, maxLength: 20 }), async (messages) => {
      const { packed: quick, ...written } = await takeIn(messages, true);
      const { packed: none, ...wanted } = await takeIn(messages, false);
      assert.deepEqual(written, wanted);
      assert.equal(none, 0);
      packed += quick;
    }),
    { numRuns: 150 },
  );
  assert.ok(packed > 50, `${packed} messages went the quick way`);
});

Deno.test("a page that is full is followed by another one; readings of both stay as they are", async () => {
  const messages = Array.from({ length: 500 }, (_, i) => ({
    topic: `plant/${i % 7}/t`,
    payload: bytes(`{"value":${i + 8},"text":"${"x".repeat(i % 300)}"}`),
    dup: false,
  }));
  const written = await takeIn(messages, true);
  assert.equal(written.packed, 500 - 8, "all but the first of each topic, and the one that the layout is learned from");
  assert.deepEqual(written.items, (await takeIn(messages, false)).items);
});

Deno.test("other rules hold from the next message on, whatever was remembered of its topic", async () => {
  const messages = Array.from({ length: 40 }, (_, i) => ({
    topic: "plant/a/t",
    payload: bytes(`{"value":${i + 8},"hall":"north"}`),
    dup: false,
  }));
  const written = await takeIn(messages, true, 20);
  assert.equal(written.packed, 40 - 3, "the first, and one to learn from under each of the rules");
  assert.deepEqual(written.items, (await takeIn(messages, false, 20)).items);
  assert.match(JSON.stringify(written.items[19]), /north/);
  assert.doesNotMatch(JSON.stringify(written.items[20]), /north/);
});
