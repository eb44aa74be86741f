/**
 * What the program costs when nothing comes, and how soon after its start the first reading is forwarded.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { eventually, freePort } from "../support/servers.ts";
import { type Figure, formatRss, freshName, type Scene, startGateway, topicEnd } from "./scene.ts";
import { median } from "./statistics.ts";
import { perSecond, publishSteadily, until } from "./stream_delay.ts";

const idleSeconds = 20;

/** Measures both. */
export async function atRest(scene: Scene, times: number): Promise<readonly Figure[]> {
  return [await idle(scene), await start(scene, times)];
}

/** Streams and a folder, nothing comes, the status page on (nobody looks). */
async function idle(scene: Scene): Promise<Figure> {
  const topic = freshName("idle");
  await scene.kafka.createTopic(topic, 4);
  await Deno.mkdir(`${scene.folder}/${topic}`);
  const gateway = startGateway([
    ...[
      "run",
      "--gateway",
      topic,
      "--state-dir",
      `${scene.folder}/${topic}-state`,
      "--status-listen",
      `127.0.0.1:${freePort()}`,
    ],
    ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
    ...["--files-dir", `${scene.folder}/${topic}`, "--files-cap", "1000"],
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
  const cost = await gateway.ended;
  return {
    work: "at rest: streams, a folder and the status page, nothing comes",
    rate: "",
    cpuPerRecord: "",
    peakRss: formatRss(cost.peakRssBytes),
    remark: `${(cpuMs / (idleSeconds * 10)).toFixed(2)} % of a core over ${idleSeconds} s`,
  };
}

/** A retained message waits at the broker: how long after the program's start it is in Kafka, by Kafka's clock. */
async function start(scene: Scene, times: number): Promise<Figure> {
  const topic = freshName("start");
  await scene.kafka.createTopic(topic, 1, { "message.timestamp.type": "LogAppendTime" });
  const took: number[] = [];
  let peakRssBytes = 0;
  for (let i = 0; i < times; i++) {
    const name = `${topic}-${i}`;
    await publishSteadily(scene, name, 1, perSecond, true);
    const startedMs = systemClock.wallMs();
    const gateway = startGateway([
      ...["run", "--gateway", name, "--state-dir", `${scene.folder}/${name}-state`],
      ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${name}/{device_id}/{metric}`],
      ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ]);
    await eventually("it has come", async () => await topicEnd(scene, topic) > i, 20_000, 20);
    gateway.signal("SIGTERM");
    peakRssBytes = Math.max(peakRssBytes, (await gateway.ended).peakRssBytes);
    const records = await scene.kafka.read(topic);
    took.push(Math.max(...records.map(({ timestampMs }) => timestampMs)) - startedMs);
  }
  return {
    work: "start to the first reading in Kafka",
    rate: "",
    cpuPerRecord: "",
    peakRss: formatRss(peakRssBytes),
    remark: `${Math.round(median(took))} ms (${took.map(Math.round).join(", ")})`,
  };
}
