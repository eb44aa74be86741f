/**
 * `deno task bench [--runs N] [--rows N] [--messages N] [--seconds N] [file] [mqtt] [defaults] [delay] [rest] [story]`: measures the whole
 * program against a real Kafka and a real Mosquitto, and prints a table. Without names it measures everything and writes
 * docs/benchmarks.md with its pictures. Shared machines vary: what counts is CPU per record, and ratios within one run.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { startKafka } from "../support/kafka.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { atRest } from "./at_rest.ts";
import { figureTable, machineLine, writeBenchmarks } from "./benchmarks_page.ts";
import { dumpStory } from "./dump_story.ts";
import { fileToKafka } from "./file_to_kafka.ts";
import { mqttDefaults } from "./mqtt_defaults.ts";
import { mqttToKafka } from "./mqtt_to_kafka.ts";
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

const runs = Number(values.runs);
const suites: Readonly<Record<string, (scene: Scene) => Promise<readonly Figure[]>>> = {
  file: (scene) => fileToKafka(scene, Number(values.rows), runs),
  mqtt: (scene) => mqttToKafka(scene, Number(values.messages), runs),
  defaults: (scene) => mqttDefaults(scene),
  delay: (scene) => streamDelay(scene, Number(values.seconds)),
  rest: (scene) => atRest(scene, runs),
  story: async (scene) => [await dumpStory(scene)],
};

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const unknown = positionals.filter((name) => suites[name] === undefined);
if (unknown.length > 0) {
  print(`There is no ${unknown.join(", ")}: ${Object.keys(suites).join(", ")}`);
  Deno.exit(64);
}
const mosquittoProgram = findMosquitto("the benchmark");
if (mosquittoProgram === null) Deno.exit(1);
const kafka = await startKafka({ properties: { "log.retention.ms": "-1" } }, "full");
const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
const figures: Figure[] = [];
try {
  await using mosquitto = await startMosquitto(mosquittoProgram, {
    logType: "error",
    config: ["max_queued_messages 0", "max_inflight_messages 0"],
  });
  for (const name of positionals.length === 0 ? Object.keys(suites) : positionals) {
    print(`measuring: ${name} ...`);
    figures.push(...await suites[name]?.({ kafka, mosquitto, folder }) ?? []);
  }
} finally {
  await kafka.close();
  await Deno.remove(folder, { recursive: true });
}

print(`\n${machineLine()}\n`);
print(figureTable(figures));
if (positionals.length === 0) {
  await writeBenchmarks(figures, Deno.args);
  print("\ndocs/benchmarks.md and its pictures are written");
}
