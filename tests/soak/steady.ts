/**
 * Steady load for long, with random faults among it: a bad network before Kafka, Kafka killed, Mosquitto restarted. Without a restart of
 * the gateway the sums have to be exact at the end, and its memory must not have grown.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { type Dice, seededDice } from "../../src/core/dice.ts";
import { arrivalsOf, assertFirstArrivalsInOrder, missingOf } from "../support/arrivals.ts";
import { countOf } from "../support/kafka.ts";
import { startGateway } from "../support/gateway.ts";
import { faultKinds, type KafkaBehindProxy } from "../support/kafka_proxy.ts";
import type { Mosquitto } from "../support/mosquitto.ts";
import { say } from "../support/seed.ts";
import { type SensorStream, startSensors } from "../support/sensor_stream.ts";
import { eventually } from "../support/servers.ts";
import { thirdsOf, watchMemory } from "./memory.ts";

const messagesPerSecond = 100;
const rowsPerDump = 3_000;
/** A dump at each start of such a time. */
const dumpEveryMs = 30_000;
/** Between two faults, at most. */
const faultEveryMsMax = 40_000;
/** By so much the memory of the last third may be over that of the first, in MiB. */
const growthMax = 40;

/** Runs it for so long. */
export async function steady(
  servers: KafkaBehindProxy & { readonly mosquitto: Mosquitto },
  minutes: number,
  seed: number,
): Promise<void> {
  const { kafka, mosquitto } = servers;
  const dice = seededDice(seed);
  const root = await Deno.makeTempDir({ prefix: "weir-steady-" });
  const topic = `steady-${seed}`;
  await Deno.mkdir(`${root}/drop`);
  await kafka.createTopic(topic, 4);
  const gateway = startGateway([
    "run",
    ...["--log-level", "debug", "--gateway", "steady", "--state-dir", `${root}/state`, "--drain-timeout", "120s"],
    ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}", "--mqtt-client-id", topic],
    ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", "500/s"],
    ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", topic],
  ]);
  const memory = watchMemory(gateway.pid);
  const untilMs = systemClock.nowMs() + minutes * 60_000;
  let rows = 0;
  let faults = 0;
  try {
    await gateway.logged(/Subscribed to/);
    const sensors = await startSensors(mosquitto, messagesPerSecond, systemClock);
    const dumping = (async () => {
      for (let dump = 0; systemClock.nowMs() < untilMs; dump++) {
        await drop(root, dump, rows);
        rows += rowsPerDump;
        await sleep(systemClock, Math.min(dumpEveryMs, untilMs - systemClock.nowMs()));
      }
    })();
    while (systemClock.nowMs() < untilMs) {
      await sleep(systemClock, Math.min(dice() * faultEveryMsMax, untilMs - systemClock.nowMs()));
      say(`steady: ${await fault(servers, sensors, dice)}; memory ${Math.round(memory.mebibytes.at(-1) ?? 0)} MiB`);
      faults += 1;
    }
    await dumping;
    await sensors.stop();
    const last = String(Math.ceil(rows / rowsPerDump) - 1).padStart(6, "0");
    await gateway.logged(new RegExp(`Finished "dump-${last}`), 300_000);
    // The broker may hold the last messages until the gateway is back with it.
    await eventually(
      "everything is in Kafka",
      async () => await countOf(kafka, topic) >= sensors.sent + rows,
      120_000,
      500,
    );
    await memory.stop();
    assert.equal(await gateway.stop(), 0, gateway.stderr().slice(-4_000));
    const records = await kafka.read(topic);
    const [stream, batch] = [arrivalsOf(records, "real_time"), arrivalsOf(records, "batch")];
    assert.deepEqual(missingOf(stream.numbers, sensors.sent), [], "messages are lost");
    assert.deepEqual(missingOf(batch.numbers, rows), [], "rows are lost");
    assert.equal(batch.twice, 0, "rows arrived twice");
    // A Mosquitto that stops may not have read our last PUBACKs: it sends those messages again, marked.
    assert.equal(stream.recognisable, stream.twice, "a message that came twice is weir.redelivered");
    assertFirstArrivalsInOrder(records, "real_time");
    assertFirstArrivalsInOrder(records, "batch");
    const thirds = thirdsOf(memory.mebibytes);
    const most = Math.round(Math.max(...memory.mebibytes));
    say(
      `steady, seed ${seed}: ${minutes} minutes, ${faults} faults, ${sensors.sent} messages and ${rows} rows, 0 lost; ` +
        `sent twice and recognisable: ${stream.twice} messages, 0 rows; ` +
        `memory by thirds ${thirds.join(", ")} MiB, at most ${most} MiB`,
    );
    assert.ok((thirds[2] ?? NaN) <= (thirds[0] ?? NaN) + growthMax, `memory grows: ${thirds} MiB`);
    await Deno.remove(root, { recursive: true });
  } catch (thrown) {
    await Deno.writeTextFile(`${root}/gateway.log`, gateway.stderr());
    throw new Error(`Steady load with seed ${seed}; folders and the gateway's log are kept in ${root}`, {
      cause: thrown,
    });
  } finally {
    servers.proxy.misbehave(null);
    await memory.stop();
    gateway.signal("SIGKILL");
    await gateway.ended;
  }
}

/** One fault; what it was, for people. */
async function fault(
  { kafka, proxy, mosquitto }: KafkaBehindProxy & { readonly mosquitto: Mosquitto },
  sensors: SensorStream,
  dice: Dice,
): Promise<string> {
  const kind = dice();
  if (kind < 0.5) {
    const forMs = 2_000 + dice() * 8_000;
    proxy.misbehave({ dice, kinds: faultKinds, share: 0.1, hangMsMax: 20_000 });
    await sleep(systemClock, forMs);
    proxy.misbehave(null);
    return `a bad network for ${(forMs / 1000).toFixed(1)} s`;
  }
  if (kind < 0.75) {
    await kafka.stop(dice() < 0.5 ? "SIGKILL" : "SIGTERM");
    await sleep(systemClock, dice() * 10_000);
    await kafka.start();
    return "Kafka was away";
  }
  await sensors.pause();
  await mosquitto.stop();
  await mosquitto.start();
  await sensors.resume();
  return "Mosquitto was restarted";
}

async function drop(root: string, dump: number, from: number): Promise<void> {
  const lines = Array.from({ length: rowsPerDump }, (_, i) => `press-${i % 10},count,${from + i},1767225600000`);
  const path = `${root}/drop/dump-${String(dump).padStart(6, "0")}.csv`;
  await Deno.writeTextFile(`${path}.part`, `device_id,metric,value,ts\n${lines.join("\n")}\n`);
  await Deno.rename(`${path}.part`, path);
}
