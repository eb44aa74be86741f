/**
 * MQTT to Kafka at full speed: QoS 1, each PUBACK held until Kafka has the reading. Mosquitto's queue is unlimited here: what is measured
 * is the gateway, not what a broker drops.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { connectPublisher } from "../../src/demo/publisher.ts";
import { eventually } from "../support/servers.ts";
import type { MeasuredProcess } from "./measured_process.ts";
import { arrivals, type Peer, startPeer } from "./peers.ts";
import { figureOf, interleaved, type Kind, pairedRatio, type Run, toldRun } from "./runs.ts";
import { type Figure, type Scene, startGateway, topicEnd, withTopic } from "./scene.ts";

/** Where the messages come from and go to. */
interface Place {
  readonly topic: string;
  readonly folder: string;
}

/** Measures, interleaved, `times` times. */
export async function mqttToKafka(
  scene: Scene,
  messages: number,
  times: number,
  peers: readonly Peer[],
): Promise<readonly Figure[]> {
  const kinds: readonly Kind<Run>[] = [
    {
      work: "MQTT to Kafka, QoS 1, as fast as it goes",
      target: "9 us; 45,000/s",
      measure: () => flood(scene, messages, (place) => weir(scene, place)),
    },
    ...peers.map((peer) => ({
      work: `${peer.name}: MQTT to Kafka, QoS 1`,
      measure: () => flood(scene, messages, (place) => started(scene, peer, place)),
    })),
  ];
  const all = await interleaved(kinds, times, scene.progress, toldRun);
  const [own = []] = all;
  return kinds.map((kind, i) => {
    const runs = all[i] ?? [];
    const least = Math.min(...runs.map(({ arrived = messages }) => arrived));
    const ratios = i > 0
      ? []
      : peers.map(({ name }, which) =>
        `${
          pairedRatio(own.map((run) => run.perSecond), (all[which + 1] ?? []).map((run) => run.perSecond)).toFixed(2)
        } times the rate of ${name}`
      );
    return figureOf(kind, runs, [`at least ${least} of ${messages} arrived`, ...ratios].join("; "));
  });
}

async function flood(
  scene: Scene,
  messages: number,
  start: (place: Place) => Promise<MeasuredProcess>,
): Promise<Run> {
  return await withTopic(scene, "mqtt", 4, async (place) => {
    const process = await start(place);
    const before = await topicEnd(scene, place.topic);
    const idleCpuMs = process.cpuMs();
    const startedMs = systemClock.nowMs();
    const publishing = publishAll(scene, messages, (i) => `${place.topic}/press-${i % 97}/temperature`);
    const { arrived: end, lastMs } = await arrivals(scene, place.topic, before + messages);
    const arrived = Math.min(messages, end - before);
    const cpuMs = process.cpuMs() - idleCpuMs;
    await publishing;
    process.signal("SIGTERM");
    const cost = await process.ended;
    if (arrived === 0) throw new Error(`Nothing arrived:\n${cost.stderr.slice(-2000)}`);
    return {
      perSecond: arrived * 1000 / (lastMs - startedMs),
      cpuUs: cpuMs * 1000 / arrived,
      peakRssBytes: cost.peakRssBytes,
      arrived,
    };
  });
}

async function weir(scene: Scene, { topic, folder }: Place): Promise<MeasuredProcess> {
  const gateway = startGateway([
    ...["run", "--gateway", topic, "--state-dir", `${folder}/state`],
    ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
    ...["--mqtt-receive-max", "5000"],
    ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
  ]);
  await eventually("the gateway is connected", () => /Receiving from mqtt:/.test(gateway.stderr()), 20_000);
  return gateway;
}

/** It says nothing when it is connected: one message after the other is published until one comes out, and then they all have to. */
async function started(scene: Scene, peer: Peer, { topic, folder }: Place): Promise<MeasuredProcess> {
  const { host, port } = scene.mosquitto;
  const process = await startPeer(
    peer,
    folder,
    peer.fromMqtt({ brokers: scene.kafka.brokers, topic, host, port, prefix: topic }),
  );
  await eventually(
    `${peer.name} is connected`,
    async () => {
      await publishAll(scene, 1, () => `${topic}/press-0/temperature`);
      return await topicEnd(scene, topic) > 0;
    },
    30_000,
    200,
  );
  return process;
}

/** Publishes at full speed; the broker has all of them when it resolves. */
export async function publishAll(
  scene: Scene,
  messages: number,
  topicOf: (index: number) => string,
): Promise<void> {
  const publisher = await connectPublisher({
    host: scene.mosquitto.host,
    port: scene.mosquitto.port,
    clientId: `load-${crypto.randomUUID().slice(0, 8)}`,
    inFlightMax: 2000,
  });
  for (let i = 0; i < messages;) {
    const payload = `{"value":${(20 + i % 800 / 10).toFixed(1)},"ts":${1_767_225_600_000 + i},"unit":"degC"}`;
    if (publisher.publish(topicOf(i), payload)) i += 1;
    else await new Promise<void>((resolve) => void systemClock.after(0, resolve));
  }
  await publisher.idle();
  await publisher.close();
}
