/**
 * Delay of a steady stream, from publish to Kafka's own clock (`LogAppendTime`): alone, beside a capped dump, beside an uncapped one.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { connectPublisher } from "../../src/demo/publisher.ts";
import { eventually } from "../support/servers.ts";
import { writeDump } from "./bench_data.ts";
import { kcatLines } from "./kcat_lines.ts";
import { interleaved, spread } from "./runs.ts";
import {
  type Figure,
  formatMicroseconds,
  formatRate,
  formatRss,
  type Scene,
  startGateway,
  topicEnd,
  withTopic,
} from "./scene.ts";
import { median, quantile } from "./statistics.ts";

/** Messages a second of the stream, in groups of 5 every 10 ms. */
export const perSecond = 500;
const groupsPerSecond = 100;
/** More than goes through beside a stream: a dump without a cap must not end before the stream does. */
const uncappedRowsPerSecond = 800_000;

/** What stands beside the stream. */
interface Beside {
  readonly name: string;
  readonly target: string;
  /** Rows/s, or `none`; null: no folder. */
  readonly cap: string | null;
  readonly rows: number;
}

interface DelayRun {
  readonly delaysMs: readonly number[];
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

/** Measures all three, interleaved, `times` times. */
export async function streamDelay(scene: Scene, seconds: number, times: number): Promise<readonly Figure[]> {
  const capped = 5000;
  const worlds: readonly Beside[] = [
    { name: "alone", target: "p50 8 ms, p99 13 ms; 120 us", cap: null, rows: 0 },
    {
      name: `beside a dump capped at ${capped}/s`,
      target: "p99 3 ms more than alone",
      cap: String(capped),
      rows: capped * (seconds + 2),
    },
    {
      name: "beside an uncapped dump",
      target: "p99 10 ms more than alone",
      cap: "none",
      rows: uncappedRowsPerSecond * seconds,
    },
  ];
  const kinds = worlds.map((world) => ({
    work: `stream of ${perSecond}/s, ${world.name}`,
    measure: () => measure(scene, world, seconds),
  }));
  const told = ({ delaysMs }: DelayRun) => `p50 ${quantile(delaysMs, 0.5)} ms, p99 ${quantile(delaysMs, 0.99)} ms`;
  const all = await interleaved(kinds, times, scene.progress, told);
  const alone = all[0] ?? [];
  return worlds.map((world, i) => figure(world, all[i] ?? [], i === 0 ? null : alone, seconds));
}

function figure(
  world: Beside,
  runs: readonly DelayRun[],
  alone: readonly DelayRun[] | null,
  seconds: number,
): Figure {
  const quantiles = (share: number, of = runs) => of.map(({ delaysMs }) => quantile(delaysMs, share));
  const told = (name: string, ms: readonly number[]) => {
    const range = spread(ms, String);
    return `${name} ${median(ms)} ms${range === "" ? "" : ` (${range})`}`;
  };
  const more = alone === null
    ? []
    : [`p99 ${
      median(quantiles(0.99).map((ms, round) => ms - (quantiles(0.99, alone)[round] ?? NaN)))
    } ms more than alone`];
  const delaysMs = runs.flatMap((run) => run.delaysMs);
  return {
    work: `stream of ${perSecond}/s, ${world.name}`,
    target: world.target,
    rate: formatRate(delaysMs.length / runs.length / seconds),
    cpuPerRecord: world.cap === null ? formatMicroseconds(median(runs.map(({ cpuUs }) => cpuUs))) : "",
    peakRss: formatRss(Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes))),
    remark: [
      `delay ${told("p50", quantiles(0.5))}, ${told("p99", quantiles(0.99))}, max ${median(quantiles(1))} ms`,
      ...more,
    ].join("; "),
    delays: { name: world.name, delaysMs },
  };
}

async function measure(scene: Scene, beside: Beside, seconds: number): Promise<DelayRun> {
  return await withTopic(scene, "delay", 4, async ({ topic, folder }) => {
    const drop = `${folder}/drop`;
    await Deno.mkdir(drop);
    const gateway = startGateway([
      ...["run", "--gateway", topic, "--state-dir", `${folder}/state`],
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
    const flowed = await topicEnd(scene, topic) - warmUp - messages;
    if (beside.rows > 0 && flowed >= beside.rows) {
      throw new Error(`The dump of ${beside.rows} rows ended before the stream`);
    }
    gateway.signal("SIGTERM");
    const cost = await gateway.ended;
    const delaysMs = (await streamDelays(scene, topic)).slice(warmUp);
    return { delaysMs, cpuUs: cpuMs * 1000 / messages, peakRssBytes: cost.peakRssBytes };
  }, { "message.timestamp.type": "LogAppendTime" });
}

/** Delays of the stream's readings, in the order in which Kafka took them. Rows of files are millions: of them no object is made. */
async function streamDelays(scene: Scene, topic: string): Promise<readonly number[]> {
  const found: { readonly atMs: number; readonly delayMs: number }[] = [];
  for await (const line of kcatLines(scene, topic, "%T %s\n")) {
    if (!line.includes('"real_time"')) continue;
    const atMs = Number(line.slice(0, line.indexOf(" ")));
    found.push({ atMs, delayMs: atMs - Number(JSON.parse(line.slice(line.indexOf(" ") + 1))["ts"]) });
  }
  return found.toSorted((a, b) => a.atMs - b.atMs).map(({ delayMs }) => delayMs);
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
