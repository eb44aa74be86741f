/**
 * The MQTT source at a real Mosquitto while brokers, networks, disks and other clients misbehave.
 *
 * @module
 */
import assert from "node:assert/strict";
import { filterFile } from "../../src/store/filter_file.ts";
import { makeAuthority } from "../support/certificates.ts";
import type { MosquittoOptions } from "../support/mosquitto.ts";
import { mosquittoTest, numbered, publish, publisher, run, type Running } from "../support/mqtt_rig.ts";
import { eventually, freePort } from "../support/servers.ts";

/** Longer than the network holds in small pieces, so that the bounds show: the payload is the name. */
const longName = `${"x".repeat(1_000)}-`;

const authority = await makeAuthority("Plant CA");
const server = await authority.issue({ name: "broker" });
await authority[Symbol.asyncDispose]();
const tlsPort = freePort();
const doors: MosquittoOptions = {
  config: [
    "max_queued_messages 0",
    `listener ${tlsPort} 127.0.0.1`,
    "certfile {folder}/server.pem",
    "keyfile {folder}/server.key",
  ],
  files: { "server.pem": server.certificate, "server.key": server.key },
};

for (const [version, tls] of [["3.1.1", false], ["5", false], ["5", true]] as const) {
  mosquittoTest(
    `MQTT ${version}${
      tls ? " over TLS" : ""
    }: a broker that sends more than the inbox takes is held back on one connection, and each message is sent and read once`,
    doors,
    async (broker) => {
      const where = tls ? { url: `mqtts://127.0.0.1:${tlsPort}`, tls: { ca: authority.ca } } : { url: broker.url };
      const options = { ...where, version, receiveMax: 50 };
      {
        await using running = await run(options);
        await running.subscribed();
      }
      const names = numbered(3_000, longName);
      await publish(broker, names);
      await using running = await run(options, true);
      let mostPending = 0;
      await eventually("all are read and acknowledged", () => {
        mostPending = Math.max(mostPending, running.status().pendingMessages);
        settleSome(running, 100);
        return running.names.length >= names.length && running.status().pendingMessages === 0;
      });
      assert.deepEqual(running.names, names);
      // What was read when reading stopped comes in over the bound: one piece of 64 KiB that the library has, and one behind it.
      assert.ok(mostPending <= 50 + 2 * 64, `${mostPending} were pending`);
      assert.equal(running.status().reconnects, 0);
      await eventually("the log is whole", () => (broker.log().match(/PUBACK from weir-e2e/g)?.length ?? 0) >= 3_000);
      assert.equal(broker.log().match(/Sending PUBLISH to weir-e2e/g)?.length, names.length, "none is sent twice");
    },
  );
}

mosquittoTest(
  "A broker that fills the inbox for long is left and come back to, and nothing is lost or read twice",
  { config: ["max_inflight_messages 0", "max_queued_messages 0"] },
  async (broker) => {
    await using running = await run({ url: broker.url, version: "3.1.1", receiveMax: 20, keepaliveSeconds: 5 }, true);
    await running.subscribed();
    const names = numbered(1_000, longName);
    await publish(broker, names);
    await eventually("it has left", () => running.parts.said("mqtt.inbox_filled").length >= 1);
    assert.ok(running.names.length <= 20 + 2 * 64);
    running.settleAll();
    await eventually("all have come", () => running.names.length >= names.length);
    await eventually("all are acknowledged", () => running.status().pendingMessages === 0);
    assert.deepEqual(running.names, names);
  },
);

mosquittoTest(
  "A subscription that is no longer wanted is ended after a restart, and a changed QoS is asked for",
  { config: ["max_queued_messages 0"] },
  async (broker) => {
    const filterMemory = filterFile(`${broker.folder}/state`, "weir-e2e");
    const [wanted, former] = ["plant/{device_id}", "old/{device_id}"].map((template) => ({ template, weight: 1 }));
    assert.ok(wanted !== undefined && former !== undefined);
    {
      await using running = await run({ url: broker.url, subscriptions: [former, wanted] }, false, { filterMemory });
      await running.subscribed();
    }
    {
      await using running = await run({ url: broker.url, subscriptions: [wanted], qos: 0 }, false, { filterMemory });
      await eventually("it is ended", () => running.parts.said("mqtt.unsubscribed").length === 1);
      assert.equal(running.parts.said("mqtt.unsubscribed")[0]?.data["filter"], "old/+");
      await eventually("the broker has noted it", () => broker.log().includes("weir-e2e old/+"));
    }
    assert.deepEqual(await filterMemory.read(), ["plant/+"]);
    const client = await publisher(broker);
    await client.publishAsync("old/d1", "not wanted", { qos: 1 });
    await client.publishAsync("plant/d1", "of QoS 0 by now, and nobody there", { qos: 1 });
    await client.endAsync();
    await using running = await run({ url: broker.url, subscriptions: [wanted] }, false, { filterMemory });
    await running.subscribed();
    await publish(broker, ["wanted"]);
    await eventually("it comes", () => running.names.length > 0);
    assert.deepEqual(running.names, ["wanted"]);
    assert.deepEqual(running.parts.said("mqtt.topic_mismatched"), []);
    await eventually("each QoS was asked for", () => {
      const asked = broker.log().match(/weir-e2e [01] plant\/\+/g) ?? [];
      return asked.join() === "weir-e2e 1 plant/+,weir-e2e 0 plant/+,weir-e2e 1 plant/+";
    });
  },
);

/** Settles the oldest that are held. */
function settleSome(running: Running, count: number): void {
  for (const item of running.held.splice(0, count)) item.delivery.settle(item.index, "delivered");
}
