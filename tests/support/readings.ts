/**
 * Readings for tests that only send and count them: numbered, with a delivery that remembers its verdicts.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Delivery, Origin, Verdict } from "../../src/core/delivery.ts";
import type { Lane } from "../../src/core/flow.ts";
import type { Reading } from "../../src/core/reading.ts";

/** A delivery that remembers verdicts by index, and fails the test when an index is settled twice. */
export interface RecordingDelivery extends Delivery {
  readonly verdicts: ReadonlyMap<number, Verdict>;
}

/** Makes a {@linkcode RecordingDelivery}. */
export function recordingDelivery(origin: Origin, source = "here"): RecordingDelivery {
  const verdicts = new Map<number, Verdict>();
  return {
    origin,
    source,
    verdicts,
    settle(index, verdict) {
      assert.ok(!verdicts.has(index), `index ${index} of ${source} was settled twice`);
      verdicts.set(index, verdict);
    },
  };
}

/** Reading `n` of its lane: `{"device_id":...,"n":...}`, padded to about `bytes` when that is more. */
export function numberedReading(lane: Lane, n: number, deviceId = `${lane}-device`, bytes = 0): Reading {
  const fields = { device_id: deviceId, lane, n, padding: "" };
  fields.padding = "x".repeat(Math.max(0, bytes - JSON.stringify(fields).length));
  const value = JSON.stringify(fields);
  return {
    kind: "reading",
    delivery: recordingDelivery(lane === "stream" ? "real_time" : "batch", lane === "stream" ? "plant/t" : "a.csv"),
    index: 0,
    bytes: value.length,
    id: `test/${lane}/${n}`,
    fields,
    value,
    row: n,
    byte: lane === "stream" ? -1 : n * 10,
    arrivedMs: 0,
    redelivered: false,
  };
}

/** Readings `from` to `to`, `to` not included. */
export function numberedReadings(lane: Lane, from: number, to: number, deviceId?: string): readonly Reading[] {
  return Array.from({ length: to - from }, (_, i) => numberedReading(lane, from + i, deviceId));
}
