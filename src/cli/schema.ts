/**
 * `weir schema`: the schema in force as JSON Schema; with `--sample` how a file would be read under it.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { gather } from "../config/gather.ts";
import { options } from "../config/options.ts";
import type { Complaint } from "../config/problem.ts";
import type { ReadingsSettings, Settings } from "../config/settings.ts";
import { exitCodes } from "../core/error.ts";
import { printableJson } from "../core/text.ts";
import { builtInSchema, type SchemaField, typeBit } from "../decode/schema.ts";
import { normalizerOf, openDecoderOf } from "../registry.ts";
import type { Command, CommandContext } from "./command.ts";
import { openSettings } from "./opening.ts";
import { sampleFile } from "./sample.ts";
import { readSample, sampleText } from "./sample_report.ts";

/** The exit code when the file would be refused, or no row of it is good. */
const unreadable = 1;

const sampleLimits = { rowsMax: 10_000, inflatedBytesMax: 16 * 1024 ** 2 };

/** The command. */
export const schema: Command = {
  name: "schema",
  summary: "print the schema in force; --sample tells how a file would be read",
  words: "",
  examples: [
    "weir schema > readings.schema.json",
    "weir schema --sample dump.csv --alias device_id=deviceId,sensor",
  ],
  async run(context) {
    const { output } = context;
    const sample = gather("schema", context.args, context.surroundings).given(options.terminal.sample)[0];
    const path = sample === undefined ? null : resolve(sample.place.folder, sample.text);
    const loaded = openSettings(schema, context, {
      presets: { sink: "stdout", "files-dir": path === null ? "/" : dirname(path) },
      partly: true,
      validate: (settings) => complaintsOfReadings(settings, context),
    });
    if (typeof loaded === "number") return loaded;
    if (path !== null) return await tellSample(path, loaded.settings, context);
    const lines = JSON.stringify(schemaInForce(loaded.settings.readings), null, 2).split("\n");
    output.write(lines.map((line) => `${printableJson(line)}\n`).join(""));
    return exitCodes.ok;
  },
};

/** What has nothing to do with the schema, a broker that is not named, say, is no matter here. */
function complaintsOfReadings(settings: Settings, context: CommandContext): readonly Complaint[] {
  return context.complaintsOf({ ...settings, mqtt: null, sink: { kind: "stdout" } });
}

async function tellSample(path: string, settings: Settings, context: CommandContext): Promise<number> {
  const { files } = settings;
  if (files === null) throw new Error("A sample is read like the files of a folder, and there is none");
  const normalizer = normalizerOf(settings);
  const sample = await sampleFile(
    path,
    { openDecoder: openDecoderOf(files, (header) => normalizer.checkHeader(header)), encoding: files.encoding },
    sampleLimits,
  );
  const report = readSample(sample, normalizer, settings.readings, context.clock.wallMs());
  context.output.write(sampleText(path, sample, report, context.output));
  return report.refusal === null && (report.good > 0 || sample.rows.length === 0) ? exitCodes.ok : unreadable;
}

/** The operator's own schema as it is, or the built-in one. */
function schemaInForce(readings: ReadingsSettings): unknown {
  if (readings.schema !== null) return JSON.parse(readings.schema.text);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Reading",
    description: "What Weir takes in and sends on unless --schema says otherwise. " +
      'It adds "origin" (real_time or batch) and "processing_time" to each reading.',
    type: "object",
    properties: Object.fromEntries(
      builtInSchema.fields.map((field) => [field.name, property(field, readings.aliases[field.name] ?? [])]),
    ),
    required: builtInSchema.fields.filter((field) => field.required).map((field) => field.name),
    additionalProperties: readings.extra !== "reject",
  };
}

function property({ types }: SchemaField, aliases: readonly string[]): unknown {
  const also = aliases.length === 0 ? {} : { description: `Also known as ${aliases.join(", ")}` };
  if ((types & typeBit.time) !== 0) return { type: ["string", "number"], format: "date-time", ...also };
  const names = Object.entries(typeBit).filter(([, bit]) => (types & bit) !== 0).map(([name]) => name);
  return { type: names.length === 1 ? names[0] : names, ...also };
}
