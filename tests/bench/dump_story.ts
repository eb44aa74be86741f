/**
 * What Weir is for, in one picture: a stream all the time, a dump in the middle, what goes to Kafka each second, and the stream's delay.
 *
 * @module
 */
import type { ConsumedRecord } from "../support/kafka.ts";
import { eventually } from "../support/servers.ts";
import { writeDump } from "./bench_data.ts";
import { type Figure, freshName, type Scene, startGateway, topicEnd } from "./scene.ts";
import { quantile } from "./statistics.ts";
import { perSecond, publishSteadily } from "./stream_delay.ts";
import { area, colours, columns, line, linearScale, picture, type Plot, rows, text } from "./svg.ts";

/** One second of the story. */
export interface StorySecond {
  readonly streamed: number;
  readonly fromFiles: number;
  readonly delayP99Ms: number;
}

const [quietSeconds, dumpSeconds, cap] = [8, 20, 5000];
const flows: Plot = { left: 80, right: 900, top: 66, bottom: 250 };
const delays: Plot = { left: 80, right: 900, top: 300, bottom: 400 };

/** Runs it once and draws it. */
export async function dumpStory(scene: Scene): Promise<Figure> {
  const seconds = await record(scene);
  scene.progress("a dump beside a stream: recorded");
  const during = seconds.filter(({ fromFiles }) => fromFiles > 0);
  const before = seconds.filter(({ fromFiles }) => fromFiles === 0);
  const worst = (some: readonly StorySecond[]) => quantile(some.map(({ delayP99Ms }) => delayP99Ms), 0.5);
  return {
    work: `a dump of ${(dumpSeconds * cap).toLocaleString("en-US")} rows dropped beside a stream of ${perSecond}/s`,
    rate: `${cap.toLocaleString("en-US")}/s cap`,
    cpuPerRecord: "",
    peakRss: "",
    remark: `p99 of a second, typically: ${worst(before)} ms without, ${worst(during)} ms beside it`,
    pictures: { "dump.svg": storyPicture(seconds) },
  };
}

async function record(scene: Scene): Promise<readonly StorySecond[]> {
  const topic = freshName("story");
  const drop = `${scene.folder}/${topic}`;
  await scene.kafka.createTopic(topic, 4, { "message.timestamp.type": "LogAppendTime" });
  await Deno.mkdir(drop);
  await writeDump(`${drop}/dump.csv.part`, dumpSeconds * cap, "csv");
  const gateway = startGateway([
    ...["run", "--gateway", topic, "--state-dir", `${drop}-state`],
    ...["--mqtt-url", scene.mosquitto.url, "--mqtt-topic", `${topic}/{device_id}/{metric}`],
    ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ...["--files-dir", drop, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", String(cap)],
  ]);
  await eventually("the gateway is connected", () => /Receiving from mqtt:/.test(gateway.stderr()), 20_000);
  await publishSteadily(scene, topic, 2 * perSecond);
  await eventually("it is warm", async () => await topicEnd(scene, topic) >= 2 * perSecond, 20_000);
  await publishSteadily(scene, topic, quietSeconds * perSecond);
  await Deno.rename(`${drop}/dump.csv.part`, `${drop}/dump.csv`);
  await publishSteadily(scene, topic, (dumpSeconds + quietSeconds) * perSecond);
  gateway.signal("SIGTERM");
  await gateway.ended;
  const records = await scene.kafka.read(topic);
  await scene.kafka.admin((admin) => admin.deleteTopics({ topics: [topic] }));
  return bySecond(records.toSorted((a, b) => a.timestampMs - b.timestampMs).slice(2 * perSecond));
}

function bySecond(records: readonly ConsumedRecord[]): readonly StorySecond[] {
  const startMs = records[0]?.timestampMs ?? 0;
  const seconds: { streamed: number; fromFiles: number; delaysMs: number[] }[] = [];
  for (const { timestampMs, value } of records) {
    const at = Math.floor((timestampMs - startMs) / 1000);
    const second = seconds[at] ??= { streamed: 0, fromFiles: 0, delaysMs: [] };
    const reading: Record<string, unknown> = JSON.parse(value ?? "{}");
    if (reading["origin"] === "batch") {
      second.fromFiles += 1;
    } else {
      second.streamed += 1;
      second.delaysMs.push(timestampMs - Number(reading["ts"]));
    }
  }
  // The last second is not a whole one.
  return Array.from(seconds).slice(0, -1).map((second) => ({
    streamed: second?.streamed ?? 0,
    fromFiles: second?.fromFiles ?? 0,
    delayP99Ms: quantile(second?.delaysMs ?? [0], 0.99),
  }));
}

/** Above what goes to Kafka each second, below the delay of the stream. */
export function storyPicture(seconds: readonly StorySecond[]): string {
  const x = linearScale(seconds.length - 1, flows.left, flows.right, 8);
  const y = linearScale(Math.max(...seconds.map((one) => one.streamed + one.fromFiles)), flows.bottom, flows.top, 4);
  const yDelay = linearScale(Math.max(20, ...seconds.map((one) => one.delayP99Ms)), delays.bottom, delays.top, 3);
  const points = (of: (second: StorySecond) => number) =>
    seconds.map((second, i) => [x.at(i), y.at(of(second))] as const);
  const base = points(() => 0);
  const stream = points((second) => second.streamed);
  const both = points((second) => second.streamed + second.fromFiles);
  return picture({
    width: 960,
    height: 460,
    title: "A dump beside a stream: the file takes its cap, the sensors hardly notice",
    description: "Above: records a second that reach Kafka. The stream stays at 500 a second; while the dump is " +
      "read, its rows come on top at the cap of 5,000 a second. Below: the delay of the stream, which stays within some ms of where it was.",
  }, [
    ...rows(flows, y, (value) => value.toLocaleString("en-US")),
    area(both, stream, colours.files),
    area(stream, base, colours.stream),
    text(flows.left + 10, flows.top - 10, "records a second that reach Kafka", { bold: true }),
    text(flows.left + 290, flows.top - 10, "rows of the dump, capped at 5,000/s", { colour: colours.files }),
    text(flows.left + 560, flows.top - 10, "messages of the sensors, 500/s", { colour: colours.stream }),
    ...rows(delays, yDelay, (ms) => `${ms} ms`),
    line(seconds.map((second, i) => [x.at(i), yDelay.at(second.delayP99Ms)]), colours.stream),
    text(flows.left + 10, delays.top - 10, "delay of the sensors' messages, publish to Kafka: p99 of each second", {
      bold: true,
    }),
    ...columns(delays, x, (second) => `${second} s`),
  ]);
}
