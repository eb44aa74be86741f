/**
 * The MQTT source at a real Mosquitto while brokers, networks, disks and other clients misbehave.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Clock, sleep, systemClock } from "../../src/core/clock.ts";
import type { Reading } from "../../src/core/reading.ts";
import type { Sink, SinkReport } from "../../src/core/sink.ts";

import type { DeadLetterStore } from "../../src/core/store.ts";
import { createTally } from "../../src/core/tally.ts";
import { createPayloadDecoder } from "../../src/decode/payload.ts";
import { createPipeline } from "../../src/pipeline.ts";
import { fairShareDefaults } from "../../src/scheduler/defaults.ts";
import { createMqttSource } from "../../src/source/mqtt/mqtt_source.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";
import { defaultOptions, testParts } from "../source/mqtt/parts.ts";
import { filterFile } from "../../src/store/filter_file.ts";
import { makeAuthority } from "../support/certificates.ts";
import type { Mosquitto, MosquittoOptions } from "../support/mosquitto.ts";
import { bothVersions, mosquittoTest, numbered, publish, publisher, run, type Running } from "../support/mqtt_rig.ts";
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

/** So many messages wait in the session of a client that has been there and gone. */
async function backlog(broker: Mosquitto, options: Parameters<typeof run>[0], count: number): Promise<string[]> {
  {
    await using running = await run(options);
    await running.subscribed();
  }
  const names = numbered(count, longName);
  await publish(broker, names);
  return names;
}

/** Settles a hundred at a time until all are read and acknowledged; returns the most that were pending. */
async function takeAll(running: Running, count: number): Promise<number> {
  let mostPending = 0;
  await eventually("all are read and acknowledged", () => {
    mostPending = Math.max(mostPending, running.status().pendingMessages);
    settleSome(running, 100);
    return running.names.length >= count && running.status().pendingMessages === 0;
  });
  return mostPending;
}

for (const version of ["3.1.1", "5"] as const) {
  mosquittoTest(
    `MQTT ${version}: a broker that sends more than the inbox takes is held back on one connection, and each message is sent and read once`,
    { config: ["max_queued_messages 0"] },
    async (broker) => {
      const options = { url: broker.url, version, receiveMax: 50 };
      const names = await backlog(broker, options, 3_000);
      await using running = await run(options, true);
      const mostPending = await takeAll(running, names.length);
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
  "Over TLS, which cannot be held back, a broker that sends more than the inbox takes is left and come back to; each message is read once",
  doors,
  async (broker) => {
    const options = { url: `mqtts://127.0.0.1:${tlsPort}`, tls: { ca: authority.ca }, receiveMax: 50 };
    const names = await backlog(broker, options, 500);
    await using running = await run(options, true);
    const mostPending = await takeAll(running, names.length);
    assert.deepEqual(running.names, names);
    assert.ok(mostPending <= 50, `${mostPending} were pending`);
  },
);

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

for (const version of bothVersions) {
  mosquittoTest(
    `MQTT ${version}: a connection that breaks again and again leaves nothing behind, and each message is read once`,
    { config: ["max_inflight_messages 0"] },
    async (broker) => {
      await using proxy = startTcpProxy(broker.port);
      // The pauses between the tries are a fifth as long; and no connection lives so long that its loss would be news, however slow the
      // machine is.
      const clock: Clock = {
        ...systemClock,
        nowMs: () => 0,
        after: (delayMs, act) => systemClock.after(delayMs / 5, act),
      };
      await using running = await run({ url: `mqtt://127.0.0.1:${proxy.port}`, version }, true, { clock });
      const names = numbered(70);
      const breaks = 5;
      await running.subscribed();
      for (let broken = 0; broken < breaks; broken++) {
        await publish(broker, names.slice(broken * 10, broken * 10 + 10));
        proxy.cut();
        // It may be back before we look: then it is the number that tells.
        await eventually("it notices", () => !running.status().connected || running.status().reconnects > broken);
        await publish(broker, names.slice(50 + broken * 4, 54 + broken * 4));
        await eventually("it is back", () => running.status().connected && running.status().reconnects > broken);
      }
      await eventually("all have come", () => running.names.length >= names.length);
      assert.deepEqual(running.names.toSorted(), names.toSorted(), "none is lost, and none is read twice");
      running.settleAll();
      await eventually("all are acknowledged", () => running.status().pendingMessages === 0);
      const { reconnects, pendingBytes, inboxReadings } = running.status();
      assert.deepEqual([reconnects, pendingBytes, inboxReadings, proxy.connections], [breaks, 0, 0, 1]);
      assert.equal(running.parts.said("mqtt.connection_lost").length, 1, "said once, though it goes on");
      assert.deepEqual(running.parts.said("mqtt.session_lost"), []);
      assert.deepEqual(running.parts.said("mqtt.messages_unclaimed"), []);
    },
  );

  mosquittoTest(
    `MQTT ${version}: a killed broker that had saved its sessions is come back to, and nothing is lost`,
    {},
    async (broker) => {
      await using running = await run({ url: broker.url, version }, true);
      await running.subscribed();
      await publish(broker, numbered(15));
      await eventually("all have come", () => running.names.length === 15);
      broker.save();
      await eventually("they are saved", async () => {
        return new TextDecoder().decode(await Deno.readFile(`${broker.folder}/mosquitto.db`)).includes("m14");
      });
      await broker.stop("SIGKILL");
      await eventually("the source notices", () => !running.status().connected);
      await broker.start();
      await eventually("it is back", () => running.status().connected);
      await publish(broker, ["after"]);
      running.settleAll();
      await eventually("new ones come", () => running.names.includes("after"));
      await eventually("all are acknowledged", () => running.status().pendingMessages === 0);
      assert.deepEqual([...new Set(running.names)], [...numbered(15), "after"]);
      assert.deepEqual(running.parts.said("mqtt.session_lost"), []);
    },
  );
}

mosquittoTest(
  "Payloads of 10 MB become dead letters with their bytes, within the inbox's bytes, and harm no other message",
  { config: ["max_queued_messages 0"] },
  async (broker) => {
    const inboxBytesMax = 32 * 1024 ** 2;
    const decodePayload = createPayloadDecoder({ payloadBytesMax: 1024 ** 2 });
    await using running = await run({ url: broker.url, inboxBytesMax }, true, { decodePayload });
    await running.subscribed();
    const large = `{"name":"${"x".repeat(10_000_000)}"}`;
    const client = await publisher(broker);
    for (let i = 0; i < 10; i++) {
      await client.publishAsync("plant/d1", large, { qos: 1 });
      await client.publishAsync("plant/d1", `{"name":"small ${i}"}`, { qos: 1 });
    }
    await client.endAsync();
    let most = 0;
    let letters = 0;
    await eventually("the inbox is full", () => running.status().pendingBytes > 20_000_000);
    await eventually("all have come", () => {
      most = Math.max(most, running.status().pendingBytes);
      for (const item of running.held) {
        if (item.kind !== "misfit") continue;
        letters += 1;
        assert.deepEqual([item.letter.reason, item.letter.raw.length], ["too_long", large.length]);
      }
      settleSome(running, Infinity);
      return running.names.length === 10 && letters === 10 && running.status().pendingMessages === 0;
    });
    assert.deepEqual(running.names, numbered(10, "small "));
    // One message and what was read already may be over it.
    assert.ok(most <= inboxBytesMax + 11_000_000, `${most} bytes were pending`);
    assert.equal(running.status().reconnects, 0);
  },
);

mosquittoTest(
  "A slow disk for dead letters holds up no reading, and nothing that is not safe is acknowledged",
  { config: ["max_inflight_messages 0"] },
  async (broker) => {
    const parts = testParts(systemClock);
    const disk = Promise.withResolvers<void>();
    const ledger = memoryLedger({ clock: systemClock, deadLetterBytesMax: 1_000_000 });
    let commits = 0;
    // Nothing at all is committed until all readings are through; then each commit takes as long as on a slow card.
    const letters: DeadLetterStore = {
      ...ledger,
      async append(batch) {
        await disk.promise;
        await sleep(systemClock, 50);
        commits += 1;
        return await ledger.append(batch);
      },
    };
    const delivered: string[] = [];
    const source = createMqttSource({ ...defaultOptions, url: broker.url, clientId: "weir-e2e" }, parts);
    const pipeline = createPipeline({
      ...parts,
      sources: [source],
      sink: sinkThatTakes((reading) => void delivered.push(String(reading.fields["name"]))),
      letters,
      fairShare: fairShareDefaults({ capRows: null }),
      tally: createTally(),
    });
    await pipeline.start();
    try {
      await eventually("it is subscribed", () => broker.log().includes("weir-e2e 1 plant/+"));
      const good = numbered(40);
      // Two before the first bad one, then one bad one behind each five.
      await publish(broker, good.flatMap((name, index) => index % 5 === 2 ? [`bad ${index}`, name] : [name]));
      await eventually("all readings are delivered", () => delivered.length === good.length);
      assert.deepEqual(delivered, good);
      assert.equal(commits, 0);
      await eventually("what is before the first bad one is acknowledged", () => acksIn(broker) === 2);
      assert.equal(await ledger.letterCount({}).then((count) => count.letters), 0);
      disk.resolve();
      await eventually("all are acknowledged", () => acksIn(broker) === 48);
      assert.equal(await ledger.letterCount({}).then((count) => count.letters), 8);
    } finally {
      await pipeline.close();
    }
  },
);

/** A sink that takes everything at once. */
function sinkThatTakes(take: (reading: Reading) => void): Sink {
  let report: SinkReport | null = null;
  return {
    name: "taking",
    open: (to) => Promise.resolve(void (report = to)),
    send(lane, readings) {
      readings.forEach(take);
      report?.delivered(lane, readings);
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    status: () => ({ kind: "taking", connected: true, trouble: null, inFlightReadings: 0, retries: 0, throttledMs: 0 }),
    check: () => Promise.resolve([]),
  };
}

function acksIn(broker: Mosquitto): number {
  return broker.log().match(/Received PUBACK from weir-e2e/g)?.length ?? 0;
}

/** Settles the oldest that are held. */
function settleSome(running: Running, count: number): void {
  for (const item of running.held.splice(0, count)) item.delivery.settle(item.index, "delivered");
}
