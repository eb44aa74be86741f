import assert from "node:assert/strict";
import { connect } from "mqtt";
import { seededDice } from "../../src/core/dice.ts";
import { startBroker } from "../../src/demo/broker.ts";
import { startSensors } from "../../src/demo/sensors.ts";
import { eventually } from "../support/servers.ts";
import { virtualClock } from "../support/virtual_clock.ts";

Deno.test("sensors really publish: a subscriber of the broker gets every message they count", async () => {
  const broker = await startBroker();
  const clock = virtualClock();
  const subscriber = connect(broker.url, { protocolVersion: 4, reconnectPeriod: 0 });
  const topics = new Set<string>();
  let received = 0;
  subscriber.on("message", (topic) => {
    received += 1;
    topics.add(topic);
  });
  try {
    await subscriber.subscribeAsync("plant/+/+/+", { qos: 1 });
    const sensors = await startSensors({ ...broker, clock, dice: seededDice(1), badEvery: 20 });
    assert.equal(sensors.count, 36);
    await clock.advance(1000);
    await sensors.stop();
    const sent = sensors.sent();
    // 24 sensors speak 4 times a second, 12 speak 8 times; jitter moves each by a tenth.
    assert.ok(sent.messages > 150 && sent.messages < 250, `${sent.messages} messages`);
    assert.ok(sent.readings > sent.messages, "some messages hold several readings");
    assert.ok(sent.badPayloads > 0);
    assert.equal(sent.missed, 0);
    await eventually("every message has arrived", () => received >= sent.messages);
    assert.equal(received, sent.messages);
    assert.equal(topics.size, 36);

    await clock.advance(5000);
    assert.deepEqual(sensors.sent(), sent, "silent after stop");
    assert.equal(clock.timers, 0);
  } finally {
    await subscriber.endAsync();
    await broker.close();
  }
});
