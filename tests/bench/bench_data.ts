/**
 * Files to measure with: five columns, realistic values, the same on every run.
 *
 * @module
 */
import { seededDice } from "../../src/core/dice.ts";

const header = "device_id,metric,value,ts,unit\n";
const metrics = ["temperature", "pressure", "vibration", "current"] as const;
const units = ["degC", "bar", "mm/s", "A"] as const;

/** Writes `rows` rows as CSV or NDJSON. */
export async function writeDump(path: string, rows: number, format: "csv" | "ndjson", seed = 1): Promise<void> {
  const dice = seededDice(seed);
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  let text = format === "csv" ? header : "";
  for (let i = 0; i < rows; i++) {
    const which = i % metrics.length;
    const device = `press-${String(i % 97).padStart(3, "0")}`;
    const value = (20 + dice() * 80).toFixed(3);
    const ts = 1_767_225_600_000 + i * 10;
    text += format === "csv"
      ? `${device},${metrics[which]},${value},${ts},${units[which]}\n`
      : `{"device_id":"${device}","metric":"${metrics[which]}","value":${value},"ts":${ts},"unit":"${units[which]}"}\n`;
    if (text.length > 1 << 20 || i === rows - 1) {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      text = "";
    }
  }
  file.close();
}
