/**
 * The delivery of one file from open to close: an index a row. Verdicts come back in any order; the file's position moves only over the
 * rows that are finished without a gap, and so do its counts, so that what a checkpoint says was counted exactly once.
 *
 * @module
 */
import type { Changing } from "../../core/changing.ts";
import type { Place } from "../../core/chunk.ts";
import type { Delivery, Verdict, VerdictCounts } from "../../core/delivery.ts";
import { finishedPrefix } from "../../core/finished_prefix.ts";
import type { FileCounts } from "../../core/store.ts";

/** Where the finished prefix ends. */
export interface RowEnd {
  readonly row: number;
  /** First byte after the row, in the inflated file. */
  readonly end: number;
}

/** A {@linkcode Delivery} that knows how far it is. */
export interface FileDelivery extends Delivery {
  /** A row was read: returns its index. */
  add(row: number, end: number): number;
  /** The next `count` rows were handed over. */
  taken(count: number): void;
  /** Rows read. */
  readonly addedRows: number;
  /** Rows handed over. */
  readonly takenRows: number;
  /** First byte after the last row that was handed over, in the inflated file; null before the first. */
  readonly takenEnd: number | null;
  /** Rows handed over that have no verdict yet. */
  readonly openRows: number;
  /** Rows of the finished prefix: all below this index have their verdict. */
  readonly finishedRows: number;
  /** The last row of the finished prefix; null while it is empty. */
  finished(): RowEnd | null;
  /** Counts over the finished prefix, with those the file came with. */
  counts(): FileCounts;
  placeAfter(index: number, ended: VerdictCounts): Place;
}

const verdicts: readonly Verdict[] = ["delivered", "filtered", "dead_lettered", "dropped"];

/**
 * Makes the delivery of a file. Memory: 17 bytes for each row that is read and not yet within the prefix.
 *
 * @param before counts up to the checkpoint that reading began from
 * @param settled called after each verdict, when `moved` rows joined the finished prefix (may be 0)
 * @param placeAt the place of the file when all rows to this one are finished, with these counts
 */
export function createFileDelivery(
  source: string,
  before: FileCounts,
  settled: (moved: number) => void,
  placeAt: (last: RowEnd, counts: FileCounts) => Place,
): FileDelivery {
  const prefix = finishedPrefix();
  const sums = [before.delivered, before.filtered, before.deadLettered, before.dropped];
  let ring = createRing(64);

  function passOver(from: number, count: number): void {
    for (let index = from; index < from + count; index++) {
      const code = ring.codes[index % ring.size] ?? 0;
      sums[code] = (sums[code] ?? 0) + 1;
    }
  }

  function endOf(index: number): RowEnd {
    const slot = index % ring.size;
    return { row: ring.rows[slot] ?? 0, end: ring.ends[slot] ?? 0 };
  }

  function countsNow(): FileCounts {
    const [delivered = 0, filtered = 0, deadLettered = 0, dropped = 0] = sums;
    return { read: before.read + prefix.length, delivered, filtered, deadLettered, dropped };
  }

  const delivery: Changing<FileDelivery> = {
    origin: "batch",
    source,
    addedRows: 0,
    takenRows: 0,
    takenEnd: null,
    openRows: 0,
    finishedRows: 0,
    finished: () => prefix.length === 0 ? null : endOf(prefix.length - 1),
    counts: countsNow,
    placeAfter(index, ended) {
      const rows = ended.delivered + ended.filtered + ended.dead_lettered + ended.dropped;
      if (prefix.length + rows !== index + 1) {
        throw new Error(`The place after index ${index} covers ${rows} rows behind the first ${prefix.length}`);
      }
      const now = countsNow();
      return placeAt(endOf(index), {
        read: now.read + rows,
        delivered: now.delivered + ended.delivered,
        filtered: now.filtered + ended.filtered,
        deadLettered: now.deadLettered + ended.dead_lettered,
        dropped: now.dropped + ended.dropped,
      });
    },
    add(row, end) {
      // The last of the finished rows keeps its place.
      if (prefix.started - prefix.length === ring.size - 1) ring = doubled(ring, Math.max(0, prefix.length - 1));
      const index = prefix.start();
      ring.rows[index % ring.size] = row;
      ring.ends[index % ring.size] = end;
      delivery.addedRows = index + 1;
      return index;
    },
    taken(count) {
      const { addedRows, takenRows } = delivery;
      if (takenRows + count > addedRows) {
        throw new Error(`Cannot take ${count} rows: only ${addedRows - takenRows} were read`);
      }
      delivery.takenRows += count;
      delivery.openRows += count;
      // The rows that are taken last are not within the prefix yet, so their place in the ring is still theirs.
      if (count > 0) delivery.takenEnd = ring.ends[(delivery.takenRows - 1) % ring.size] ?? 0;
    },
    settle(index, verdict) {
      const { takenRows, finishedRows: from } = delivery;
      if (index >= takenRows) throw new Error(`Cannot settle index ${index}: only ${takenRows} were handed over`);
      const code = verdicts.indexOf(verdict);
      // The code is written only when the index is open: `finish` throws otherwise and must find the ring as it was.
      const moved = prefix.finish(index);
      ring.codes[index % ring.size] = code;
      delivery.openRows -= 1;
      delivery.finishedRows = from + moved;
      if (moved > 0) passOver(from, moved);
      settled(moved);
    },
  };
  return delivery;
}

interface Ring {
  readonly size: number;
  readonly rows: Float64Array;
  readonly ends: Float64Array;
  readonly codes: Uint8Array;
}

function createRing(size: number): Ring {
  return { size, rows: new Float64Array(size), ends: new Float64Array(size), codes: new Uint8Array(size) };
}

function doubled(ring: Ring, first: number): Ring {
  const larger = createRing(ring.size * 2);
  for (let index = first; index < first + ring.size; index++) {
    larger.rows[index % larger.size] = ring.rows[index % ring.size] ?? 0;
    larger.ends[index % larger.size] = ring.ends[index % ring.size] ?? 0;
    larger.codes[index % larger.size] = ring.codes[index % ring.size] ?? 0;
  }
  return larger;
}
