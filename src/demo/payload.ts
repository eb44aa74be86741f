/**
 * What the demo's sensors put into an MQTT message: each kind speaks its own dialect, as in a plant that grew over years, and now and
 * then one sends something that nobody can use.
 *
 * @module
 */
import type { Dice } from "../core/dice.ts";
import type { Sensor } from "./plant.ts";

/** A payload and what a reader should make of it. */
export interface Payload {
  readonly bytes: string | Uint8Array;
  /** Readings, good or bad, that are in it. */
  readonly readings: number;
  readonly bad: boolean;
}

/** A good payload: a bare number, an object, or an array with an object for each axis. */
export function goodPayload(sensor: Sensor, wallMs: number): Payload {
  const value = sensor.next();
  const { name, unit, decimals } = sensor.metric;
  if (name === "temperature") return { bytes: JSON.stringify(value), readings: 1, bad: false };
  if (name === "pressure") return { bytes: JSON.stringify({ value, unit, ts: wallMs }), readings: 1, bad: false };
  const axes = [["x", 1], ["y", 0.6]] as const;
  const readings = axes.map(([axis, share]) => ({
    axis,
    value: Number((value * share).toFixed(decimals)),
    unit,
    ts: new Date(wallMs).toISOString(),
  }));
  return { bytes: JSON.stringify(readings), readings: readings.length, bad: false };
}

/** A payload that must end in the dead letters: cut off, of a wrong type, or not even text. */
export function badPayload(sensor: Sensor, dice: Dice): Payload {
  const value = sensor.next();
  const kinds: readonly (string | Uint8Array)[] = [
    `{"value": ${value}, "uni`,
    JSON.stringify({ value: { raw: value }, unit: sensor.metric.unit }),
    Uint8Array.of(0x7b, 0x22, 0x76, 0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d),
  ];
  return { bytes: kinds[Math.floor(dice() * kinds.length)] ?? "", readings: 1, bad: true };
}
