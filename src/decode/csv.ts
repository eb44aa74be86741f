/**
 * CSV by RFC 4180, streamed: bytes in, rows with exact byte positions out, in constant memory, and resumable after any row.
 *
 * ```text
 *   bytes -> line runs -+-> line without a quote: offered as it is (fastest, the usual case), else split
 *                       +-> record with a quote:  scanned cell by cell (may span lines)
 * ```
 *
 * A row that cannot be read is reported and reading goes on behind it. After a quote that is never closed, or that stands where none
 * may, only the first line of the record is given up: what follows is read afresh, so that one bad quote cannot swallow good rows.
 *
 * Line endings are LF or CRLF. Empty lines are skipped and are not rows.
 *
 * @module
 */
import type { BadRow, Decoder, DecoderState, Row, TakeLine } from "../core/decoder.ts";
import { WeirError } from "../core/error.ts";
import type { Reason } from "../core/reading.ts";
import { formatBytes, quoted } from "../core/text.ts";
import type { RecordOutcome, RecordScan } from "./csv_record.ts";
import { scanRecord, splitLine } from "./csv_record.ts";
import { detectDelimiter } from "./csv_dialect.ts";
import { createLineRuns, lineEndIn, lineStopIn, runBytes } from "./line_runs.ts";

/** How CSV files are written. */
export interface CsvOptions {
  /** One ASCII character, or null to find it out among `,` `;` tab and `|`. */
  readonly delimiter: string | null;
  /** Lines that begin with this ASCII character are skipped; null for none. */
  readonly comment: string | null;
  /** Lines to skip before the header. */
  readonly skipLines: number;
  /** Names of the columns of files that have no header line; null when the first line names them. */
  readonly columns: readonly string[] | null;
  /** Longest row in bytes, with its line ending. */
  readonly rowBytesMax: number;
  /** Called once the header is known and before any row; throws {@linkcode WeirError} `bad_file` when no row under it can be good. */
  readonly checkHeader: (header: readonly string[]) => void;
}

/** The cells of a record, or what was wrong with it. */
type Cells = readonly string[] | BadRow;

interface LongRow {
  readonly start: number;
  /** As many of its bytes as are kept. */
  readonly prefix: Uint8Array;
}

/** The text ends with the record. */
const wholeRecord = true;

const byteOrderMark = [0xef, 0xbb, 0xbf] as const;

/**
 * Makes a CSV decoder.
 *
 * @param head the first bytes of the file, from which the delimiter is found out
 * @param state where to go on, or null to begin at byte 0
 */
export function createCsvDecoder(options: CsvOptions, head: Uint8Array, state: DecoderState | null): Decoder {
  const { rowBytesMax } = options;
  const delimiter = state?.delimiter ?? options.delimiter ?? detectDelimiter(head, options);
  const delimiterCode = delimiter.charCodeAt(0);
  const commentCode = options.comment === null ? -1 : options.comment.charCodeAt(0);
  const resumed = state !== null && state.byte > 0;
  const lines = createLineRuns(resumed ? state.byte : 0, rowBytesMax);
  const scan: RecordScan = { cells: [], end: 0 };

  let header: readonly string[] | null = state?.header ?? options.columns;
  let headerChecked = false;
  let linesToSkip = resumed ? 0 : options.skipLines;
  let atFileStart = !resumed;
  let row = resumed ? state.row : 0;
  /** File offset of the next record; in the run its position is `next - lines.at` in `latin` and `textAt` in `text`. */
  let next = lines.at;
  let textAt = 0;
  /** Position of the next quote in `latin` at or after the record; Infinity when there is none. */
  let quoteAt = -1;
  /** A record that goes on behind the bytes held is not looked at again before the window ends here. */
  let retryAt = 0;
  /** A record that is all there is going to be: when it is unclosed, it stays so. */
  let exhaustedAt = -1;
  /** The row over the limit that the last `load` found. */
  let longRow: LongRow | null = null;
  const foundLongRow = (): LongRow | null => longRow;

  const load = (wantedBytes: number): boolean => {
    const loaded = lines.load(next, wantedBytes);
    textAt = 0;
    quoteAt = -1;
    if (loaded !== "long") return loaded === "run";
    const start = next;
    next = lines.longEnd;
    if (linesToSkip === 0 && lines.longPrefix[0] !== commentCode) {
      if (header === null) throw badHeader(`is longer than ${formatBytes(rowBytesMax)}`, start);
      longRow = { start, prefix: lines.longPrefix };
      return true;
    }
    if (linesToSkip > 0) linesToSkip -= 1;
    return load(wantedBytes);
  };

  const skipByteOrderMark = (): boolean => {
    const held = lines.window.end;
    for (let i = 0; i < byteOrderMark.length; i++) {
      if (i >= held) return lines.ended;
      if (lines.window.byteAt(i) !== byteOrderMark[i]) return true;
    }
    next = byteOrderMark.length;
    return true;
  };

  const badRow = (reason: Reason, detail: string, start: number): BadRow => {
    row += 1;
    return { kind: "bad", row, start, end: next, reason, detail };
  };

  /** Moves to `end` in the run; `textEnd` is the same place in `text`. */
  const advance = (end: number, textEnd: number): void => {
    next = lines.at + end;
    textAt = textEnd;
  };

  /** Whether the line at `next` is plain and was taken as it is. Comments and empty lines, which are no rows, are not offered. */
  const isTaken = (take: TakeLine): boolean => {
    const { latin, text } = lines;
    if (!headerChecked || linesToSkip > 0 || text === null) return false;
    const at = next - lines.at;
    const lineEnd = lineEndIn(latin, at);
    const lineStop = lineStopIn(latin, at, lineEnd);
    if (lineStop === at || lineEnd - at > rowBytesMax || latin.charCodeAt(at) === commentCode) return false;
    if (nextQuote(at) < lineEnd || !take(lines.bytes, at, lineStop, row + 1, next, lines.at + lineEnd)) return false;
    row += 1;
    advance(lineEnd, text === latin ? lineEnd : lineEndIn(text, textAt));
    return true;
  };

  const nextQuote = (at: number): number => {
    if (quoteAt < at) {
      const found = lines.latin.indexOf('"', at);
      quoteAt = found < 0 ? Infinity : found;
    }
    return quoteAt;
  };

  /** Cells of the line at `next`, which has no quote; `lineStop` is where its line ending begins. */
  const readLine = (lineEnd: number, lineStop: number): Cells => {
    const { latin, text } = lines;
    const start = next;
    const from = textAt;
    if (text === null) {
      const line = lines.window.utf8(start, lines.at + lineStop);
      advance(lineEnd, lineEnd);
      return line === null ? invalidUtf8(start) : splitLine(line, 0, line.length, delimiter);
    }
    // Where the line ends in the text: the same place when all is ASCII, else lines are counted off in parallel.
    const textEnd = text === latin ? lineEnd : lineEndIn(text, from);
    advance(lineEnd, textEnd);
    return splitLine(text, from, textEnd - (lineEnd - lineStop), delimiter);
  };

  /** Cells of the record at `next`, in whose first line there is a quote. */
  const readQuoted = (lineEnd: number): Cells | "more" => {
    const { latin, text } = lines;
    const start = next;
    const at = start - lines.at;
    // A record ends with a line, so that what lies between the last line within the limit and the limit itself does not matter.
    const limit = latin.length <= at + rowBytesMax ? latin.length : latin.lastIndexOf("\n", at + rowBytesMax - 1) + 1;
    const atEnd = limit === latin.length && lines.ended && lines.at + limit === lines.window.end;
    const outcome = scanRecord(latin, at, limit, atEnd, delimiterCode, scan);
    if (outcome !== "complete") {
      const mayGoOn = limit === latin.length && limit < at + rowBytesMax && !atEnd && exhaustedAt !== start;
      return outcome === "unclosed" && mayGoOn ? "more" : badQuote(outcome, lineEnd);
    }
    const end = scan.end;
    if (text === latin) {
      advance(end, end);
    } else if (text !== null) {
      scanRecord(text, textAt, text.length, atEnd, delimiterCode, scan);
      advance(end, scan.end);
    } else {
      const record = lines.window.utf8(start, lines.at + end);
      advance(end, end);
      if (record === null) return invalidUtf8(start);
      scanRecord(record, 0, record.length, wholeRecord, delimiterCode, scan);
    }
    return scan.cells;
  };

  /** Gives up the first line of the record at `next`. */
  const badQuote = (outcome: RecordOutcome, lineEnd: number): BadRow => {
    const start = next;
    const column = scan.cells.length + 1;
    skipLine(lineEnd);
    if (header === null) throw badHeader(`has a quote out of place in column ${column}`, start);
    const what = outcome === "stray"
      ? `A quote stands where none may in column ${column}`
      : `The quote that opens in column ${column} is closed neither within ${
        formatBytes(rowBytesMax)
      } nor by the end of the file`;
    return badRow("bad_csv", `${what}; reading goes on at the next line`, start);
  };

  const skipLine = (lineEnd: number): void => {
    const { latin, text } = lines;
    advance(lineEnd, text === null || text === latin ? lineEnd : lineEndIn(text, textAt));
  };

  /** A row, or `none` for a line that is none, or `more` when the record goes on behind the run. */
  const readRecord = (): Row | "none" | "more" => {
    const { latin } = lines;
    const start = next;
    const at = start - lines.at;
    const lineEnd = lineEndIn(latin, at);
    const lineStop = lineStopIn(latin, at, lineEnd);
    if (linesToSkip > 0 || lineStop === at || latin.charCodeAt(at) === commentCode) {
      if (linesToSkip > 0) linesToSkip -= 1;
      skipLine(lineEnd);
      return "none";
    }
    if (lineEnd - at > rowBytesMax) {
      if (header === null) throw badHeader(`is longer than ${formatBytes(rowBytesMax)}`, start);
      skipLine(lineEnd);
      return badRow("too_long", tooLong(lineEnd - at, rowBytesMax), start);
    }
    const cells = nextQuote(at) >= lineEnd ? readLine(lineEnd, lineStop) : readQuoted(lineEnd);
    if (cells === "more" || "kind" in cells) return cells;
    if (header === null) {
      header = cells.map((name) => name.trim());
      return "none";
    }
    if (!headerChecked) check(header);
    if (cells.length !== header.length) {
      const detail = `The row has ${count(cells.length, "cell")} and the header ${count(header.length, "column")}`;
      return badRow("bad_csv", `${detail}; it begins with ${quoted(cells[0] ?? "", 40)}`, start);
    }
    row += 1;
    return { kind: "cells", row, start, end: next, header, cells };
  };

  const invalidUtf8 = (start: number): BadRow => {
    if (header === null) throw badHeader("is not valid UTF-8", start);
    return badRow("invalid_utf8", `A row of ${count(next - start, "byte")} is not valid UTF-8`, start);
  };

  const check = (names: readonly string[]): void => {
    options.checkHeader(names);
    headerChecked = true;
  };

  /** Makes `readRecord` possible at `next`: false when more bytes are needed or the file is at its end. */
  const ready = (): boolean => {
    if (atFileStart) {
      if (!skipByteOrderMark()) return false;
      atFileStart = false;
    }
    if (header !== null && !headerChecked) check(header);
    if (lines.window.end < retryAt && !lines.ended) return false;
    return next < lines.at + lines.latin.length || load(runBytes);
  };

  /** Loads the record at `next` with more behind it, twice as much each time so that the work stays linear; false when it must wait. */
  const loadMore = (): boolean => {
    const runEnd = lines.at + lines.latin.length;
    const grew = (wanted: number): boolean =>
      load(Math.min(wanted, rowBytesMax)) && lines.at + lines.latin.length > runEnd;
    if (grew(2 * (runEnd - next)) || grew(rowBytesMax)) return true;
    const held = lines.window.end - next;
    if (lines.ended || held >= rowBytesMax) {
      exhaustedAt = next;
      return true;
    }
    retryAt = next + Math.min(2 * held, rowBytesMax);
    return false;
  };

  return {
    format: "csv",
    push(chunk) {
      lines.push(chunk, next);
    },
    end() {
      lines.end();
    },
    pull(maxRows, into, take) {
      let given = 0;
      longRow = null;
      while (given < maxRows && ready()) {
        const long = foundLongRow();
        if (long !== null) {
          // Its bytes are in `longPrefix`, so that it is the last row of this pull.
          into.push(badRow("too_long", tooLong(next - long.start, rowBytesMax), long.start));
          return given + 1;
        }
        if (take !== undefined && isTaken(take)) {
          given += 1;
          continue;
        }
        const read = readRecord();
        if (read === "more") {
          if (!loadMore()) break;
        } else if (read !== "none") {
          into.push(read);
          given += 1;
          // What is taken stands before what is appended.
          if (take !== undefined) break;
        }
      }
      return given;
    },
    raw(of) {
      if (longRow !== null && of.start === longRow.start) return longRow.prefix;
      return lines.window.view(of.start, Math.min(of.end, of.start + rowBytesMax));
    },
    stateAfter(of) {
      return { format: "csv", byte: of.end, row: of.row, header, delimiter, insideArray: false };
    },
  };
}

function tooLong(bytes: number, rowBytesMax: number): string {
  return `The row has ${formatBytes(bytes)}, over the limit of ${formatBytes(rowBytesMax)}; only its beginning is kept`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function badHeader(what: string, byte: number): WeirError {
  return new WeirError("bad_file", `The header line at byte ${byte} ${what}`, {
    advice:
      "Look at the first lines of the file: --csv-skip leaves out lines before the header, --csv-columns names the columns of a " +
      "file without one",
  });
}
