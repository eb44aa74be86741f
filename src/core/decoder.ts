/**
 * The contract of decoders and of the normalizer: bytes become rows with their position, rows become readings of one schema. A decoder
 * is pulled: it never runs ahead of who wants rows, which keeps memory constant and the event loop free.
 *
 * @module
 */
import type { Origin } from "./delivery.ts";
import type { Fields, Reason } from "./reading.ts";

/** What all rows share. */
interface RowBase {
  /** Row number from 1, the header not counted. For a payload: index in its array, from 0. */
  readonly row: number;
  /** First byte of the row and first byte after it (with its line ending), in the file as inflated and in UTF-8. */
  readonly start: number;
  readonly end: number;
}

/** A CSV row. `header` is the same array object for all rows of a file, so what depends on it can be worked out once. */
export interface CellsRow extends RowBase {
  readonly kind: "cells";
  readonly header: readonly string[];
  readonly cells: readonly string[];
}

/** A JSON object. */
export interface ObjectRow extends RowBase {
  readonly kind: "object";
  readonly object: Fields;
  /** The JSON text it came from: numbers that a double cannot hold are looked up in it. */
  readonly text: string;
}

/** A row that could not be decoded. */
export interface BadRow extends RowBase {
  readonly kind: "bad";
  readonly reason: Reason;
  /** What was wrong, with the value seen. */
  readonly detail: string;
}

export type Row = CellsRow | ObjectRow | BadRow;

/** The formats of files. */
export type FileFormat = "csv" | "ndjson" | "json";

/** The encodings of files. Decoders know UTF-8 only: the others are transcoded before. */
export type FileEncoding = "utf-8" | "utf-16le" | "utf-16be" | "latin1" | "windows-1252";

/** Where a decoder may begin again inside a file, and what it must know to do so. Plain JSON data, kept in the checkpoint. */
export interface DecoderState {
  readonly format: FileFormat;
  /** Byte offset (inflated, in UTF-8) of the next row. */
  readonly byte: number;
  /** Number of the last row before it. */
  readonly row: number;
  /** CSV: the header and the delimiter found out; JSON: whether inside a top-level array. */
  readonly header: readonly string[] | null;
  readonly delimiter: string | null;
  readonly insideArray: boolean;
  /** What the UTF-8 was transcoded from, for as long as the file is read: another one would give other positions. Not there: UTF-8. */
  readonly encoding?: FileEncoding;
}

/**
 * Is offered a line of a file, `[from, stop)` of `bytes` without its line ending: UTF-8, and without quotes if it is CSV. `row`, `start` and
 * `end` are those of its row, if it is one. True: it was taken, and the decoder makes no row of it. The bytes are valid during the call only.
 */
export type TakeLine = (
  bytes: Uint8Array,
  from: number,
  stop: number,
  row: number,
  start: number,
  end: number,
) => boolean;

/** Reads rows out of the bytes of one file. */
export interface Decoder {
  readonly format: FileFormat;
  /** Adds bytes, in order, contiguous from the state it was made with (or from byte 0). The array may be reused by the caller after the call. */
  push(chunk: Uint8Array): void;
  /** No more bytes: a last row without a line ending is complete now. */
  end(): void;
  /**
   * Appends at most `maxRows` decoded rows to `into` and returns how many. 0 means that it needs more bytes, or, after `end`, that it is
   * done.
   *
   * With `take`, plain lines may be offered to it instead. Those that it takes count as rows, and stand before the one row that is then
   * appended at most.
   *
   * @throws {WeirError} `bad_file` when the file as a whole cannot be read on.
   */
  pull(maxRows: number, into: Row[], take?: TakeLine): number;
  /** The bytes of a row given by the last `pull`; valid until the next `push` or `pull`. */
  raw(row: Row): Uint8Array;
  /** The state from which a new decoder goes on after `row` (the end of row `row.row`). Its constant parts are known from the first row on. */
  stateAfter(row: { readonly row: number; readonly end: number }): DecoderState;
}

/**
 * Makes a decoder for a file: the format by the name's ending, then by its first bytes, unless the settings say it.
 *
 * @param name base name of the file, compression ending removed
 * @param head the first bytes of the file as inflated and in UTF-8 (about 64 KiB)
 * @param state where to go on, or null to begin at byte 0
 * @throws {WeirError} `bad_file` when no format fits
 */
export type OpenDecoder = (name: string, head: Uint8Array, state: DecoderState | null) => Decoder;

/** What the normalizer must know besides the row. */
export interface Arrival {
  readonly origin: Origin;
  /** Wall-clock ms of arrival: `ts` when a row has none, and `processing_time`. */
  readonly wallMs: number;
  /** Fields that the MQTT topic gives; they win over the payload's. Null for files. */
  readonly topicFields: Readonly<Record<string, string>> | null;
}

/** What became of a row. */
export type Normalized =
  | { readonly kind: "reading"; readonly fields: Fields; readonly value: string; readonly bytes: number }
  | { readonly kind: "filtered" }
  | { readonly kind: "misfit"; readonly reason: Reason; readonly detail: string };

/** {@linkcode LineWriter.write} says this of a line whose reading is filtered. */
export const turnedAway = -2;

/** Writes the JSON text of plain lines byte by byte: the quick way to what `normalize` gives. */
export interface LineWriter {
  /** Bytes that a text may have more than its line. */
  readonly extraBytes: number;
  /**
   * Writes the JSON text of the line `[from, stop)` to `into` at `at`, where there is room, and returns where it ends. -1: only the decoder and
   * `normalize` can tell what becomes of this line. {@linkcode turnedAway}: the operator's filter turns its reading away. `line` is as
   * {@linkcode TakeLine} has it.
   */
  write(line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number;
  /** A line that was given up has become this row, and the row a reading: the next ones may be laid out like it. */
  learn?(row: ObjectRow): void;
}

/** How the lines of a file are laid out. */
export type LineLayout =
  /** CSV, under a checked header. */
  | { readonly format: "csv"; readonly header: readonly string[]; readonly delimiter: string }
  | { readonly format: "ndjson" };

/** Writes the JSON text of plain payloads of one topic byte by byte: as {@linkcode LineWriter} does it for the lines of a file. */
export interface PayloadWriter {
  /** Bytes that a text may have more than its payload. */
  extraBytes(): number;
  /**
   * Writes the JSON text of a payload, which is valid UTF-8 and came in at `wallMs`, to `into` at `at`, where there is room, and returns where
   * it ends. -1: only the decoder and `normalize` can tell what becomes of it. {@linkcode turnedAway}: the operator's filter turns its reading
   * away.
   */
  write(payload: Uint8Array, wallMs: number, into: Uint8Array, at: number): number;
  /** A payload that was given up has become this row alone, and the row a reading: the next ones may be laid out like it. */
  learn(row: ObjectRow): void;
}

/** Row to reading: aliases, coercion, schema, rules, origin, processing time and the JSON text; the same for both origins. */
export interface Normalizer {
  /**
   * Tells at once when no row under this CSV header can be good.
   *
   * @throws {WeirError} `bad_file` naming the missing required column, or the column that stands twice (also through an alias).
   */
  checkHeader(header: readonly string[]): void;
  normalize(row: CellsRow | ObjectRow, arrival: Arrival): Normalized;
  /** A quicker way for the lines of a file; null, or absent, when there is none. Valid until the next call: it keeps the arrival. */
  lineWriter?(layout: LineLayout, arrival: Arrival): LineWriter | null;
  /**
   * A quicker way for the payloads of a topic that gives these fields; null, or absent, when there is none. To be asked for each message,
   * with the same object for the same topic: what is made for it is remembered with it.
   */
  payloadWriter?(topicFields: Readonly<Record<string, string>>): PayloadWriter | null;
}

/** Turns an MQTT payload into rows (`row` = index in an array payload; `start` and `end` cover the payload). Never throws. */
export type DecodePayload = (payload: Uint8Array) => readonly Row[];
