/**
 * Kafka is away while sensors go on speaking, for a minute or for many: afterwards everything has to be there, once and in order, and live
 * readings have to arrive at once again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { arrivalsOf, assertFirstArrivalsInOrder, missingOf } from "../support/arrivals.ts";
import { startGateway } from "../support/gateway.ts";
import { type ConsumedRecord, countOf, type RunningKafka } from "../support/kafka.ts";
import type { Mosquitto } from "../support/mosquitto.ts";
import { startSensors } from "../support/sensor_stream.ts";
import { eventually, patienceMs } from "../support/servers.ts";

/** How it is to be. */
export interface OutageOptions {
  /** Name of the topic and of the gateway. */
  readonly name: string;
  readonly seconds: number;
  readonly messagesPerSecond: number;
}

/** What came of it; the promises held, or it would have thrown. */
export interface OutageSummary {
  readonly messages: number;
  /** From Kafka's return until the last reading left that was late by more than a second. */
  readonly caughtUpAfterMs: number;
  /** Delay from the sensor to Kafka of the last thousand readings, ms: the median and 99 of 100. */
  readonly liveMs: readonly [p50: number, p99: number];
}

/** One line for people. */
export function toldOutage({ messages, caughtUpAfterMs, liveMs }: OutageSummary): string {
  const [p50, p99] = liveMs.map(Math.round);
  return `${messages} messages, 0 lost, 0 doubled; live again ${
    (caughtUpAfterMs / 1000).toFixed(1)
  } s after Kafka's return, ` +
    `then p50 ${p50} ms, p99 ${p99} ms from sensor to Kafka`;
}

/** Later than this a reading is not live. */
const lateMs = 1_000;

/** Runs it. */
export async function outage(
  { kafka, mosquitto }: { readonly kafka: RunningKafka; readonly mosquitto: Mosquitto },
  { name, seconds, messagesPerSecond }: OutageOptions,
): Promise<OutageSummary> {
  const root = await Deno.makeTempDir({ prefix: "weir-outage-" });
  await kafka.createTopic(name, 3);
  const gateway = startGateway([
    "run",
    ...["--log-level", "debug", "--gateway", name, "--state-dir", `${root}/state`],
    ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}", "--mqtt-client-id", name],
    ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", name],
  ]);
  try {
    await gateway.logged(/Subscribed to/);
    const sensors = await startSensors(mosquitto, messagesPerSecond, systemClock);
    await eventually("readings arrive", async () => await countOf(kafka, name) > messagesPerSecond);
    await kafka.stop("SIGKILL");
    const untilSent = sensors.sent + seconds * messagesPerSecond;
    await sleep(systemClock, seconds * 1000);
    // On a machine with much else to do the sensors are slower than they should be: as many as were asked for all the same.
    await eventually("the sensors have spoken", () => sensors.sent >= untilSent, patienceMs + 5 * seconds * 1000);
    await kafka.start();
    const backMs = systemClock.wallMs();
    await eventually(
      "Kafka has all but the last moment's",
      async () => {
        const { sent } = sensors;
        return await countOf(kafka, name) >= sent - messagesPerSecond / 10;
      },
      patienceMs + 5 * seconds * 1000,
    );
    const live = sensors.sent + 2 * messagesPerSecond;
    await eventually("live readings flow", () => sensors.sent > live);
    await sensors.stop();
    await eventually("everything is in Kafka", async () => await countOf(kafka, name) >= sensors.sent);
    assert.equal(await gateway.stop(), 0, gateway.stderr());
    const records = await kafka.read(name);
    const arrived = arrivalsOf(records, "real_time");
    assert.deepEqual(missingOf(arrived.numbers, sensors.sent), [], "messages are lost");
    assert.equal(arrived.twice, 0, "messages arrived twice");
    assertFirstArrivalsInOrder(records, "real_time");
    await Deno.remove(root, { recursive: true });
    return { messages: sensors.sent, ...delaysOf(records, sensors.publishedMs, backMs) };
  } catch (thrown) {
    const log = gateway.stderr().slice(-8_000);
    throw new Error(`An outage of ${seconds} s; folders are kept in ${root}:\n${log}`, { cause: thrown });
  } finally {
    gateway.signal("SIGKILL");
    await gateway.ended;
    await kafka.start();
  }
}

function delaysOf(
  records: readonly ConsumedRecord[],
  publishedMs: readonly number[],
  backMs: number,
): Pick<OutageSummary, "caughtUpAfterMs" | "liveMs"> {
  const delays: number[] = [];
  let lastLateMs = backMs;
  for (const { value, timestampMs } of records) {
    const number = Number(JSON.parse(value ?? "{}")["value"]);
    const delay = timestampMs - (publishedMs[number] ?? timestampMs);
    delays[number] = delay;
    if (delay > lateMs) lastLateMs = Math.max(lastLateMs, timestampMs);
  }
  const last = delays.slice(-1_000).toSorted((a, b) => a - b);
  const at = (share: number) => last[Math.floor(share * (last.length - 1))] ?? NaN;
  return { caughtUpAfterMs: lastLateMs - backMs, liveMs: [at(0.5), at(0.99)] };
}
