/**
 * File to Kafka, uncapped: a dump read with `--once`, CSV and NDJSON, against kcat sending ready-made lines in the same run.
 *
 * @module
 */
import { median } from "./statistics.ts";
import { writeDump } from "./bench_data.ts";
import { startMeasured } from "./measured_process.ts";
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
}

/** Measures, interleaved, `times` times. */
export async function fileToKafka(scene: Scene, rows: number, times: number): Promise<readonly Figure[]> {
  const lines = `${scene.folder}/lines.ndjson`;
  await writeDump(lines, rows, "ndjson");
  const results: Record<"csv" | "ndjson" | "kcat", Run[]> = { csv: [], ndjson: [], kcat: [] };
  for (let i = 0; i < times; i++) {
    results.kcat.push(await kcat(scene, lines, rows));
    results.csv.push(await weir(scene, rows, "csv"));
    results.ndjson.push(await weir(scene, rows, "ndjson"));
  }
  const limit = median(results.kcat.map((run) => run.perSecond));
  return [
    figure("kcat -P, ready-made lines (the limit)", results.kcat, limit),
    figure("CSV file to Kafka, uncapped", results.csv, limit),
    figure("NDJSON file to Kafka, uncapped", results.ndjson, limit),
  ];
}

function figure(work: string, runs: readonly Run[], limit: number): Figure {
  const perSecond = median(runs.map((run) => run.perSecond));
  return {
    work,
    rate: formatRate(perSecond),
    perSecond,
    cpuPerRecord: formatMicroseconds(median(runs.map((run) => run.cpuUs))),
    peakRss: formatRss(Math.max(...runs.map((run) => run.peakRssBytes))),
    remark: `${(perSecond / limit).toFixed(2)} of kcat's rate`,
  };
}

async function weir(scene: Scene, rows: number, format: "csv" | "ndjson"): Promise<Run> {
  const topic = freshName(format);
  const folder = `${scene.folder}/${topic}`;
  await scene.kafka.createTopic(topic, 4);
  await Deno.mkdir(folder);
  await writeDump(`${folder}/dump.${format}`, rows, format);
  const gateway = startGateway([
    ...["run", "--once", "--gateway", "bench", "--state-dir", `${folder}-state`],
    ...["--files-dir", folder, "--files-ready", "rename", "--files-cap", "none", "--files-after", "delete"],
    ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
  ]);
  const cost = await gateway.ended;
  const arrived = await topicEnd(scene, topic);
  if (cost.code !== 0 || arrived !== rows) {
    throw new Error(`Exit code ${cost.code}, ${arrived} of ${rows} rows arrived:\n${cost.stderr}`);
  }
  await scene.kafka.admin((admin) => admin.deleteTopics({ topics: [topic] }));
  return {
    perSecond: rows / (cost.wallMs / 1000),
    cpuUs: cost.cpuMs * 1000 / rows,
    peakRssBytes: cost.peakRssBytes,
  };
}

async function kcat(scene: Scene, lines: string, rows: number): Promise<Run> {
  const topic = freshName("kcat");
  await scene.kafka.createTopic(topic, 4);
  const cost = await startMeasured("kcat", [
    ...["-P", "-b", scene.kafka.brokers.join(","), "-t", topic, "-l", lines],
    ...["-X", "acks=all", "-X", "enable.idempotence=true", "-X", "linger.ms=5"],
  ]).ended;
  if (cost.code !== 0) throw new Error(`kcat: ${cost.stderr}`);
  await scene.kafka.admin((admin) => admin.deleteTopics({ topics: [topic] }));
  return {
    perSecond: rows / (cost.wallMs / 1000),
    cpuUs: cost.cpuMs * 1000 / rows,
    peakRssBytes: cost.peakRssBytes,
  };
}
