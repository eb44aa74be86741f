/**
 * docs/benchmarks.md: the figures of one run of everything, with the machine, the versions and the date, and the pictures beside it.
 *
 * @module
 */
import { cpus, loadavg, release } from "node:os";
import { markdownTable } from "./bench_table.ts";
import { delayPicture } from "./delay_picture.ts";
import { type Peer, versionOf } from "./peers.ts";
import { ratePicture } from "./rate_picture.ts";
import { type Figure, formatRate } from "./scene.ts";

const docs = new URL("../../docs/", import.meta.url);

/** The figures as a table in Markdown. */
export function figureTable(figures: readonly Figure[]): string {
  return markdownTable(
    ["work", "target", "rate", "CPU a record", "peak RSS", "remark"],
    figures.map((figure) => [
      figure.work,
      figure.target ?? "",
      figure.rate,
      figure.cpuPerRecord,
      figure.peakRss,
      figure.remark,
    ]),
  );
}

/** What it was measured on and beside, before it began. */
export async function machineLine(peers: readonly Peer[]): Promise<string> {
  const processors = cpus();
  const model = processors[0]?.model ?? "unknown CPU";
  const [load = 0] = loadavg();
  return [
    `${processors.length} x ${model}, load ${load.toFixed(1)} at the start`,
    `Linux ${release()}`,
    `Deno ${Deno.version.deno}`,
    `V8 ${Deno.version.v8}`,
    "Kafka 4.1.0",
    ...await Promise.all(peers.map(versionOf)),
  ].join(", ");
}

/** Writes the page and its pictures. */
export async function writeBenchmarks(
  figures: readonly Figure[],
  args: readonly string[],
  measured: string,
): Promise<void> {
  const delays = figures.flatMap((figure) => figure.delays ?? []);
  const bars = figures.flatMap(({ work, perSecond, cpuPerRecord }) =>
    perSecond === undefined
      ? []
      : [{ name: work, value: perSecond, label: `${formatRate(perSecond)}, ${cpuPerRecord}` }]
  );
  const pictures: Record<string, string> = {
    ...(delays.length === 0 ? {} : { "delay.svg": delayPicture(delays) }),
    ...(bars.length === 0
      ? {}
      : { "throughput.svg": ratePicture("Records a second into Kafka, and CPU a record", bars) }),
    ...Object.assign({}, ...figures.map((figure) => figure.pictures ?? {})),
  };
  await Deno.mkdir(new URL("images/", docs), { recursive: true });
  for (const [name, svg] of Object.entries(pictures)) await Deno.writeTextFile(new URL(`images/${name}`, docs), svg);
  await Deno.writeTextFile(new URL("benchmarks.md", docs), page(figures, args, measured, Object.keys(pictures)));
}

function page(
  figures: readonly Figure[],
  args: readonly string[],
  measured: string,
  pictures: readonly string[],
): string {
  return `<!-- Written by \`deno task bench\`: change tests/bench instead. -->

# Benchmarks

\`${["deno task bench", ...args].join(" ")}\` on ${new Date().toISOString().slice(0, 10)}: ${measured}

Medians of the runs, which were taken in turn (A B C, A B C, ...), and how far they lie apart; ratios are taken within
each round. The whole program with all its guarantees on, start included, except in what grows: there the start is taken
off. CPU is user and system time of all threads, RSS the highest of all runs. On a shared machine rates move by a factor
of two with the neighbours, CPU by 10 to 30 %: compare within one run. What was changed for these figures, and what did
not pay: [performance.md](performance.md).

${figureTable(figures)}

${pictures.map((name) => `![${name}](images/${name})`).join("\n\n")}
`;
}
