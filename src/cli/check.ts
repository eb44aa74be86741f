/**
 * `weir check`: tells all mistakes in the settings at once; with `--connect` also tries everything that a run needs.
 *
 * @module
 */
import { warningsOf } from "../config/warnings.ts";
import { options } from "../config/options.ts";
import { wrap } from "../config/problem.ts";
import type { Settings } from "../config/settings.ts";
import { exitCodes } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { printable } from "../core/text.ts";
import type { Command, Output } from "./command.ts";
import { openSettings } from "./opening.ts";

/** The command. */
export const check: Command = {
  name: "check",
  summary: "tell all mistakes in the settings; --connect also tries what it needs",
  words: "",
  undone: "A run with them would not start.",
  examples: ["weir check --config /etc/weir/weir.yaml", "weir check --config /etc/weir/weir.yaml --connect"],
  async run(context) {
    const { output, clock, dice, version, stdout } = context;
    const loaded = openSettings(check, context, { validate: context.complaintsOf });
    if (typeof loaded === "number") return loaded;
    const { settings, gathered } = loaded;
    // What the parts would log, the findings say.
    const emit = () => {};
    const app = context.createApp(settings, { clock, dice, emit, version, stdout });
    output.write(`The settings are right.\n${summary(settings)}`);
    const warnings = warningsOf(settings, context.surroundings, clock.wallMs());
    for (const warning of warnings) output.write(`\nWarning: ${printable(warning, 1000)}.\n`);
    if (!gathered.value(options.thisRun.connect)) return exitCodes.ok;
    const findings = await app.check();
    output.write(`\n${findings.map((finding) => findingText(finding, output)).join("")}`);
    const wrong = findings.filter((finding) => !finding.ok).length;
    if (wrong === 0) return exitCodes.ok;
    output.write(`\n${wrong} of ${findings.length} did not work.\n`);
    return exitCodes.unavailable;
  },
};

/** What a run would do, in a few lines. */
function summary(settings: Settings): string {
  const { mqtt, files, sink } = settings;
  const lines = [
    `  gateway  ${settings.gateway}`,
    ...(mqtt === null ? [] : [`  streams  ${mqtt.url}: ${mqtt.subscriptions.map((one) => one.template).join(" ")}`]),
    ...(files === null
      ? []
      : [`  files    ${files.folders.map((one) => one.path).join(" ")}, ${capText(files.capRowsPerSecond)}`]),
    sink.kind === "kafka"
      ? `  sink     Kafka at ${sink.brokers.join(",")}, topic ${sink.topic}`
      : `  sink     ${sink.kind === "ndjson" ? sink.path : sink.kind}`,
    `  state    ${settings.stateDir}`,
  ];
  return lines.map((line) => `${printable(line, 500)}\n`).join("");
}

function capText(capRowsPerSecond: number | null): string {
  return capRowsPerSecond === null ? "uncapped" : `at most ${capRowsPerSecond} rows/s`;
}

/** `ok    MQTT broker mqtt://127.0.0.1:1883: connected`, and what to do below it when it is not. */
function findingText(finding: Finding, output: Output): string {
  const mark = finding.ok ? "ok  " : "FAIL";
  const coloured = output.colour ? `\u001b[${finding.ok ? "32" : "1;31"}m${mark}\u001b[0m` : mark;
  const line = `${coloured}  ${printable(finding.subject)}: ${printable(finding.result, 1000)}\n`;
  if (finding.ok || finding.advice === undefined) return line;
  return `${line}${wrap(printable(finding.advice, 1000), Math.min(output.columns, 100), " ".repeat(6))}\n`;
}
