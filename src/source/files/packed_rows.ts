/**
 * Readings of plain lines, packed: the JSON text and the id of each stand as bytes in pages that many share, so that a row leaves one small
 * object behind it and no texts. A page is written over when the last of its readings has its verdict: whoever got a reading may look at it
 * until it has told what became of it, and no longer.
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

/** Bytes of a page: some hundred rows. A longer row has a page of its own. */
export const pageBytes = 64 * 1024;
/** Pages that are written over again: what is in flight of a file by default, and more. Beyond it pages are made and left. */
const pagesMax = 128;
/** Digits of the largest byte offset. */
const offsetDigitsMax = 16;

/** What the rows of one slice have in common. */
interface Slice {
  readonly writer: LineWriter;
  readonly arrivedMs: number;
}

/** Makes {@linkcode PackedRows}. `idPrefix` is what the ids of the file begin with; the byte offset of the row follows. */
export function createPackedRows(idPrefix: string, delivery: FileDelivery): PackedRows {
  const prefix = new TextEncoder().encode(idPrefix);
  /** Full pages in the order in which they were written, and the index behind the last reading in each. */
  const full: { readonly page: Uint8Array<ArrayBuffer>; readonly end: number }[] = [];
  let page = new Uint8Array(0);
  let used = 0;
  let slice: Slice | null = null;

  /** A page for what needs so many bytes: the oldest one, when all its readings have their verdicts, or else a new one. */
  function turnTo(needed: number): void {
    if (page.length === pageBytes && full.length < pagesMax) full.push({ page, end: delivery.addedRows });
    const [oldest] = full;
    const isFree = needed <= pageBytes && oldest !== undefined && oldest.end <= delivery.finishedRows;
    page = isFree ? oldest.page : new Uint8Array(Math.max(pageBytes, needed));
    if (isFree) full.shift();
    used = 0;
  }

  return {
    begin(writer, arrivedMs) {
      slice = { writer, arrivedMs };
    },
    pack(line, from, stop, row, start, end) {
      if (slice === null) throw new Error("Lines are packed before anybody said how");
      const needed = stop - from + slice.writer.extraBytes + prefix.length + offsetDigitsMax;
      if (used + needed > page.length) turnTo(needed);
      const valueEnd = slice.writer.write(line, from, stop, page, used);
      if (valueEnd === turnedAway) {
        return { kind: "filtered", delivery, index: delivery.addedRows, bytes: end - start };
      }
      if (valueEnd < 0) return null;
      const idEnd = writeId(prefix, start, page, valueEnd);
      const reading = new PackedRow(delivery, delivery.addedRows, row, start, slice, page, used, valueEnd, idEnd);
      used = idEnd;
      return reading;
    },
  };
}

class PackedRow extends PackedText implements Reading {
  constructor(
    readonly delivery: FileDelivery,
    readonly index: number,
    readonly row: number,
    readonly byte: number,
    readonly slice: Slice,
    page: Uint8Array,
    from: number,
    valueEnd: number,
    idEnd: number,
  ) {
    super(page, from, valueEnd, idEnd);
  }

  get redelivered(): boolean {
    return false;
  }

  get arrivedMs(): number {
    return this.slice.arrivedMs;
  }
}
