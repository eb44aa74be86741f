/**
 * Files to measure with: five columns, realistic values, the same on every run.
 *
 * @module
 */
import { seededDice } from "../../src/core/dice.ts";

/** Formats of files, by the ending of their names. */
export type DumpFormat = "csv" | "csv.gz" | "ndjson";

/** What else a dump may be. */
export interface DumpOptions {
  /** Other values with another seed. Default: 1. */
  readonly seed?: number;
  /** Each so-manieth row has a word in place of its value. Default: none. */
  readonly badEvery?: number;
  /** Begins the names of the devices. Default: `press`. */
  readonly devices?: string;
}

const header = "device_id,metric,value,ts,unit\n";
const metrics = ["temperature", "pressure", "vibration", "current"] as const;
const units = ["degC", "bar", "mm/s", "A"] as const;
const textMax = 1 << 20;

/** Writes `rows` rows. */
export async function writeDump(
  path: string,
  rows: number,
  format: DumpFormat,
  options: DumpOptions = {},
): Promise<void> {
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const bytes = ReadableStream.from(dumpTexts(rows, format, options)).pipeThrough(new TextEncoderStream());
  const packed = format === "csv.gz" ? bytes.pipeThrough<Uint8Array>(new CompressionStream("gzip")) : bytes;
  await packed.pipeTo(file.writable);
}

/** The text of a dump, in pieces of about a MiB. */
export function* dumpTexts(rows: number, format: DumpFormat, options: DumpOptions = {}): Generator<string> {
  const { seed = 1, badEvery = Infinity, devices = "press" } = options;
  const dice = seededDice(seed);
  let text = format === "ndjson" ? "" : header;
  for (let i = 0; i < rows; i++) {
    const which = i % metrics.length;
    const device = `${devices}-${String(i % 97).padStart(3, "0")}`;
    const number = (20 + dice() * 80).toFixed(3);
    const value = (i + 1) % badEvery === 0 ? '"broken"' : number;
    const ts = 1_767_225_600_000 + i * 10;
    text += format === "ndjson"
      ? `{"device_id":"${device}","metric":"${metrics[which]}","value":${value},"ts":${ts},"unit":"${units[which]}"}\n`
      : `${device},${metrics[which]},${value},${ts},${units[which]}\n`;
    if (text.length > textMax) {
      yield text;
      text = "";
    }
  }
  yield text;
}
