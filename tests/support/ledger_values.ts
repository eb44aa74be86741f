/**
 * File records, dead letters and spooled readings for tests of the ledger.
 *
 * @module
 */
import type { Origin } from "../../src/core/delivery.ts";
import type { DeadLetter } from "../../src/core/reading.ts";
import type { SpooledReading } from "../../src/core/spool.ts";
import type { FileRecord } from "../../src/core/store.ts";

/** A finished file in folder `/in`, with what is said otherwise. */
export function fileRecord(fileId: string, otherwise: Partial<FileRecord> = {}): FileRecord {
  return {
    fileId,
    folder: "/in",
    path: `${fileId}.csv`,
    identity: { device: 1, inode: 2, sizeBytes: 300, mtimeMs: 4 },
    state: "done",
    checkpoint: {
      format: "csv",
      byte: 300,
      row: 9,
      header: ["a", "b"],
      delimiter: ";",
      insideArray: false,
      encoding: "utf-16le",
    },
    counts: { read: 9, delivered: 6, filtered: 1, deadLettered: 1, dropped: 1 },
    sha256: "ab".repeat(32),
    firstSeenAtMs: 10,
    updatedAtMs: 20,
    movedTo: `/in/done/${fileId}.csv`,
    ...otherwise,
  };
}

/** A dead letter of a file, with what is said otherwise. */
export function letter(id: string, otherwise: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    reason: "wrong_type",
    detail: 'value is "x"',
    origin: "batch",
    source: "/in/a.csv",
    row: 7,
    byte: 70,
    decoder: "csv",
    header: ["device_id", "value"],
    raw: new TextEncoder().encode("d1,x\n"),
    arrivedAtMs: 1_000,
    ...otherwise,
  };
}

/** A reading in the spool, with what is said otherwise. */
export function spooled(number: number, otherwise: Partial<SpooledReading> = {}): SpooledReading {
  return {
    number,
    id: "gw/boot/1",
    source: "plant/t",
    value: '{"device_id":"d","value":1}',
    row: 0,
    arrivedAtMs: 2_000,
    redelivered: false,
    ...otherwise,
  };
}

/** `count` letters of one size, numbered from `from`. */
export function letters(origin: Origin, count: number, from = 0): readonly DeadLetter[] {
  return Array.from({ length: count }, (_, i) => letter(`${origin}/${String(from + i).padStart(6, "0")}`, { origin }));
}
