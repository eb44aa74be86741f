/**
 * File to Kafka, uncapped: a dump read with `--once`, plain and packed, with rules and dead letters, against kcat sending ready-made lines
 * and against other forwarders in the same run.
 *
 * @module
 */
import { type DumpFormat, writeDump } from "./bench_data.ts";
import { startMeasured } from "./measured_process.ts";
import { forwardFile, type Peer } from "./peers.ts";
import { figureOf, interleaved, type Kind, pairedRatio, type Run, toldRun } from "./runs.ts";
import { type Figure, type Scene, startGateway, topicEnd, withTopic } from "./scene.ts";

const partitions = 4;
/** One row in so many is bad where there are dead letters. */
const badEvery = 100;

/** The built-in schema as a file, but that a value must be a number; and two rules, neither of which is idle. */
const schema = {
  type: "object",
  required: ["device_id", "metric", "value", "ts"],
  properties: {
    device_id: { type: "string", minLength: 1 },
    metric: { type: "string", minLength: 1 },
    value: { type: "number" },
    ts: { type: "integer" },
    unit: { type: "string" },
  },
};
const rules = [
  ...["--set", 'value=unit == "F" ? (value - 32.0) / 1.8 : value'],
  ...["--filter", "value > -1000.0 && value < 1000.0"],
];

interface FileKind extends Kind<Run> {
  /** What it is compared with. */
  readonly remark: (runs: readonly Run[], rest: Rest) => string;
}

/** Runs of the others, for ratios. */
interface Rest {
  readonly kcat: readonly Run[];
  readonly csv: readonly Run[];
  /** Of the other forwarders with the same format. */
  readonly peers: readonly { readonly name: string; readonly runs: readonly Run[] }[];
}

/** Measures, interleaved, `times` times. */
export async function fileToKafka(
  scene: Scene,
  rows: number,
  times: number,
  peers: readonly Peer[],
): Promise<readonly Figure[]> {
  const data = `${scene.folder}/data`;
  await Deno.mkdir(data);
  for (const format of ["csv", "csv.gz", "ndjson"] as const) await writeDump(`${data}/dump.${format}`, rows, format);
  await writeDump(`${data}/bad.csv`, rows, "csv", { badEvery });
  await Deno.writeTextFile(`${data}/schema.json`, JSON.stringify(schema));
  const kinds = weirKinds(scene, data, rows);
  const beside = (["csv", "ndjson"] as const).flatMap((format) =>
    peers.map((peer) => ({
      format,
      name: peer.name,
      work: `${peer.name}: ${format === "csv" ? "CSV" : "NDJSON"} file to Kafka`,
      measure: () => forwardFile(scene, peer, { dump: `${data}/dump.${format}`, format, rows, partitions }),
    }))
  );
  const all = await interleaved<Run>([...kinds, ...beside], times, scene.progress, toldRun);
  await Deno.remove(data, { recursive: true });
  const [kcatRuns = [], csv = [], ndjson = []] = all;
  const peersRuns = beside.map(({ format, name }, i) => ({ format, name, runs: all[kinds.length + i] ?? [] }));
  const rest = (runs: readonly Run[]): Rest => ({
    kcat: kcatRuns,
    csv,
    peers: peersRuns.filter(({ format }) => runs === (format === "csv" ? csv : ndjson)),
  });
  return [
    ...kinds.map((kind, i) => {
      const runs = all[i] ?? [];
      return figureOf(kind, runs, kind.remark(runs, rest(runs)));
    }),
    ...beside.map((kind, i) => {
      const runs = peersRuns[i]?.runs ?? [];
      return figureOf(kind, runs, [missing(runs, rows), ofKcat(runs, rest(runs))].filter(Boolean).join("; "));
    }),
  ];
}

function weirKinds(scene: Scene, data: string, rows: number): readonly FileKind[] {
  const weir = (dump: string, format: DumpFormat, more: readonly string[] = [], arriving = rows) => () =>
    readOnce(scene, { dump: `${data}/${dump}`, format, rows, arriving, more });
  return [
    {
      work: "kcat -P, ready-made lines (the limit)",
      measure: () => kcat(scene, `${data}/dump.ndjson`, rows),
      remark: () => "",
    },
    {
      work: "CSV file to Kafka, uncapped",
      target: "4 us; 0.35 of kcat's rate; twice the fastest other",
      measure: weir("dump.csv", "csv"),
      remark: (runs, rest) => [ofKcat(runs, rest), ...ofPeers(runs, rest)].join("; "),
    },
    {
      work: "NDJSON file to Kafka, uncapped",
      target: "4.5 us",
      measure: weir("dump.ndjson", "ndjson"),
      remark: (runs, rest) => [ofKcat(runs, rest), ...ofPeers(runs, rest)].join("; "),
    },
    {
      work: "gzip CSV file to Kafka, uncapped",
      target: "4.5 us",
      measure: weir("dump.csv.gz", "csv.gz"),
      remark: (runs, rest) => ofKcat(runs, rest),
    },
    {
      work: "CSV with a schema, two rules and 1 % dead letters",
      target: "1.5 times the CPU of plain CSV",
      measure: weir(
        "bad.csv",
        "csv",
        ["--schema", `${data}/schema.json`, ...rules, "--files-bad-max", String(rows)],
        rows - Math.floor(rows / badEvery),
      ),
      remark: (runs, { csv }) => `${ratio(cpus(runs), cpus(csv))} times the CPU of plain CSV`,
    },
  ];
}

const cpus = (runs: readonly Run[]) => runs.map((run) => run.cpuUs);
const rates = (runs: readonly Run[]) => runs.map((run) => run.perSecond);
const ratio = (a: readonly number[], b: readonly number[]) => pairedRatio(a, b).toFixed(2);

function ofKcat(runs: readonly Run[], rest: Rest): string {
  return `${ratio(rates(runs), rates(rest.kcat))} of kcat's rate`;
}

function ofPeers(runs: readonly Run[], rest: Rest): readonly string[] {
  return rest.peers.map((peer) => `${ratio(rates(runs), rates(peer.runs))} times the rate of ${peer.name}`);
}

function missing(runs: readonly Run[], rows: number): string {
  const least = Math.min(...runs.map(({ arrived = rows }) => arrived));
  return least < rows ? `only ${least} of ${rows} arrived` : "";
}

/** A dump that is to be read. */
export interface OnceOptions {
  readonly dump: string;
  readonly format: DumpFormat;
  /** Rows that the CPU time is shared among. */
  readonly rows: number;
  /** Rows that come out of it. */
  readonly arriving: number;
  readonly more: readonly string[];
}

async function readOnce(scene: Scene, { dump, format, rows, arriving, more }: OnceOptions): Promise<Run> {
  return await withTopic(scene, "file", partitions, async ({ topic, folder }) => {
    await Deno.mkdir(`${folder}/drop`);
    await Deno.copyFile(dump, `${folder}/drop/dump.${format}`);
    const gateway = startGateway([
      ...["run", "--once", "--gateway", "bench", "--state-dir", `${folder}/state`],
      ...["--files-dir", `${folder}/drop`, "--files-ready", "rename", "--files-cap", "none", "--files-after", "delete"],
      ...["--kafka-brokers", scene.kafka.brokers.join(","), "--kafka-topic", topic],
      ...more,
    ]);
    const cost = await gateway.ended;
    const arrived = await topicEnd(scene, topic);
    if (cost.code !== 0 || arrived !== arriving) {
      throw new Error(`Exit code ${cost.code}, ${arrived} of ${arriving} rows arrived:\n${cost.stderr.slice(-2000)}`);
    }
    return {
      perSecond: rows / (cost.wallMs / 1000),
      cpuUs: cost.cpuMs * 1000 / rows,
      peakRssBytes: cost.peakRssBytes,
    };
  });
}

async function kcat(scene: Scene, lines: string, rows: number): Promise<Run> {
  return await withTopic(scene, "kcat", partitions, async ({ topic }) => {
    const cost = await startMeasured("kcat", [
      ...["-P", "-b", scene.kafka.brokers.join(","), "-t", topic, "-l", lines],
      ...["-X", "acks=all", "-X", "enable.idempotence=true", "-X", "linger.ms=5"],
    ]).ended;
    if (cost.code !== 0) throw new Error(`kcat: ${cost.stderr}`);
    return {
      perSecond: rows / (cost.wallMs / 1000),
      cpuUs: cost.cpuMs * 1000 / rows,
      peakRssBytes: cost.peakRssBytes,
    };
  });
}
