/**
 * What every measurement needs: a real Kafka, a real Mosquitto, a folder, and the command that is measured.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { countOf, type RunningKafka } from "../support/kafka.ts";
import type { Mosquitto } from "../support/mosquitto.ts";
import type { Delays } from "./delay_picture.ts";
import { type MeasuredProcess, startMeasured } from "./measured_process.ts";
import type { Progress } from "./runs.ts";

/** A place to measure in. */
export interface Scene {
  readonly kafka: RunningKafka;
  readonly mosquitto: Mosquitto;
  /** Scratch folder. */
  readonly folder: string;
  readonly progress: Progress;
}

/** A figure with a name, as a row of the table. */
export interface Figure {
  readonly work: string;
  /** What is meant to be reached, in words. */
  readonly target?: string;
  readonly rate: string;
  readonly cpuPerRecord: string;
  readonly peakRss: string;
  readonly remark: string;
  /** Delays behind the figure, for the picture of their distribution. */
  readonly delays?: Delays;
  /** Bare numbers behind the figure, for the picture of the rates. */
  readonly perSecond?: number;
  /** Pictures that it comes with: file names and SVG. */
  readonly pictures?: Readonly<Record<string, string>>;
}

/** Those of `deno task run`; docs/performance.md says why. The compiled program also bounds the old generation. */
const engineFlags = config.tasks.run.split(" ").filter((word) => word.startsWith("--v8-flags="));

const main = new URL("../../main.ts", import.meta.url).pathname;

/** A name that is not used twice. */
export function freshName(what: string): string {
  return `${what}-${crypto.randomUUID().slice(0, 8)}`;
}

/** Starts the gateway, measured: the compiled program named in `BENCH_WEIR`, else from source. */
export function startGateway(args: readonly string[]): MeasuredProcess {
  const binary = Deno.env.get("BENCH_WEIR");
  if (binary !== undefined) return startMeasured(binary, args);
  return startMeasured(Deno.execPath(), ["run", "-A", ...engineFlags, main, ...args]);
}

/** A topic with a name of its own, and its folder; both go when the measurement is over. */
export async function withTopic<T>(
  scene: Scene,
  what: string,
  partitions: number,
  measure: (place: { readonly topic: string; readonly folder: string }) => Promise<T>,
  config: Readonly<Record<string, string>> = {},
): Promise<T> {
  const topic = freshName(what);
  const folder = `${scene.folder}/${topic}`;
  await scene.kafka.createTopic(topic, partitions, config);
  await Deno.mkdir(folder);
  try {
    return await measure({ topic, folder });
  } finally {
    await scene.kafka.admin((admin) => admin.deleteTopics({ topics: [topic] }));
    await Deno.remove(folder, { recursive: true });
  }
}

/** The end of a topic: how many records it holds, cheaply. */
export async function topicEnd(scene: Scene, topic: string): Promise<number> {
  return await countOf(scene.kafka, topic);
}

/** `1.5 MB` for a peak, `2.71 us` for a cost. */
export const formatRss = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
export const formatMicroseconds = (us: number): string => `${us.toFixed(us < 10 ? 2 : 1)} us`;
export const formatRate = (perSecond: number): string => `${Math.round(perSecond).toLocaleString("en-US")}/s`;
