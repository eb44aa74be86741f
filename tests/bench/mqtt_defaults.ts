/**
 * Beside a Mosquitto as it comes, which keeps 20 messages in flight and queues 1,000 and drops the rest after it has acknowledged them:
 * what arrives at a steady rate, and the highest rate at which nothing is dropped.
 *
 * @module
 */
import { eventually } from "../support/servers.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { type Figure, formatRate, freshName, type Scene, startGateway, topicEnd } from "./scene.ts";
import { publishSteadily } from "./stream_delay.ts";

/** Rates that are tried, messages a second; the first is the one of the comparison with others. */
const rates = [500, 1000, 2000, 4000, 6000, 8000, 12_000, 16_000] as const;
const comparedMessages = 15_000;
const tryMessages = 20_000;
/** Nothing new for so long: what has not come was dropped. */
const stillMs = 3000;

/** Tries one rate after the other until messages are missing. */
export async function mqttDefaults(scene: Scene): Promise<readonly Figure[]> {
  const program = findMosquitto("the benchmark");
  if (program === null) return [];
  await using mosquitto = await startMosquitto(program, { logType: "error" });
  const figures: Figure[] = [];
  let best = 0;
  for (const perSecond of rates) {
    const messages = perSecond === rates[0] ? comparedMessages : tryMessages;
    const arrived = await arrivedAt({ ...scene, mosquitto }, perSecond, messages);
    scene.progress(`default Mosquitto, ${perSecond}/s: ${arrived} of ${messages} arrived`);
    if (perSecond === rates[0]) {
      figures.push(
        {
          ...figure(`default Mosquitto, a steady ${perSecond}/s`, perSecond, `${arrived} of ${messages} arrived`),
          target: `all of ${messages}`,
        },
      );
    }
    if (arrived < messages) {
      return [
        ...figures,
        figure(
          "default Mosquitto, the highest steady rate without loss",
          best,
          `${perSecond}/s: ${arrived} of ${messages} arrived`,
        ),
      ];
    }
    best = perSecond;
  }
  return [
    ...figures,
    figure("default Mosquitto, the highest steady rate without loss", best, "the highest that was tried"),
  ];
}

async function arrivedAt(scene: Scene, perSecond: number, messages: number): Promise<number> {
  const topic = freshName("defaults");
  await scene.kafka.createTopic(topic, 4);
  const gateway = startGateway([
    ...["run", "--gateway", topic, "--state-dir", `${scene.folder}/${topic}-state`],
    ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
    ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
  ]);
  await eventually("the gateway is connected", () => /Receiving from mqtt:/.test(gateway.stderr()), 20_000);
  await publishSteadily(scene, topic, messages, perSecond);
  let arrived = 0;
  let sinceMs = performance.now();
  await eventually(
    "no more come",
    async () => {
      const now = await topicEnd(scene, topic);
      if (now !== arrived) [arrived, sinceMs] = [now, performance.now()];
      return arrived >= messages || performance.now() - sinceMs > stillMs;
    },
    60_000,
    100,
  );
  gateway.signal("SIGTERM");
  await gateway.ended;
  await scene.kafka.admin((admin) => admin.deleteTopics({ topics: [topic] }));
  return arrived;
}

function figure(work: string, perSecond: number, remark: string): Figure {
  return { work, rate: formatRate(perSecond), cpuPerRecord: "", peakRss: "", remark };
}
