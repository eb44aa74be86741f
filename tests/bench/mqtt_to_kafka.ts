/**
 * MQTT to Kafka at full speed: QoS 1, each PUBACK held until Kafka has the reading. Mosquitto's queue is unlimited here: what is measured
 * is the gateway, not what a broker drops.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { connectPublisher, type Publisher } from "../../src/demo/publisher.ts";
import { eventually } from "../support/servers.ts";
import { median } from "./statistics.ts";
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

interface Run {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly peakRssBytes: number;
  readonly arrived: number;
}

/** Measures `times` times. */
export async function mqttToKafka(scene: Scene, messages: number, times: number): Promise<readonly Figure[]> {
  const runs: Run[] = [];
  for (let i = 0; i < times; i++) runs.push(await measure(scene, messages));
  const perSecond = median(runs.map((run) => run.perSecond));
  return [{
    work: "MQTT to Kafka, QoS 1, as fast as it goes",
    rate: formatRate(perSecond),
    perSecond,
    cpuPerRecord: formatMicroseconds(median(runs.map((run) => run.cpuUs))),
    peakRss: formatRss(Math.max(...runs.map((run) => run.peakRssBytes))),
    remark: `at least ${Math.min(...runs.map((run) => run.arrived))} of ${messages} arrived`,
  }];
}

async function measure(scene: Scene, messages: number): Promise<Run> {
  const topic = freshName("mqtt");
  await scene.kafka.createTopic(topic, 4);
  const gateway = startGateway([
    ...["run", "--gateway", topic, "--state-dir", `${scene.folder}/${topic}-state`],
    ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
    ...["--mqtt-receive-max", "5000"],
    ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
  ]);
  await eventually("the gateway is connected", () => /Receiving from mqtt:/.test(gateway.stderr()), 20_000);
  const idleCpuMs = gateway.cpuMs();
  const startedMs = systemClock.nowMs();
  const publisher = await connectPublisher({
    host: scene.mosquitto.host,
    port: scene.mosquitto.port,
    clientId: `${topic}-load`,
    inFlightMax: 2000,
  });
  await publishAll(publisher, topic, messages);
  await eventually("all arrived", async () => await topicEnd(scene, topic) >= messages, 120_000, 50);
  const seconds = (systemClock.nowMs() - startedMs) / 1000;
  const cpuMs = gateway.cpuMs() - idleCpuMs;
  await publisher.close();
  gateway.signal("SIGTERM");
  const cost = await gateway.ended;
  const arrived = await topicEnd(scene, topic);
  await scene.kafka.admin((admin) => admin.deleteTopics({ topics: [topic] }));
  return { perSecond: messages / seconds, cpuUs: cpuMs * 1000 / messages, peakRssBytes: cost.peakRssBytes, arrived };
}

async function publishAll(publisher: Publisher, prefix: string, messages: number): Promise<void> {
  for (let i = 0; i < messages;) {
    const payload = `{"value":${(20 + i % 800 / 10).toFixed(1)},"ts":${1_767_225_600_000 + i},"unit":"degC"}`;
    if (publisher.publish(`${prefix}/press-${i % 97}/temperature`, payload)) i += 1;
    else await new Promise<void>((resolve) => void systemClock.after(0, resolve));
  }
  await publisher.idle();
}
