/**
 * What a record costs when there is more of everything else: subscriptions, folders, files that wait, files that are read, partitions.
 * CPU time only, and its ratio to the least of each kind: the start of the program is not in it.
 *
 * @module
 */
import { eventually } from "../support/servers.ts";
import { writeDump } from "./bench_data.ts";
import { publishAll } from "./mqtt_to_kafka.ts";
import { arrivals } from "./peers.ts";
import { interleaved, pairedRatio } from "./runs.ts";
import { type Figure, formatMicroseconds, formatRss, type Scene, startGateway, topicEnd, withTopic } from "./scene.ts";
import { median } from "./statistics.ts";

/** One thing of which there is more and more. */
interface Growth {
  readonly name: string;
  readonly target?: string;
  readonly sizes: readonly number[];
  measure(size: number): Promise<Cost>;
}

interface Cost {
  readonly cpuUs: number;
  readonly peakRssBytes: number;
}

/** How much is measured with. */
export interface GrowthSizes {
  readonly rows: number;
  readonly messages: number;
}

/** Measures all sizes of all kinds, interleaved, `times` times. */
export async function growth(
  scene: Scene,
  { rows, messages }: GrowthSizes,
  times: number,
): Promise<readonly Figure[]> {
  const target = "the same for all";
  const kinds: readonly Growth[] = [
    {
      name: "subscriptions",
      target,
      sizes: [1, 100, 1000],
      measure: (size) => subscriptions(scene, size, messages),
    },
    { name: "folders", target, sizes: [1, 200], measure: (size) => folders(scene, size, rows) },
    { name: "waiting files", target, sizes: [1, 1000, 10_000], measure: (size) => waiting(scene, size, rows) },
    { name: "files for the same rows", sizes: [1, 1000, 10_000], measure: (size) => split(scene, size, rows) },
    { name: "partitions", target, sizes: [1, 64], measure: (size) => partitions(scene, size, rows) },
  ];
  const figures: Figure[] = [];
  for (const kind of kinds) {
    const sizes = kind.sizes.map((size) => ({
      work: `growth, ${size.toLocaleString("en-US")} ${kind.name}`,
      measure: () => kind.measure(size),
    }));
    const all = await interleaved(sizes, times, scene.progress, ({ cpuUs }) => formatMicroseconds(cpuUs));
    figures.push(figureOfGrowth(kind, all));
  }
  return figures;
}

/** A row of the table: the cost at the least size, and the ratios of the others to it within each round. */
export function figureOfGrowth(
  { name, target, sizes }: Pick<Growth, "name" | "target" | "sizes">,
  all: readonly (readonly Cost[])[],
): Figure {
  const costs = all.map((runs) => runs.map(({ cpuUs }) => cpuUs));
  const [least = [], ...more] = costs;
  const told = more.map((some, i) =>
    `${(sizes[i + 1] ?? 0).toLocaleString("en-US")}: ${pairedRatio(some, least).toFixed(2)} times (${
      formatMicroseconds(median(some))
    })`
  );
  return {
    work: `growth: ${sizes.map((size) => size.toLocaleString("en-US")).join(", ")} ${name}`,
    ...(target === undefined ? {} : { target }),
    rate: "",
    cpuPerRecord: formatMicroseconds(median(least)),
    peakRss: formatRss(Math.max(...all.flat().map(({ peakRssBytes }) => peakRssBytes))),
    remark: told.join("; "),
  };
}

/** The same messages on the same number of topics, taken by one subscription or by many. */
async function subscriptions(scene: Scene, size: number, messages: number): Promise<Cost> {
  return await withTopic(scene, "growth", 4, async ({ topic, folder }) => {
    const gateway = startGateway([
      ...["run", "--gateway", topic, "--state-dir", `${folder}/state`, "--mqtt-url", scene.mosquitto.url],
      ...Array.from({ length: size }, (_, i) => ["--mqtt-topic", `${topic}/part-${i}/{device_id}/{metric}`]).flat(),
      ...["--mqtt-receive-max", "5000", "--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ]);
    await eventually("the gateway is connected", () => /Receiving from mqtt:/.test(gateway.stderr()), 60_000);
    const beforeMs = gateway.cpuMs();
    const publishing = publishAll(scene, messages, (i) => `${topic}/part-${i % size}/press-${i % 1000}/temperature`);
    const { arrived } = await arrivals(scene, topic, messages);
    const cpuMs = gateway.cpuMs() - beforeMs;
    await publishing;
    gateway.signal("SIGTERM");
    const { peakRssBytes, stderr } = await gateway.ended;
    if (arrived < messages) throw new Error(`${arrived} of ${messages} arrived:\n${stderr.slice(-2000)}`);
    return { cpuUs: cpuMs * 1000 / messages, peakRssBytes };
  });
}

/** The same 200 files in one folder, or one in each of 200. */
async function folders(scene: Scene, size: number, rows: number): Promise<Cost> {
  const files = 200;
  return await withTopic(scene, "growth", 4, async ({ topic, folder }) => {
    const drops = Array.from({ length: size }, (_, i) => `${folder}/drop-${i}`);
    for (const drop of drops) await Deno.mkdir(drop);
    const each = Math.ceil(rows / files);
    const write = async () => {
      for (let i = 0; i < files; i++) {
        await writeDump(`${folder}/drop-${i % size}/dump-${i}.csv`, each, "csv", { devices: `file-${i}` });
      }
    };
    const run = { drops, topic, state: `${folder}/state` };
    return await withoutStart(scene, run, write, each * files);
  });
}

/** The same rows in one file, or in many. */
async function split(scene: Scene, size: number, rows: number): Promise<Cost> {
  return await withTopic(scene, "growth", 4, async ({ topic, folder }) => {
    const drop = `${folder}/drop`;
    await Deno.mkdir(drop);
    const each = Math.ceil(rows / size);
    const write = async () => {
      for (let i = 0; i < size; i++) await writeDump(`${drop}/dump-${i}.csv`, each, "csv", { devices: `file-${i}` });
    };
    return await withoutStart(scene, { drops: [drop], topic, state: `${folder}/state` }, write, each * size);
  });
}

async function partitions(scene: Scene, size: number, rows: number): Promise<Cost> {
  return await withTopic(scene, "growth", size, async ({ topic, folder }) => {
    const drop = `${folder}/drop`;
    await Deno.mkdir(drop);
    const run = { drops: [drop], topic, state: `${folder}/state` };
    return await withoutStart(scene, run, () => writeDump(`${drop}/dump.csv`, rows, "csv"), rows);
  });
}

/** A run of `--once` less one with the same settings and nothing to read. */
async function withoutStart(
  scene: Scene,
  run: { readonly drops: readonly string[]; readonly topic: string; readonly state: string },
  write: () => Promise<void>,
  rows: number,
): Promise<Cost> {
  const once = async () => {
    const gateway = startGateway([
      ...["run", "--once", "--log-level", "warn", "--gateway", run.topic, "--state-dir", run.state],
      ...run.drops.flatMap((drop) => ["--files-dir", drop]),
      ...["--files-ready", "rename", "--files-cap", "none", "--files-after", "delete"],
      ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", run.topic],
    ]);
    const cost = await gateway.ended;
    if (cost.code !== 0) throw new Error(`Exit code ${cost.code}:\n${cost.stderr.slice(-2000)}`);
    return cost;
  };
  const empty = await once();
  await write();
  const full = await once();
  const arrived = await topicEnd(scene, run.topic);
  if (arrived !== rows) throw new Error(`${arrived} of ${rows} rows arrived:\n${full.stderr.slice(-2000)}`);
  return { cpuUs: (full.cpuMs - empty.cpuMs) * 1000 / rows, peakRssBytes: full.peakRssBytes };
}

/** One large file is read while the others, a row each, wait behind it. */
async function waiting(scene: Scene, size: number, rows: number): Promise<Cost> {
  return await withTopic(scene, "growth", 4, async ({ topic, folder }) => {
    const drop = `${folder}/drop`;
    await Deno.mkdir(drop);
    await writeDump(`${drop}/0-large.csv`, rows, "csv");
    for (let i = 1; i < size; i++) await writeDump(`${drop}/${i}-small.csv`, 1, "csv", { devices: `file-${i}` });
    // The oldest goes first.
    await Deno.utime(`${drop}/0-large.csv`, 1, 1);
    const gateway = startGateway([
      ...["run", "--log-level", "warn", "--gateway", topic, "--state-dir", `${folder}/state`],
      ...["--files-dir", drop, "--files-ready", "rename", "--files-cap", "none", "--files-after", "delete"],
      ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
    ]);
    const seen = async () => ({ cpuMs: gateway.cpuMs(), rows: await topicEnd(scene, topic) });
    const flows = async (least: number) => {
      const now = await seen();
      return now.rows >= least ? now : null;
    };
    const first = await eventually("it flows", () => flows(1), 120_000, 5);
    const last = await eventually("it is read", () => flows(rows), 120_000, 20);
    gateway.signal("SIGTERM");
    const { peakRssBytes } = await gateway.ended;
    return { cpuUs: (last.cpuMs - first.cpuMs) * 1000 / (last.rows - first.rows), peakRssBytes };
  });
}
