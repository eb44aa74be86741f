/**
 * Readings of plain lines, packed: the JSON text and the id of each stand as bytes in pages that many share, so that a row leaves no texts
 * behind it. A page is written over, and its readings become others, when the last of them has its verdict: whoever got a reading may
 * look at it, and know it by its identity, until it has told what became of it, and no longer. So a row leaves no garbage at all, which in
 * a dump would outlive the young generation and lie in the heap by tens of megabytes.
 *
 * @module
 */
import { type LineWriter, turnedAway } from "../../core/decoder.ts";
import { PackedText, writeId } from "../../core/packed_text.ts";
import type { Item, Reading } from "../../core/reading.ts";
import type { FileDelivery } from "./file_delivery.ts";

/** Packs readings of one file. */
export interface PackedRows {
  /** The lines that follow came in at this moment, and are written so. */
  begin(writer: LineWriter, arrivedMs: number): void;
  /**
   * What becomes of a plain line, the next one of the delivery; null when only the normalizer can tell. `start` and `end` are the offsets of the
   * row in the file.
   */
  pack(line: Uint8Array, from: number, stop: number, row: number, start: number, end: number): Item | null;
}

/** Bytes of a page: about a hundred rows. Each file that is read has some. A longer row has a page of its own. */
export const pageBytes = 16 * 1024;
/** Pages that are written over again: what is in flight of a file by default, and more. Beyond it pages are made and left. */
const pagesMax = 512;
/** Digits of the largest byte offset. */
const offsetDigitsMax = 16;

/** A page with the readings that stand in it, and once stood: the first `count` are those of now. */
interface Page {
  readonly bytes: Uint8Array;
  readonly rows: PackedRow[];
  count: number;
  /** The index behind the last reading, once it is full. */
  end: number;
}

const newPage = (bytes: number): Page => ({ bytes: new Uint8Array(bytes), rows: [], count: 0, end: 0 });

/** Makes {@linkcode PackedRows}. `idPrefix` is what the ids of the file begin with; the byte offset of the row follows. */
export function createPackedRows(idPrefix: string, delivery: FileDelivery): PackedRows {
  const prefix = new TextEncoder().encode(idPrefix);
  /** Full pages in the order in which they were written. */
  const full: Page[] = [];
  let page = newPage(0);
  let used = 0;
  let writer: LineWriter | null = null;
  let arrivedMs = 0;

  /** A page for what needs so many bytes: the oldest one, when all its readings have their verdicts, or else a new one. */
  function turnTo(needed: number): void {
    page.end = delivery.addedRows;
    if (page.bytes.length === pageBytes && full.length < pagesMax) full.push(page);
    const [oldest] = full;
    const isFree = needed <= pageBytes && oldest !== undefined && oldest.end <= delivery.finishedRows;
    page = isFree ? oldest : newPage(Math.max(pageBytes, needed));
    if (isFree) full.shift();
    page.count = 0;
    used = 0;
  }

  /** The reading that is the next one of its page: an earlier one written over, or a new one. */
  function nextOf({ bytes, rows, count }: Page): PackedRow {
    const earlier = rows[count];
    if (earlier !== undefined) return earlier;
    const fresh = new PackedRow(delivery, bytes);
    rows.push(fresh);
    return fresh;
  }

  return {
    begin(nextWriter, nowMs) {
      writer = nextWriter;
      arrivedMs = nowMs;
    },
    pack(line, from, stop, row, start, end) {
      if (writer === null) throw new Error("Lines are packed before anybody said how");
      const needed = stop - from + writer.extraBytes + prefix.length + offsetDigitsMax;
      if (used + needed > page.bytes.length) turnTo(needed);
      const valueEnd = writer.write(line, from, stop, page.bytes, used);
      if (valueEnd === turnedAway) {
        return { kind: "filtered", delivery, index: delivery.addedRows, bytes: end - start };
      }
      if (valueEnd < 0) return null;
      const idEnd = writeId(prefix, start, page.bytes, valueEnd);
      const reading = nextOf(page);
      page.count += 1;
      reading.index = delivery.addedRows;
      reading.row = row;
      reading.byte = start;
      reading.arrivedMs = arrivedMs;
      reading.from = used;
      reading.valueEnd = valueEnd;
      reading.idEnd = idEnd;
      used = idEnd;
      return reading;
    },
  };
}

class PackedRow extends PackedText implements Reading {
  index = 0;
  row = 0;
  byte = 0;
  arrivedMs = 0;

  constructor(readonly delivery: FileDelivery, page: Uint8Array) {
    super(page, 0, 0, 0);
  }

  get redelivered(): boolean {
    return false;
  }
}
