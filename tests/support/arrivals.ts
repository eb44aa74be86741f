/**
 * What arrived in Kafka, held against what was promised. Every reading that a test feeds carries a number of its own as its value: rows
 * of files and messages of the stream count apart, each from 0, and within a key the numbers rise.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Origin } from "../../src/core/delivery.ts";
import type { ConsumedRecord } from "./kafka.ts";

/** What arrived of one origin. */
export interface Arrivals {
  /** Numbers that arrived at least once. */
  readonly numbers: ReadonlySet<number>;
  /** Arrivals beyond the first of each number. */
  readonly twice: number;
  /**
   * Of these, the ones that a reader can tell: by an id that was there before, for a row of a file and for a message out of the spool;
   * by `weir.redelivered` for a message that the broker sent again.
   */
  readonly recognisable: number;
}

/** Sorts records of a topic into what arrived. */
export function arrivalsOf(records: readonly ConsumedRecord[], origin: Origin): Arrivals {
  const idsOf = new Map<number, string[]>();
  let twice = 0;
  let recognisable = 0;
  for (const record of inOrder(records)) {
    const { number, from } = readingOf(record);
    if (from !== origin) continue;
    const id = record.headers["weir.id"] ?? "";
    const ids = idsOf.get(number);
    if (ids === undefined) {
      idsOf.set(number, [id]);
      continue;
    }
    twice += 1;
    const marked = origin === "real_time" && record.headers["weir.redelivered"] === "true";
    if (marked || ids.includes(id)) recognisable += 1;
    ids.push(id);
  }
  // One id, one reading: a reader that drops by id drops no other reading.
  const firstIds = new Set(Array.from(idsOf.values(), ([first]) => first));
  assert.equal(firstIds.size, idsOf.size, `${origin}: two readings have the same weir.id`);
  return { numbers: new Set(idsOf.keys()), twice, recognisable };
}

/** Fails unless the first arrivals of each key stand in the order in which they were fed, all in one partition. */
export function assertFirstArrivalsInOrder(records: readonly ConsumedRecord[], origin: Origin): void {
  const last = new Map<string, number>();
  const partitionOf = new Map<string, number>();
  const seen = new Set<number>();
  for (const record of inOrder(records)) {
    const { number, from } = readingOf(record);
    if (from !== origin || seen.has(number)) continue;
    seen.add(number);
    const key = record.key ?? "";
    assert.equal(partitionOf.get(key) ?? record.partition, record.partition, `${key} has one partition`);
    partitionOf.set(key, record.partition);
    const before = last.get(key) ?? -1;
    assert.ok(number > before, `${origin}, key ${key}: ${number} arrived after ${before}`);
    last.set(key, number);
  }
}

/** Those of the numbers from 0 that are not there. */
export function missingOf(numbers: ReadonlySet<number>, count: number): readonly number[] {
  return Array.from({ length: count }, (_, number) => number).filter((number) => !numbers.has(number));
}

function inOrder(records: readonly ConsumedRecord[]): readonly ConsumedRecord[] {
  return [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

function readingOf(record: ConsumedRecord): { readonly number: number; readonly from: unknown } {
  const value: Record<string, unknown> = JSON.parse(record.value ?? "null");
  return { number: Number(value["value"]), from: value["origin"] };
}
