/**
 * The real program at a Kafka that is reached through a bad network: acknowledgements and requests are lost, connections hang and are cut.
 * Without a restart of the gateway nothing may be lost, nothing may arrive twice, and the order of each key must hold.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { seededDice } from "../../src/core/dice.ts";
import { arrivalsOf, assertFirstArrivalsInOrder, missingOf } from "../support/arrivals.ts";
import { startGateway } from "../support/gateway.ts";
import type { RunningKafka } from "../support/kafka.ts";
import { type FaultKind, faultKinds, type KafkaProxy } from "../support/kafka_proxy.ts";
import type { Mosquitto } from "../support/mosquitto.ts";
import { startSensors } from "../support/sensor_stream.ts";
import { eventually, patienceMs } from "../support/servers.ts";

/** How it is to be. */
export interface KafkaFaultsOptions {
  readonly seed: number;
  /** Default: all of them mixed. */
  readonly kinds?: readonly FaultKind[];
  readonly rows: number;
  /** At least so many messages. */
  readonly messages: number;
  /** The sensors speak on until so much went wrong: how many requests there are is the machine's speed. Default: 0. */
  readonly faults?: number;
  /** Longest time that a connection hangs. Default: past the gateway's own patience, which is 15 s. */
  readonly hangMsMax?: number;
  /** Of the Produce requests, how many are hit. Default: 0.08. */
  readonly share?: number;
}

/** What came of it; the promises held, or it would have thrown. */
export interface FaultsSummary {
  readonly happened: Readonly<Record<FaultKind, number>>;
  readonly messages: number;
  readonly rows: number;
  readonly tookMs: number;
}

/** One line for people. */
export function toldFaults({ happened, messages, rows, tookMs }: FaultsSummary): string {
  const faults = Object.entries(happened).map(([kind, times]) => `${times} ${kind}`).join(", ");
  return `${faults}: ${messages} messages and ${rows} rows, 0 lost, 0 doubled, in ${Math.round(tookMs / 1000)} s`;
}

const messagesPerSecond = 300;

/** Sends a stream and a dump through the bad network. */
export async function kafkaFaults(
  { kafka, proxy, mosquitto }: {
    readonly kafka: RunningKafka;
    readonly proxy: KafkaProxy;
    readonly mosquitto: Mosquitto;
  },
  options: KafkaFaultsOptions,
): Promise<FaultsSummary> {
  const { seed, rows, messages, faults = 0, kinds = faultKinds, hangMsMax = 20_000, share = 0.08 } = options;
  const root = await Deno.makeTempDir({ prefix: "weir-faults-" });
  const topic = `faults-${seed}-${kinds.join("-")}`;
  await Deno.mkdir(`${root}/drop`);
  const lines = Array.from({ length: rows }, (_, i) => `press-${i % 10},count,${i},1767225600000\n`);
  await Deno.writeTextFile(`${root}/drop/dump.csv`, `device_id,metric,value,ts\n${lines.join("")}`);
  await kafka.createTopic(topic, 4);
  const before = { ...proxy.happened };
  const startedMs = systemClock.nowMs();
  proxy.misbehave({ dice: seededDice(seed), kinds, share, hangMsMax });
  const gateway = startGateway([
    "run",
    ...["--log-level", "debug", "--gateway", "faults", "--state-dir", `${root}/state`],
    ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}", "--mqtt-client-id", topic],
    ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-cap", "2000/s"],
    ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", topic],
    ...["--drain-timeout", "60s"],
  ]);
  try {
    await gateway.logged(/Subscribed to/);
    const sensors = await startSensors(mosquitto, messagesPerSecond, systemClock);
    await eventually(
      "the sensors have spoken, and enough went wrong",
      () => sensors.sent >= messages && sumOf(differences(before, proxy.happened)) >= faults,
    );
    await sensors.stop();
    // A drain waits for its verdicts: with 0 everything that was taken in is acknowledged by Kafka. The rest of the dump first.
    await gateway.logged(/Finished "dump.csv"/, patienceMs + 30 * hangMsMax);
    assert.equal(await gateway.stop(), 0, gateway.stderr());
    const records = await kafka.read(topic);
    const stream = arrivalsOf(records, "real_time");
    const batch = arrivalsOf(records, "batch");
    assert.deepEqual(missingOf(stream.numbers, sensors.sent), [], "messages are lost");
    assert.deepEqual(missingOf(batch.numbers, rows), [], "rows are lost");
    assert.deepEqual([stream.twice, batch.twice], [0, 0], "arrived twice");
    assertFirstArrivalsInOrder(records, "real_time");
    assertFirstArrivalsInOrder(records, "batch");
    await Deno.remove(root, { recursive: true });
    return {
      happened: differences(before, proxy.happened),
      messages: sensors.sent,
      rows,
      tookMs: systemClock.nowMs() - startedMs,
    };
  } catch (thrown) {
    const log = gateway.stderr().slice(-8_000);
    throw new Error(`Kafka's faults (${kinds.join()}) with seed ${seed}; folders are kept in ${root}:\n${log}`, {
      cause: thrown,
    });
  } finally {
    proxy.misbehave(null);
    gateway.signal("SIGKILL");
    await gateway.ended;
  }
}

/** How much went wrong. */
export function sumOf(happened: Readonly<Record<FaultKind, number>>): number {
  return Object.values(happened).reduce((sum, times) => sum + times, 0);
}

function differences(
  before: Readonly<Record<FaultKind, number>>,
  after: Readonly<Record<FaultKind, number>>,
): Record<FaultKind, number> {
  return {
    request_lost: after.request_lost - before.request_lost,
    acknowledgement_lost: after.acknowledgement_lost - before.acknowledgement_lost,
    cut_in_frame: after.cut_in_frame - before.cut_in_frame,
    request_late: after.request_late - before.request_late,
    answer_late: after.answer_late - before.answer_late,
  };
}
