/**
 * The text of one dump: what a historian or a shop-floor system writes once an hour, as CSV, NDJSON or a JSON array, with a few rows
 * that nobody can use. Given out in pieces, so that a dump of any size costs constant memory.
 *
 * @module
 */
import type { Dice } from "../core/dice.ts";
import { createPlant, type Sensor } from "./plant.ts";

/** Which dump. */
export interface DumpSpec {
  /** Base name with its ending: `.csv`, `.csv.gz`, `.ndjson` or `.json`. */
  readonly name: string;
  readonly format: "csv" | "ndjson" | "json";
  readonly gzip: boolean;
  /** Rows, good and bad, the header not counted. */
  readonly rows: number;
  /** Of these, rows that must end in the dead letters. They lie evenly spread. */
  readonly badRows: number;
  /** Wall-clock ms of the end of the hour that the dump covers. */
  readonly untilMs: number;
}

const hourMs = 3_600_000;
/** Rows a piece: about 40 KB and a millisecond of work. */
const rowsPerPiece = 400;

/** Other names for the fields of the built-in schema that the dumps use: the CSV ones first, then the JSON ones. */
export const dumpAliases: Readonly<Record<string, readonly string[]>> = {
  ts: ["time", "timestamp"],
  device_id: ["tag", "deviceId"],
};

const csvHeader = "time,site,tag,metric,value,unit,quality,remark\r\n";
const remarks = ["", "", "", "", "", "", "", "", 'operator: "door open", line 2', "calibrated"] as const;

/** The text of a dump, piece by piece. The same spec and dice give the same text. */
export function* dumpText(spec: DumpSpec, dice: Dice): Generator<string> {
  const sensors = createPlant(dice);
  const stepMs = hourMs / spec.rows;
  yield spec.format === "csv" ? csvHeader : spec.format === "json" ? "[\n" : "";
  for (let first = 0; first < spec.rows; first += rowsPerPiece) {
    let piece = "";
    for (let i = first; i < Math.min(first + rowsPerPiece, spec.rows); i++) {
      const sensor = sensors[i % sensors.length];
      if (sensor === undefined) throw new Error("The plant has no sensors");
      const time = new Date(Math.floor(spec.untilMs - hourMs + i * stepMs)).toISOString();
      const row = isBad(i, spec) ? badRow(spec, sensor, time, dice) : goodRow(spec, sensor, time, dice);
      piece += row + (spec.format === "csv" ? "\r\n" : spec.format === "json" && i < spec.rows - 1 ? ",\n" : "\n");
    }
    yield piece;
  }
  if (spec.format === "json") yield "]\n";
}

/** Whether row `i` (from 0) is one of the bad ones: row i holds as many as the running total grows by there. */
function isBad(i: number, spec: DumpSpec): boolean {
  const badUpTo = (rows: number) => Math.floor((rows * spec.badRows) / spec.rows + 0.5);
  return badUpTo(i + 1) > badUpTo(i);
}

function goodRow(spec: DumpSpec, sensor: Sensor, time: string, dice: Dice): string {
  const value = sensor.next();
  const { name, unit } = sensor.metric;
  const quality = dice() < 0.97 ? "good" : "uncertain";
  if (spec.format === "csv") {
    const remark = csvCell(remarks[Math.floor(dice() * remarks.length)] ?? "");
    return `${time},${sensor.site},${sensor.machine},${name},${value},${unit},${quality},${remark}`;
  }
  return JSON.stringify({
    timestamp: time,
    site: sensor.site,
    deviceId: sensor.machine,
    metric: name,
    value,
    unit,
    quality,
  });
}

function badRow(spec: DumpSpec, sensor: Sensor, time: string, dice: Dice): string {
  const value = sensor.next();
  const { site, machine } = sensor;
  const first = dice() < 0.5;
  if (spec.format === "csv") {
    return first
      ? `${time},${site},${machine},${value}` // ragged: four cells are missing
      : `yesterday at noon,${site},${machine},temperature,${value},C,good,`;
  }
  if (spec.format === "ndjson" && first) return `{"timestamp": "${time}", "deviceId": "${machine}", "metric": "tempe`;
  return first
    ? JSON.stringify({ timestamp: time, site, metric: "temperature", value }) // no device
    : JSON.stringify({ timestamp: time, site, deviceId: machine, metric: 17, value });
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
