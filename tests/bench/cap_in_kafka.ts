/**
 * How exactly the cap holds, by Kafka's own clock: the most rows in any second and in any ten, the fewest in any ten; and the same when
 * the broker stands still for some seconds in the middle (SIGSTOP) and goes on.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { eventually } from "../support/servers.ts";
import { writeDump } from "./bench_data.ts";
import { kcatLines } from "./kcat_lines.ts";
import { type Figure, formatRate, formatRss, type Scene, startGateway, topicEnd, withTopic } from "./scene.ts";
import { leastInWindow, mostInWindow } from "./statistics.ts";
import { until } from "./stream_delay.ts";

const caps = [500, 5000, 50_000] as const;
/** How long the broker stands still: what is in flight then, and what the cap would have given meanwhile, must not come as a burst. */
const stallSeconds = 5;

/** Measures each cap, steady and with a stall, once: it is the worst window of many that counts. */
export async function capInKafka(scene: Scene, seconds: number): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const cap of caps) {
    for (const stalled of [false, true]) {
      const figure = await measure(scene, cap, seconds, stalled);
      scene.progress(`${figure.work}: ${figure.remark}`);
      figures.push(figure);
    }
  }
  return figures;
}

async function measure(scene: Scene, cap: number, seconds: number, stalled: boolean): Promise<Figure> {
  return await withTopic(scene, "cap", 4, async ({ topic, folder }) => {
    await Deno.mkdir(`${folder}/drop`);
    await writeDump(`${folder}/drop/dump.csv`, cap * (seconds + 5), "csv");
    const gateway = startGateway([
      ...["run", "--gateway", topic, "--state-dir", `${folder}/state`],
      ...["--files-dir", `${folder}/drop`, "--files-ready", "rename", "--files-cap", String(cap)],
      ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ]);
    await eventually("the dump flows", async () => await topicEnd(scene, topic) > 0, 30_000);
    const startedMs = systemClock.nowMs();
    const resumedMs = stalled ? await stall(scene, startedMs + seconds * 1000 / 4) : null;
    await until(startedMs + seconds * 1000 + (stalled ? stallSeconds * 1000 : 0));
    gateway.signal("SIGTERM");
    const { peakRssBytes } = await gateway.ended;
    const times = (await Array.fromAsync(kcatLines(scene, topic, "%T\\n"))).map(Number);
    return {
      work: `the cap of ${cap.toLocaleString("en-US")}/s, seen in Kafka${
        stalled ? `, which stands still for ${stallSeconds} s` : ""
      }`,
      target: "1 s: 3 % over; 10 s: 0.5 %",
      cpuPerRecord: "",
      peakRss: formatRss(peakRssBytes),
      ...seenInKafka(times, cap, resumedMs),
    };
  }, { "message.timestamp.type": "LogAppendTime" });
}

/** Has the broker stand still from a moment of the monotonic clock on; tells by the wall clock when it went on. */
async function stall(scene: Scene, atMs: number): Promise<number> {
  await until(atMs);
  scene.kafka.pause();
  await until(atMs + stallSeconds * 1000);
  scene.kafka.resume();
  return systemClock.wallMs();
}

/** What the times of arrival say of the cap. After a stall the fewest are counted from its end on, the most everywhere. */
export function seenInKafka(
  timesMs: readonly number[],
  cap: number,
  resumedMs: number | null,
): Pick<Figure, "rate" | "remark"> {
  const sorted = timesMs.toSorted((a, b) => a - b);
  // A second after it went on the connections have settled.
  const counted = resumedMs === null ? sorted : sorted.filter((time) => time >= resumedMs + 1000);
  const spanSeconds = ((counted.at(-1) ?? 0) - (counted[0] ?? 0)) / 1000;
  const most = (seconds: number) => told(mostInWindow(sorted, seconds * 1000), cap * seconds);
  const least = leastInWindow(counted, 10_000);
  return {
    rate: formatRate(counted.length / Math.max(1, spanSeconds)),
    remark: [
      `most in 1 s: ${most(1)}`,
      ...(spanSeconds > 10 ? [`most in 10 s: ${most(10)}`] : []),
      ...(Number.isNaN(least) ? [] : [`fewest in 10 s: ${told(least, cap * 10)}`]),
    ].join("; "),
  };
}

function told(rows: number, meant: number): string {
  const percent = (rows / meant - 1) * 100;
  return `${rows.toLocaleString("en-US")} (${percent > 0 ? "+" : ""}${percent.toFixed(1)} %)`;
}
