/**
 * `deno task bench [--runs N] [--rows N] [--messages N] [--seconds N] [file] [mqtt] [defaults] [delay] [cap]
 * [growth] [rest] [story]`: measures the whole program against a real Kafka and a real Mosquitto, and prints a table. Without names it
 * measures everything and writes docs/benchmarks.md with its pictures. Shared machines vary: what counts is CPU per record, and ratios
 * within one run. `BENCH_TELEGRAF` and `BENCH_BENTHOS` name programs that are measured beside it; `BENCH_WEIR` the compiled Weir.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { systemClock } from "../../src/core/clock.ts";
import { startKafka } from "../support/kafka.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { atRest } from "./at_rest.ts";
import { figureTable, machineLine, writeBenchmarks } from "./benchmarks_page.ts";
import { capInKafka } from "./cap_in_kafka.ts";
import { dumpStory } from "./dump_story.ts";
import { fileToKafka } from "./file_to_kafka.ts";
import { growth } from "./growth.ts";
import { mqttDefaults } from "./mqtt_defaults.ts";
import { mqttToKafka } from "./mqtt_to_kafka.ts";
import { findPeers } from "./peers.ts";
import type { Figure, Scene } from "./scene.ts";
import { streamDelay } from "./stream_delay.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    rows: { type: "string", default: "1000000" },
    messages: { type: "string", default: "200000" },
    seconds: { type: "string", default: "20" },
  },
});

const startedMs = systemClock.nowMs();
const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const minutes = () => ((systemClock.nowMs() - startedMs) / 60_000).toFixed(1);

const peers = findPeers();
const runs = Number(values.runs);
const [rows, messages, seconds] = [Number(values.rows), Number(values.messages), Number(values.seconds)];
/** What grows is compared with itself: less of it will do. */
const grown = { rows: Math.ceil(rows / 4), messages: Math.ceil(messages / 4) };
const suites: Readonly<Record<string, (scene: Scene) => Promise<readonly Figure[]>>> = {
  file: (scene) => fileToKafka(scene, rows, runs, peers),
  mqtt: (scene) => mqttToKafka(scene, messages, runs, peers),
  defaults: (scene) => mqttDefaults(scene),
  delay: (scene) => streamDelay(scene, seconds, runs),
  cap: (scene) => capInKafka(scene, seconds),
  growth: (scene) => growth(scene, grown, runs),
  rest: (scene) => atRest(scene, runs),
  story: async (scene) => [await dumpStory(scene)],
};

const unknown = positionals.filter((name) => suites[name] === undefined);
if (unknown.length > 0) {
  print(`There is no ${unknown.join(", ")}: ${Object.keys(suites).join(", ")}`);
  Deno.exit(64);
}
const mosquittoProgram = findMosquitto("the benchmark");
if (mosquittoProgram === null) Deno.exit(1);
const measured = await machineLine(peers);
// While it is made to stand still nobody may think that it is gone.
const kafka = await startKafka(
  { properties: { "log.retention.ms": "-1", "broker.session.timeout.ms": "60000" } },
  "full",
);
const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
const figures: Figure[] = [];
try {
  await using mosquitto = await startMosquitto(mosquittoProgram, {
    logType: "error",
    // The last: what docs/guarantees.md says of Nagle's algorithm.
    config: ["max_queued_messages 0", "max_inflight_messages 0", "set_tcp_nodelay true"],
  });
  for (const name of positionals.length === 0 ? Object.keys(suites) : positionals) {
    const progress = (text: string) => print(`${minutes()} min  ${name}: ${text}`);
    figures.push(...await suites[name]?.({ kafka, mosquitto, folder, progress }) ?? []);
  }
} finally {
  await kafka.close();
  await Deno.remove(folder, { recursive: true });
}

print(`\n${measured}; took ${minutes()} minutes\n`);
print(figureTable(figures));
if (positionals.length === 0) {
  await writeBenchmarks(figures, Deno.args, `${measured}. It took ${minutes()} minutes.`);
  print("\ndocs/benchmarks.md and its pictures are written");
}
