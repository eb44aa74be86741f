/**
 * `deno task bench [--runs N] [--rows N] [--messages N] [--seconds N] [file] [mqtt] [delay]`: measures the whole program against a real
 * Kafka and a real Mosquitto, and prints a table. Shared machines vary: what counts is CPU per record, and ratios within one run.
 *
 * @module
 */
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { startKafka } from "../support/kafka.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { fileToKafka } from "./file_to_kafka.ts";
import { markdownTable } from "./bench_table.ts";
import { mqttToKafka } from "./mqtt_to_kafka.ts";
import type { Figure, Scene } from "./scene.ts";
import { streamDelay } from "./stream_delay.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "3" },
    rows: { type: "string", default: "500000" },
    messages: { type: "string", default: "100000" },
    seconds: { type: "string", default: "20" },
  },
});

const suites: Readonly<Record<string, (scene: Scene) => Promise<readonly Figure[]>>> = {
  file: (scene) => fileToKafka(scene, Number(values.rows), Number(values.runs)),
  mqtt: (scene) => mqttToKafka(scene, Number(values.messages)),
  delay: (scene) => streamDelay(scene, Number(values.seconds)),
};

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const mosquittoProgram = findMosquitto("the benchmark");
if (mosquittoProgram === null) Deno.exit(1);
const kafka = await startKafka({ properties: { "log.retention.ms": "-1" } }, "full");
const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
const figures: Figure[] = [];
try {
  await using mosquitto = await startMosquitto(mosquittoProgram, {
    config: ["max_queued_messages 0", "max_inflight_messages 0", "log_type error"],
  });
  for (const name of positionals.length === 0 ? Object.keys(suites) : positionals) {
    const suite = suites[name];
    if (suite === undefined) throw new Error(`There is no ${name}: ${Object.keys(suites).join(", ")}`);
    print(`measuring: ${name} ...`);
    figures.push(...await suite({ kafka, mosquitto, folder }));
  }
} finally {
  await kafka.close();
  await Deno.remove(folder, { recursive: true });
}

const processors = cpus();
print(`
${processors.length} x ${
  processors[0]?.model ?? "unknown CPU"
}, Linux ${release()}, Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, Kafka 4.1.0
`);
print(markdownTable(
  ["work", "rate", "CPU a record", "peak RSS", "remark"],
  figures.map((figure) => [figure.work, figure.rate, figure.cpuPerRecord, figure.peakRss, figure.remark]),
));
