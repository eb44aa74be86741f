/**
 * Reads one file from its checkpoint to its end:
 *
 *     disk bytes -> inflate -> transcode -> skip what is home already -> decoder -+-> normalizer --+-> row buffer
 *                                                                                +-> packed rows -+   (plain lines)
 *
 * The loop is pulled by the buffer: it reads on when there is room, a chunk at a time, and never keeps more than a chunk and a row in
 * between. Rows cost no promise; the loop gives the event loop a turn after {@linkcode sliceMs} of decoding.
 *
 * All positions are those of the bytes that the decoder sees, after both steps: what is called inflated here is in UTF-8 too. Reading is
 * resumed by doing both again from the first byte on.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type {
  Arrival,
  Decoder,
  DecoderState,
  FileEncoding,
  LineWriter,
  Normalizer,
  OpenDecoder,
  Row,
  TakeLine,
} from "../../core/decoder.ts";
import { sleep } from "../../core/clock.ts";
import { WeirError } from "../../core/error.ts";
import type { Item, Reason } from "../../core/reading.ts";
import type { FileCounts, FileIdentity, FileRecord } from "../../core/store.ts";
import { formatCount } from "../../core/text.ts";
import type { Recorded } from "./checkpointer.ts";
import { isMissing } from "./disk.ts";
import { type DiskBytes, type DiskBytesDeps, openDiskBytes } from "./disk_bytes.ts";
import { encodingOf, type EncodingSetting } from "./encoding.ts";
import { createFileDelivery, type FileDelivery, type RowEnd } from "./file_delivery.ts";
import { createPackedRows } from "./packed_rows.ts";
import { inflated, isBadFile, type Pieces, readHead } from "./pieces.ts";
import { placeOf } from "./place.ts";
import type { RowBuffer } from "./row_buffer.ts";
import { createTranscode } from "./transcode.ts";

/** How reading ended. */
export type ReadOutcome =
  /** To the end: its rows are all in the buffer or taken. */
  | { readonly kind: "read"; readonly sha256: string; readonly identity: FileIdentity }
  /** It cannot be read on; the rows so far are in the buffer or taken. */
  | { readonly kind: "refused"; readonly error: WeirError }
  /** It was gone before it could be opened. */
  | { readonly kind: "vanished" }
  | { readonly kind: "stopped" };

/** How far it is. */
export interface ReadProgress {
  readonly sizeBytes: number;
  /** Bytes on disk that were inflated so far. */
  readonly workedBytes: number;
  /** What they inflated to. */
  readonly inflatedBytes: number;
  /** The last byte was read. */
  readonly ended: boolean;
  /** Rows decoded so far, in the whole file, and the inflated byte after the last of them. */
  readonly rows: number;
  readonly rowsEnd: number;
  /** The inflated byte after the last row that was handed over. */
  readonly takenEnd: number;
  readonly badRows: number;
  /** First byte of the first row that was decoded, or null. */
  readonly firstByte: number | null;
}

/** Reads one file. */
export interface FileReader extends Recorded {
  readonly fullPath: string;
  readonly delivery: FileDelivery;
  /** Reads. Called once. */
  run(): Promise<ReadOutcome>;
  progress(): ReadProgress;
}

/** Limits, and what a file's end is known by. */
export interface FileReaderOptions {
  readonly fullPath: string;
  /** What is known of the file; reading begins at its checkpoint. */
  readonly record: FileRecord;
  /** What was complete when the file was chosen. */
  readonly identity: FileIdentity;
  readonly quietMs: number;
  readonly badMax: number;
  readonly rowBytesMax: number;
  readonly inflationRatioMax: number;
  readonly encoding: EncodingSetting;
  readonly gateway: string;
}

/** What it needs. */
export interface FileReaderDeps extends DiskBytesDeps {
  readonly clock: Clock;
  readonly openDecoder: OpenDecoder;
  readonly normalizer: Normalizer;
  readonly buffer: RowBuffer;
  /** Resolves when rows may be added: there is room, and checkpoints can be written. */
  readonly room: () => Promise<void>;
  /** Rows were added. */
  readonly wake: () => void;
  /** A verdict came in. */
  readonly settled: (reader: FileReader) => void;
}

/** Rows decoded before the clock is looked at. */
const sliceRows = 64;
/** Decoding gives the event loop a turn after this long. */
export const sliceMs = 4;

/** The rows of the text of a file, fed with its bytes. */
interface Text {
  readonly opened: Decoder;
  feed(piece: Uint8Array): void;
  end(): void;
}

/** Makes a {@linkcode FileReader}. */
export function createFileReader(options: FileReaderOptions, deps: FileReaderDeps): FileReader {
  const { record } = options;
  const { buffer, clock, signal } = deps;
  const idPrefix = `${options.gateway}/${record.fileId}/`;
  const skipBytes = record.checkpoint?.byte ?? 0;
  let decoder: Decoder | null = null;
  let encoding: FileEncoding = "utf-8";
  let disk: DiskBytes | null = null;
  let pieces: Pieces | null = null;
  let ended = false;
  let header: readonly string[] | null = null;
  let delimiter: string | null = null;
  let lastRow = record.checkpoint?.row ?? 0;
  let badRows = record.counts.deadLettered;
  let lastEnd = skipBytes;
  let inflatedBytes = 0;
  let firstByte: number | null = null;
  /** The quick way of the rows that are pulled at the moment. */
  let writer: LineWriter | null = null;
  const delivery = createFileDelivery(
    options.fullPath,
    record.counts,
    () => deps.settled(reader),
    (last, counts) => placeOf(options.gateway, recordAt(last, counts)),
  );
  const packed = createPackedRows(idPrefix, delivery);

  async function run(): Promise<ReadOutcome> {
    try {
      disk = await openDiskBytes({
        fullPath: options.fullPath,
        identity: options.identity,
        quietMs: options.quietMs,
      }, deps);
      pieces = inflated(disk, options.inflationRatioMax, signal);
      if (!await readRows(pieces)) return { kind: "stopped" };
      return { kind: "read", sha256: disk.sha256(), identity: disk.identity };
    } catch (error) {
      if (isBadFile(error)) return { kind: "refused", error };
      if (isMissing(error) && disk === null) return { kind: "vanished" };
      if (signal.aborted) return { kind: "stopped" };
      throw error;
    } finally {
      pieces?.close();
      disk?.close();
    }
  }

  /** Returns false when it was stopped before the end. */
  async function readRows(pieces: Pieces): Promise<boolean> {
    const text = await openText(pieces);
    if (text === null) return ended;
    const { opened, feed, end } = text;
    const rows: Row[] = [];
    let sliceStartMs = clock.nowMs();
    while (!signal.aborted) {
      if (buffer.room() < 1) {
        await deps.room();
        sliceStartMs = clock.nowMs();
        continue;
      }
      if (clock.nowMs() - sliceStartMs >= sliceMs) {
        await sleep(clock, 0, signal);
        sliceStartMs = clock.nowMs();
        continue;
      }
      if (pullSlice(opened, rows) > 0) continue;
      if (ended) return true;
      // Reading is no turn: the runtime may go on without a look at its sockets.
      const piece = await pieces.next();
      if (piece !== null) feed(piece);
      else if (!signal.aborted) {
        end();
        ended = true;
      }
    }
    return false;
  }

  /** Chooses the decoder by the head of the file, which is let go of with this: so much is not held for each file that is read. */
  async function openText(pieces: Pieces): Promise<Text | null> {
    const head = await readHead(pieces);
    ended = head.length === 0 && !signal.aborted;
    if (head.length === 0 || signal.aborted) return null;
    encoding = record.checkpoint === null ? encodingOf(head, options.encoding) : record.checkpoint.encoding ?? "utf-8";
    const transcode = createTranscode(encoding);
    const textHead = createTranscode(encoding).push(head);
    const opened = deps.openDecoder(decoderName(record.path), textHead, record.checkpoint);
    decoder = opened;
    const decode = (text: Uint8Array) => {
      const fresh = text.subarray(Math.max(0, Math.min(text.length, skipBytes - inflatedBytes)));
      inflatedBytes += text.length;
      if (fresh.length > 0) opened.push(fresh);
    };
    const feed = (piece: Uint8Array) => decode(transcode.push(piece));
    feed(head);
    return {
      opened,
      feed,
      end() {
        decode(transcode.end());
        opened.end();
      },
    };
  }

  /** Brings the next rows, those that there is room for, into the buffer; returns how many. */
  function pullSlice(from: Decoder, rows: Row[]): number {
    const arrival: Arrival = { origin: "batch", wallMs: clock.wallMs(), topicFields: null };
    const arrivedMs = clock.nowMs();
    writer = lineWriter(from, arrival);
    if (writer !== null) packed.begin(writer, arrivedMs);
    rows.length = 0;
    try {
      const rowsMax = Math.min(buffer.room(), sliceRows);
      const pulled = writer === null ? from.pull(rowsMax, rows) : from.pull(rowsMax, rows, takeLine);
      accept(from, rows, arrival, arrivedMs);
      return pulled;
    } finally {
      // Also the rows before one that was too much are to be taken.
      deps.wake();
    }
  }

  function lineWriter({ format }: Decoder, arrival: Arrival): LineWriter | null {
    if (format === "ndjson") return deps.normalizer.lineWriter?.({ format }, arrival) ?? null;
    if (format !== "csv" || header === null || delimiter === null) return null;
    return deps.normalizer.lineWriter?.({ format, header, delimiter }, arrival) ?? null;
  }

  function accept(from: Decoder, rows: readonly Row[], arrival: Arrival, arrivedMs: number): void {
    for (const row of rows) {
      if (firstByte === null) {
        firstByte = row.start;
        ({ header, delimiter } = from.stateAfter(row));
        if (header !== null) deps.normalizer.checkHeader(header);
      }
      const index = delivery.add(row.row, row.end);
      lastRow = row.row;
      lastEnd = row.end;
      buffer.push(delivery, itemOf(from, row, index, arrival, arrivedMs));
      if (badRows > options.badMax) throw tooManyBadRows(options.badMax, row);
    }
  }

  const takeLine: TakeLine = (bytes, from, stop, row, start, end) => {
    const item = packed.pack(bytes, from, stop, row, start, end);
    if (item === null) return false;
    firstByte ??= start;
    delivery.add(row, end);
    lastRow = row;
    lastEnd = end;
    buffer.push(delivery, item);
    return true;
  };

  function itemOf(from: Decoder, row: Row, index: number, arrival: Arrival, arrivedMs: number): Item {
    if (row.kind === "bad") return misfit(from, row, index, arrival, row.reason, row.detail);
    const made = deps.normalizer.normalize(row, arrival);
    if (made.kind === "misfit") return misfit(from, row, index, arrival, made.reason, made.detail);
    if (row.kind === "object") writer?.learn?.(row);
    if (made.kind === "filtered") return { kind: "filtered", delivery, index, bytes: row.end - row.start };
    return {
      kind: "reading",
      delivery,
      index,
      bytes: made.bytes,
      id: idPrefix + row.start,
      fields: made.fields,
      value: made.value,
      row: row.row,
      byte: row.start,
      arrivedMs,
      redelivered: false,
    };
  }

  function misfit(from: Decoder, row: Row, index: number, arrival: Arrival, reason: Reason, detail: string): Item {
    badRows += 1;
    const raw = from.raw(row).slice(0, options.rowBytesMax);
    const letter = {
      id: idPrefix + row.start,
      reason,
      detail,
      origin: "batch",
      source: options.fullPath,
      row: row.row,
      byte: row.start,
      decoder: from.format,
      header,
      ...(delimiter === null ? {} : { delimiter }),
      raw,
      arrivedAtMs: arrival.wallMs,
    } as const;
    return { kind: "misfit", delivery, index, bytes: raw.length, letter };
  }

  /** The record when all rows up to and with `last` are finished. */
  function recordAt(last: RowEnd | null, counts: FileCounts): FileRecord {
    const checkpoint = last === null || decoder === null
      ? record.checkpoint
      : inEncoding(decoder.stateAfter(last), encoding);
    return { ...record, state: "reading", checkpoint, counts, updatedAtMs: clock.wallMs() };
  }

  const reader: FileReader = {
    fullPath: options.fullPath,
    delivery,
    run,
    record: () => recordAt(delivery.finished(), delivery.counts()),
    progress: () => ({
      sizeBytes: disk?.identity.sizeBytes ?? options.identity.sizeBytes,
      workedBytes: pieces?.workedBytes ?? 0,
      inflatedBytes,
      ended,
      rows: lastRow,
      rowsEnd: lastEnd,
      takenEnd: delivery.takenEnd ?? skipBytes,
      badRows,
      firstByte,
    }),
  };
  return reader;
}

function inEncoding(state: DecoderState, encoding: FileEncoding): DecoderState {
  return encoding === "utf-8" ? state : { ...state, encoding };
}

/** The base name without the ending of the compression. */
function decoderName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.(gz|zst)$/i, "");
}

function tooManyBadRows(badMax: number, row: Row): WeirError {
  const where = `at row ${row.row}, byte ${row.start}`;
  return new WeirError("bad_file", `More than ${formatCount(badMax)} bad rows, the last ${where}`, {
    advice: "look at its dead letters; if they are meant to be there, allow more with --files-bad-max",
  });
}
