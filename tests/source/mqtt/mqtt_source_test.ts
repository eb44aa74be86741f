import assert from "node:assert/strict";
import { WeirError } from "../../../src/core/error.ts";
import { createMqttSource } from "../../../src/source/mqtt/mqtt_source.ts";
import type { MqttSourceOptions } from "../../../src/source/mqtt/options.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { modelBroker } from "./model_broker.ts";
import { defaultOptions, testParts } from "./parts.ts";
import { bench, settle } from "./source_bench.ts";

/** Whether a promise has resolved, in virtual time. */
async function resolved(promise: Promise<void>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  return done;
}

Deno.test("A reading has its topic's fields, an id of gateway, boot and counter, and its place in the payload's array", async () => {
  const { broker, take } = await bench();
  broker.publish({ topic: "plant/d7", payload: "a", qos: 1 });
  broker.publish({ topic: "plant/d8", payload: "b*2", qos: 1 });
  broker.deliver(2);
  const items = take();
  assert.deepEqual(items.map((item) => item.kind === "reading" && [item.id, item.row, item.byte, { ...item.fields }]), [
    ["gw1/b1/1", 0, -1, { name: "a", row: 0, device_id: "d7" }],
    ["gw1/b1/2.0", 0, -1, { name: "b", row: 0, device_id: "d8" }],
    ["gw1/b1/2.1", 1, -1, { name: "b", row: 1, device_id: "d8" }],
  ]);
  assert.deepEqual(items.map((item) => [item.delivery.source, item.delivery.origin, item.index]), [
    ["plant/d7", "real_time", 0],
    ["plant/d8", "real_time", 0],
    ["plant/d8", "real_time", 1],
  ]);
});

Deno.test("What cannot be used goes its way as a misfit with its bytes, and is acknowledged after it", async () => {
  const { broker, take } = await bench();
  const messages = [
    ["plant/d1", "bad json", "bad_json", "bad json"],
    ["plant/d1", "misfit", "wrong_type", "misfit"],
    ["plant/d1", "misfit*2", "wrong_type", "misfit#0"],
    ["elsewhere/d1", "a", "topic_mismatch", "a"],
    ["plant/", "a", "topic_mismatch", "a"],
    ["plant/\u0000", "a", "topic_mismatch", "a"],
  ] as const;
  for (const [topic, payload] of messages) broker.publish({ topic, payload, qos: 1 });
  broker.deliver(Infinity);
  const items = take();
  const letters = items.flatMap((item) => item.kind === "misfit" ? [item.letter] : []);
  assert.equal(letters.length, messages.length + 1);
  const firsts = letters.filter((_letter, index) => index !== 3);
  assert.deepEqual(
    firsts.map((letter) => [letter.source, letter.reason, new TextDecoder().decode(letter.raw)]),
    messages.map(([topic, _payload, reason, raw]) => [topic, reason, raw]),
  );
  for (const { detail } of letters) assert.doesNotMatch(detail, /\p{Cc}/u);
  broker.readAcks(Infinity);
  assert.equal(broker.acknowledged.length, 0);
  settle(items);
  broker.readAcks(Infinity);
  assert.equal(broker.acknowledged.length, messages.length);
});

Deno.test("The bytes of a dead letter are its own, not a window on the network's buffer", async () => {
  const clock = virtualClock();
  const shared = new TextEncoder().encode("bad one");
  const parts = testParts(clock, (_options, events) => {
    clock.after(0, () => {
      events.opened({ sessionPresent: false, sessionExpirySeconds: null });
      events.message("plant/d1", shared, 1, false, false);
      shared.fill(0);
    });
    return {
      acknowledge: () => {},
      subscribe: () => {},
      unsubscribe: () => {},
      holdsBack: true,
      read: () => {},
      publish: () => {},
      close: () => {},
    };
  });
  const source = createMqttSource(defaultOptions, parts);
  await source.start(() => {});
  await clock.advance(1);
  const [item] = source.flows[0]?.take(1, 1) ?? [];
  assert.ok(item?.kind === "misfit");
  assert.equal(new TextDecoder().decode(item.letter.raw), "bad one");
});

Deno.test("A message goes to the first subscription that fits, one that fits none to the first, and each filter is subscribed once", async () => {
  const subscriptions = [
    { template: "plant/{device_id}", weight: 3 },
    { template: "plant/+", weight: 1 },
    { template: "{site}/#", weight: 1 },
  ];
  const { broker, source } = await bench({ subscriptions });
  assert.deepEqual(broker.subscribes.map(({ filter }) => filter), ["plant/+", "+/#"]);
  for (const topic of ["plant/a", "plant/a/b", "$SYS/x"]) broker.publish({ topic, payload: "a", qos: 1 });
  broker.deliver(3);
  assert.deepEqual(source.flows.map((flow) => [flow.ready(), flow.weight]), [[2, 3], [0, 1], [1, 1]]);
});

Deno.test("After a stop nothing new is taken in, what is in the inbox is acknowledged, and the drain ends with it", async () => {
  const { clock, broker, source, take, status } = await bench();
  for (const payload of ["a", "b"]) broker.publish({ topic: "plant/d1", payload, qos: 1 });
  broker.deliver(1);
  source.stop();
  broker.deliver(1);
  const drained = source.drained();
  const items = take();
  assert.equal(items.length, 1);
  assert.ok(!await resolved(drained));
  settle(items);
  assert.ok(await resolved(drained));
  broker.readAcks(Infinity);
  assert.deepEqual(broker.acknowledged.map(({ payload }) => payload), ["a"]);
  assert.equal(broker.kept, 1, "the other stays with the broker");
  assert.ok(status().connected);
  const closed = source.close();
  await clock.advance(2_000);
  await closed;
  assert.equal(clock.timers, 0, "no timer is left");
});

Deno.test("A drain waits for the broker to come back, and ends once the redelivered messages are acknowledged", async () => {
  const { clock, broker, source, take } = await bench();
  broker.publish({ topic: "plant/d1", payload: "a", qos: 1 });
  broker.deliver(1);
  source.stop();
  broker.cut();
  settle(take());
  const drained = source.drained();
  assert.ok(!await resolved(drained));
  await clock.advance(1_500);
  broker.deliver(1);
  assert.ok(await resolved(drained));
  assert.deepEqual(take(), []);
});

Deno.test("What a resumed session does not send again is given up after ten seconds, told, and the drain ends", async () => {
  const { clock, broker, source, take, parts } = await bench();
  broker.publish({ topic: "plant/d1", payload: "a", qos: 1 });
  broker.deliver(1);
  source.stop();
  broker.cut();
  settle(take());
  const drained = source.drained();
  while (!broker.connected) await clock.advance(100);
  await clock.advance(9_000);
  assert.ok(!await resolved(drained));
  await clock.advance(1_000);
  assert.deepEqual(parts.said("mqtt.messages_unclaimed").map((event) => event.data["messages"]), [1]);
  assert.ok(await resolved(drained));
});

Deno.test("Finished: not before the first connection, and two quiet seconds after the last message is acknowledged", async () => {
  const clock = virtualClock();
  const broker = modelBroker(clock, 10);
  broker.refuse(() => ({ kind: "failed", reached: false, text: "connection refused" }));
  const parts = testParts(clock, broker.open);
  const source = createMqttSource(defaultOptions, parts);
  await source.start(() => {});
  const finished = source.finished();
  await clock.advance(20_000);
  assert.ok(!await resolved(finished));
  broker.refuse(null);
  while (!broker.connected) await clock.advance(100);
  await clock.advance(1_500);
  broker.publish({ topic: "plant/d1", payload: "a", qos: 1 });
  broker.deliver(1);
  await clock.advance(5_000);
  assert.ok(!await resolved(finished), "a message is pending");
  for (const flow of source.flows) settle(flow.take(9, 9_999));
  await clock.advance(1_900);
  assert.ok(!await resolved(finished));
  await clock.advance(200);
  assert.ok(await resolved(finished));
});

Deno.test("With 3.1.1 retained messages are acknowledged and left out where none are wanted; with 5 the broker is told", async () => {
  const old = await bench({ version: "3.1.1", retained: "none" });
  old.broker.publish({ topic: "plant/d1", payload: "kept", qos: 1, retained: true });
  old.broker.publish({ topic: "plant/d1", payload: "live", qos: 1 });
  old.broker.deliver(2);
  old.broker.readAcks(1);
  assert.deepEqual(old.broker.acknowledged.map(({ payload }) => payload), ["kept"]);
  assert.equal(old.take().length, 1);
  for (const [retained, handling] of [["all", 0], ["once", 1], ["none", 2]] as const) {
    const { broker } = await bench({ retained });
    assert.deepEqual(broker.subscribes.map(({ retainHandling }) => retainHandling), [handling]);
  }
});

Deno.test("It subscribes at the first connection and where the session is new, and tries a refused filter again", async () => {
  const { clock, broker, parts } = await bench();
  assert.equal(broker.subscribes.length, 1);
  broker.cut();
  await clock.advance(2_000);
  assert.equal(broker.subscribes.length, 1, "the session has it");
  broker.forget();
  broker.subackCode = 0x87;
  broker.cut();
  await clock.advance(4_000);
  assert.equal(broker.subscribes.length, 2);
  assert.match(parts.said("mqtt.subscription_refused")[0]?.message ?? "", /"plant\/\+".*0x87/);
  broker.subackCode = 1;
  broker.cut();
  await clock.advance(30_000);
  assert.equal(broker.subscribes.length, 3);
  broker.cut();
  await clock.advance(30_000);
  assert.equal(broker.subscribes.length, 3);
  assert.deepEqual(
    parts.said("mqtt.receiving").map(({ data }) => data["accepted"]),
    [1, 0, 1],
    "once all are answered",
  );
});

Deno.test("A lost session is told once for each loss, with how many messages end without an acknowledgement", async () => {
  const { clock, broker, parts, take } = await bench();
  assert.equal(parts.said("mqtt.session_lost").length, 0, "the first session is new, not lost");
  for (const payload of ["a", "b", "c"]) broker.publish({ topic: "plant/d1", payload, qos: 1 });
  broker.deliver(2);
  broker.forget();
  broker.cut();
  await clock.advance(2_000);
  assert.deepEqual(parts.said("mqtt.session_lost").map((event) => event.data["unacknowledged_messages"]), [2]);
  settle(take());
});

Deno.test("With a clean session none is asked for, and none is missed", async () => {
  const { clock, broker, parts } = await bench({ cleanSession: true });
  assert.equal(broker.tries[0]?.clean, true);
  broker.cut();
  await clock.advance(2_000);
  assert.equal(broker.subscribes.length, 2);
  assert.equal(parts.said("mqtt.session_lost").length, 0);
});

Deno.test("The status topic gets online at each connection", async () => {
  const { clock, broker } = await bench({ statusTopic: "weir/status" });
  await clock.advance(10);
  broker.cut();
  await clock.advance(2_000);
  assert.deepEqual(broker.published.map(({ text }) => text), ["online", "online"]);
  assert.deepEqual(broker.tries[0]?.will, { topic: "weir/status", text: "offline" });
});

Deno.test("Options that cannot be are refused with advice, and a password in the URL is not repeated", () => {
  const wrong: Partial<MqttSourceOptions>[] = [
    { url: "127.0.0.1:1883" },
    { url: "ws://127.0.0.1" },
    { url: "mqtt://" },
    { url: "mqtt://user:secret@host" },
    { url: "mqtt://host/path" },
    { url: "mqtt://host", tls: { ca: "x" } },
    { subscriptions: [] },
    { subscriptions: [{ template: "a", weight: 0 }] },
    { receiveMax: 0 },
    { receiveMax: 65_536 },
    { keepaliveSeconds: 1 },
    { clientId: "" },
    { statusTopic: "a/+" },
  ];
  for (const change of wrong) {
    assert.throws(() => createMqttSource({ ...defaultOptions, ...change }, testParts(virtualClock())), (error) => {
      assert.ok(error instanceof WeirError && error.code === "configuration" && (error.advice ?? "") !== "");
      assert.doesNotMatch(error.message, /secret/);
      return true;
    }, JSON.stringify(change));
  }
});
