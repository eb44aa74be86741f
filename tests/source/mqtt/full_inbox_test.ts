/**
 * What the MQTT source does when its inbox is full: back-pressure, leaving, dropping what has no other place.
 *
 * @module
 */
import assert from "node:assert/strict";
import { bench, settle } from "./source_bench.ts";

Deno.test("Messages of QoS 0 that do not fit are dropped, counted one by one and told of together", async () => {
  const { clock, broker, parts, status } = await bench({ qos: 0, inboxBytesMax: 2_000 });
  for (let i = 0; i < 100; i++) broker.publish({ topic: "plant/d1", payload: "a", qos: 0 });
  broker.deliver(100);
  assert.equal(parts.droppedCount(), 93);
  assert.ok(status().pendingBytes <= 2_000);
  assert.equal(parts.said("mqtt.messages_dropped").length, 0);
  await clock.advance(5_000);
  assert.deepEqual(parts.said("mqtt.messages_dropped").map((event) => event.data["messages"]), [93]);
  assert.equal(broker.tries.length, 1, "no reason to leave");
});

Deno.test("Messages of QoS 0 fill half of the inbox at most where QoS 1 is asked for", async () => {
  const { broker, parts, status } = await bench({ inboxBytesMax: 2_000 });
  for (let i = 0; i < 20; i++) broker.publish({ topic: "plant/d1", payload: "a", qos: 0 });
  broker.publish({ topic: "plant/d1", payload: "b", qos: 1 });
  broker.deliver(21);
  assert.equal(parts.droppedCount(), 17);
  assert.equal(status().pendingMessages, 4);
  assert.ok(status().connected);
});

Deno.test("A single message larger than the inbox is let in when nothing else is", async () => {
  const { broker, take } = await bench({ inboxBytesMax: 100 });
  broker.publish({ topic: "plant/d1", payload: "x".repeat(1_000), qos: 1 });
  broker.deliver(1);
  assert.equal(take().length, 1);
});

Deno.test("Past the receive maximum nothing is read until half is settled; it is not said, and no connection is lost", async () => {
  const { clock, broker, parts, take } = await bench({ receiveMax: 4, version: "3.1.1" });
  for (let i = 0; i < 30; i++) broker.publish({ topic: "plant/d1", payload: `m${i}`, qos: 1 });
  broker.deliver(Infinity);
  const items = take();
  assert.equal(items.length, 8, "the fifth stops it, and what was read already comes");
  settle(items.splice(0, 5));
  assert.ok(!broker.read, "three of four are more than half");
  settle(items.splice(0, 1));
  assert.ok(broker.read);
  const names: string[] = [];
  for (let round = 0; round < 20; round++) {
    broker.deliver(Infinity);
    settle(items.splice(0));
    for (const item of take()) {
      if (item.kind === "reading") names.push(String(item.fields["name"]));
      items.push(item);
    }
    assert.ok(items.length <= 8);
    await clock.advance(1_000);
  }
  assert.deepEqual(names, Array.from({ length: 22 }, (_, index) => `m${index + 8}`));
  assert.equal(broker.tries.length, 1);
  assert.deepEqual(parts.said("mqtt.inbox_filled"), []);
});

Deno.test("An inbox that stays full for half a keep-alive is left, come back to at half, and that is said once", async () => {
  const { clock, broker, parts, take, status } = await bench({ receiveMax: 4, version: "3.1.1" });
  for (let i = 0; i < 30; i++) broker.publish({ topic: "plant/d1", payload: `m${i}`, qos: 1 });
  const names: string[] = [];
  for (let round = 0; round < 3; round++) {
    broker.deliver(Infinity);
    const items = take();
    for (const item of items) if (item.kind === "reading") names.push(String(item.fields["name"]));
    await clock.advance(14_990);
    assert.ok(status().connected);
    await clock.advance(10);
    assert.ok(!status().connected);
    settle(items.splice(0, items.length - 3));
    await clock.advance(5_000);
    assert.ok(!status().connected);
    settle(items);
    await clock.advance(1);
    assert.ok(status().connected);
  }
  assert.deepEqual(names, Array.from({ length: 24 }, (_, index) => `m${index}`));
  assert.equal(parts.said("mqtt.inbox_filled").length, 1);
});

Deno.test("While nothing is read no redelivery can come: what is waited for has its ten seconds after that", async () => {
  const { clock, broker, parts, take, status } = await bench({ receiveMax: 5 }, 4);
  for (let i = 0; i < 4; i++) broker.publish({ topic: "plant/d1", payload: `m${i}`, qos: 1 });
  broker.deliver(Infinity);
  const items = take();
  broker.cut();
  await clock.advance(2_000);
  assert.ok(status().connected);
  // The first two come again, and behind them two new ones, for one of which there is room: the last two wait for longer than their time.
  broker.deliver(2);
  for (const payload of ["new 2", "new 1"]) broker.interject({ topic: "plant/d1", payload, qos: 1 });
  broker.deliver(2);
  assert.ok(!broker.read);
  await clock.advance(12_000);
  settle(items);
  await clock.advance(9_000);
  assert.deepEqual(parts.said("mqtt.messages_unclaimed"), []);
  await clock.advance(2_000);
  assert.deepEqual(
    parts.said("mqtt.messages_unclaimed").map((event) => event.data["messages"]),
    [2],
    "ten since it reads",
  );
});

Deno.test("A flapping connection to a sink that stands still does not fill the inbox further and further", async () => {
  const { clock, broker, parts, status } = await bench({ receiveMax: 4, version: "3.1.1" });
  for (let i = 0; i < 1_000; i++) broker.publish({ topic: "plant/d1", payload: `m${i}`, qos: 1 });
  for (let flap = 0; flap < 20; flap++) {
    broker.deliver(Infinity);
    broker.cut();
    await clock.advance(60_000);
  }
  assert.equal(status().pendingMessages, 8);
  assert.equal(broker.tries.length, 2, "after the second it stays away until half is settled");
  assert.equal(parts.said("mqtt.inbox_filled").length, 1);
});
