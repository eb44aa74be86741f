/**
 * What the program costs when nothing comes, and how soon after its start the first reading is forwarded.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { eventually, freePort } from "../support/servers.ts";
import { interleaved, spread } from "./runs.ts";
import { type Figure, formatRss, type Scene, startGateway, topicEnd, withTopic } from "./scene.ts";
import { median } from "./statistics.ts";
import { perSecond, publishSteadily, until } from "./stream_delay.ts";

const idleSeconds = 20;

/** What one run found: a share of a core in percent, or a time in ms. */
interface Rest {
  readonly value: number;
  readonly peakRssBytes: number;
}

/** Measures both, interleaved, `times` times. */
export async function atRest(scene: Scene, times: number): Promise<readonly Figure[]> {
  const kinds = [
    {
      work: "at rest: streams, a folder and the status page, nothing comes",
      target: "0.5 % of a core",
      told: (value: number) => `${value.toFixed(2)} %`,
      measure: () => idle(scene),
    },
    {
      work: "start to the first reading in Kafka",
      target: "500 ms",
      told: (value: number) => `${Math.round(value)} ms`,
      measure: () => start(scene),
    },
  ];
  const all = await interleaved(kinds, times, scene.progress, ({ value }) => value.toFixed(2));
  return kinds.map(({ work, target, told }, i) => {
    const runs = all[i] ?? [];
    const values = runs.map(({ value }) => value);
    return {
      work,
      target,
      rate: "",
      cpuPerRecord: "",
      peakRss: formatRss(Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes))),
      remark: [told(median(values)), spread(values, told)].filter((text) => text !== "").join("; "),
    };
  });
}

/** Streams and a folder, nothing comes, the status page on (nobody looks). */
async function idle(scene: Scene): Promise<Rest> {
  return await withTopic(scene, "idle", 4, async ({ topic, folder }) => {
    await Deno.mkdir(`${folder}/drop`);
    const gateway = startGateway([
      ...["run", "--gateway", topic, "--state-dir", `${folder}/state`, "--status-listen", `127.0.0.1:${freePort()}`],
      ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
      ...["--files-dir", `${folder}/drop`, "--files-cap", "1000"],
      ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ]);
    await eventually("the gateway is connected", () => /Receiving from mqtt:/.test(gateway.stderr()), 20_000);
    await publishSteadily(scene, topic, perSecond);
    await eventually("it is warm", async () => await topicEnd(scene, topic) >= perSecond, 20_000);
    await until(systemClock.nowMs() + 2000);
    const beforeMs = gateway.cpuMs();
    await until(systemClock.nowMs() + idleSeconds * 1000);
    const cpuMs = gateway.cpuMs() - beforeMs;
    gateway.signal("SIGTERM");
    const { peakRssBytes } = await gateway.ended;
    return { value: cpuMs / (idleSeconds * 10), peakRssBytes };
  });
}

/** A retained message waits at the broker: how long after the program's start it is in Kafka, by Kafka's clock. */
async function start(scene: Scene): Promise<Rest> {
  return await withTopic(scene, "start", 1, async ({ topic, folder }) => {
    await publishSteadily(scene, topic, 1, perSecond, true);
    const startedMs = systemClock.wallMs();
    const gateway = startGateway([
      ...["run", "--gateway", topic, "--state-dir", `${folder}/state`],
      ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
      ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ]);
    await eventually("it has come", async () => await topicEnd(scene, topic) > 0, 20_000, 20);
    gateway.signal("SIGTERM");
    const { peakRssBytes } = await gateway.ended;
    const { timestampMs } = await scene.kafka.first(topic, 0);
    return { value: timestampMs - startedMs, peakRssBytes };
  }, { "message.timestamp.type": "LogAppendTime" });
}
