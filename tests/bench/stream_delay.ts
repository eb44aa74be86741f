/**
 * Delay of a steady stream, from publish to Kafka's own clock (`LogAppendTime`): alone, beside a capped dump, beside an uncapped one. The
 * capped dump also shows how exactly the cap holds, as Kafka sees it.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { connectPublisher } from "../../src/demo/publisher.ts";
import type { ConsumedRecord } from "../support/kafka.ts";
import { eventually } from "../support/servers.ts";
import { writeDump } from "./bench_data.ts";
import { mostInWindow, quantile } from "./statistics.ts";
import {
  type Figure,
  formatMicroseconds,
  formatRate,
  formatRss,
  freshName,
  type Scene,
  startGateway,
  topicEnd,
} from "./scene.ts";

/** Messages a second of the stream, in groups of 5 every 10 ms. */
export const perSecond = 500;
const groupsPerSecond = 100;

/** What stands beside the stream. */
interface Beside {
  readonly name: string;
  /** Rows/s, or `none`. */
  readonly cap: string | null;
  readonly rows: number;
}

/** Measures all three, one after the other. */
export async function streamDelay(scene: Scene, seconds: number): Promise<readonly Figure[]> {
  const capped = 5000;
  const figures: Figure[] = [];
  const worlds: readonly Beside[] = [
    { name: "alone", cap: null, rows: 0 },
    { name: `beside a dump capped at ${capped}/s`, cap: String(capped), rows: capped * (seconds + 2) },
    { name: "beside an uncapped dump", cap: "none", rows: 60_000 * seconds },
  ];
  for (const world of worlds) figures.push(...await measure(scene, world, seconds));
  return figures;
}

async function measure(scene: Scene, beside: Beside, seconds: number): Promise<readonly Figure[]> {
  const topic = freshName("delay");
  const drop = `${scene.folder}/${topic}`;
  await scene.kafka.createTopic(topic, 4, { "message.timestamp.type": "LogAppendTime" });
  await Deno.mkdir(drop);
  const gateway = startGateway([
    ...["run", "--gateway", topic, "--state-dir", `${drop}-state`],
    ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
    ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ...(beside.cap === null
      ? []
      : ["--files-dir", drop, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", beside.cap]),
  ]);
  await eventually("the gateway is connected", () => /Receiving from mqtt:/.test(gateway.stderr()), 20_000);
  const messages = perSecond * seconds;
  const warmUp = perSecond;
  await publishSteadily(scene, topic, warmUp);
  await eventually("it is warm", async () => await topicEnd(scene, topic) >= warmUp, 20_000);
  if (beside.cap !== null) {
    await writeDump(`${drop}/dump.csv.part`, beside.rows, "csv");
    await Deno.rename(`${drop}/dump.csv.part`, `${drop}/dump.csv`);
    await eventually("the dump flows", async () => await topicEnd(scene, topic) > warmUp, 30_000, 5);
  }
  const cpuBeforeMs = gateway.cpuMs();
  await publishSteadily(scene, topic, messages);
  const cpuMs = gateway.cpuMs() - cpuBeforeMs;
  gateway.signal("SIGTERM");
  const cost = await gateway.ended;
  const records = await scene.kafka.read(topic);
  await scene.kafka.admin((admin) => admin.deleteTopics({ topics: [topic] }));
  const stream = records.filter((record) => record.value?.includes('"real_time"'));
  const delays = stream.slice().sort((a, b) => a.timestampMs - b.timestampMs).slice(warmUp)
    .map((record) => record.timestampMs - Number(JSON.parse(record.value ?? "{}")["ts"]));
  const figure: Figure = {
    work: `stream of ${perSecond}/s, ${beside.name}`,
    rate: formatRate(delays.length / seconds),
    cpuPerRecord: beside.cap === null ? formatMicroseconds(cpuMs * 1000 / messages) : "",
    peakRss: formatRss(cost.peakRssBytes),
    remark: `delay p50 ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms, max ${quantile(delays, 1)} ms`,
    delays: { name: beside.name, delaysMs: delays },
  };
  if (beside.cap === null || beside.cap === "none") return [figure];
  return [figure, capFigure(records, Number(beside.cap))];
}

function capFigure(records: readonly ConsumedRecord[], cap: number): Figure {
  const times = records.filter((record) => record.value?.includes('"batch"')).map((record) => record.timestampMs);
  const spanSeconds = (Math.max(...times.slice(-1)) - (times[0] ?? 0)) / 1000;
  const most = mostInWindow(times, 1000);
  const mostTen = mostInWindow(times, 10_000);
  return {
    work: `the cap of ${cap}/s, seen in Kafka`,
    rate: formatRate(times.length / Math.max(1, spanSeconds)),
    cpuPerRecord: "",
    peakRss: "",
    remark: `most in 1 s: ${most} (${percent(most / cap)}), in 10 s: ${mostTen} (${percent(mostTen / cap / 10)})`,
  };
}

function percent(share: number): string {
  return `${((share - 1) * 100).toFixed(1)} %`;
}

/** Publishes at an even rate; each payload holds the time at which it was handed to the socket. */
export async function publishSteadily(
  scene: Scene,
  prefix: string,
  messages: number,
  rate = perSecond,
  retain = false,
): Promise<void> {
  const publisher = await connectPublisher({
    host: scene.mosquitto.host,
    port: scene.mosquitto.port,
    clientId: `${prefix}-steady`,
    inFlightMax: 20_000,
  });
  const group = Math.max(1, Math.round(rate / groupsPerSecond));
  const startedMs = systemClock.nowMs();
  for (let i = 0; i < messages; i++) {
    if (i % group === 0) await until(startedMs + i * 1000 / rate);
    const payload = `{"value":${i},"ts":${systemClock.wallMs()}}`;
    if (!publisher.publish(`${prefix}/sensor-${i % 50}/temperature`, payload, retain)) {
      throw new Error(`The broker keeps more than 20,000 messages of ours unacknowledged`);
    }
  }
  await publisher.idle();
  await publisher.close();
}

/** Resolves at a time of the monotonic clock. */
export function until(atMs: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(Math.max(0, atMs - systemClock.nowMs()), resolve));
}
