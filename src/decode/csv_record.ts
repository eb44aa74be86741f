/**
 * One CSV record with quotes in it, by RFC 4180: cells in double quotes may hold delimiters, line endings and doubled quotes.
 *
 * Stricter than many readers on purpose: a quote inside an unquoted cell, or text after a closing quote, is nearly always a quote that
 * was never closed one row earlier, and guessing there turns two rows into one wrong one.
 *
 * @module
 */

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** How the scan of a record ended. */
export type RecordOutcome =
  | "complete"
  /** The text ended inside the record. */
  | "unclosed"
  /** A quote where none may stand. */
  | "stray";

/** The result of {@linkcode scanRecord}, reused from record to record. */
export interface RecordScan {
  /** The cells so far. */
  cells: string[];
  /** Position after the record and its line ending. */
  end: number;
}

/**
 * Scans the record that begins at `from`. `to` is where the text may be read to; `atEnd` says that the file ends there, so that a last
 * record needs no line ending.
 */
export function scanRecord(
  text: string,
  from: number,
  to: number,
  atEnd: boolean,
  delimiter: number,
  scan: RecordScan,
): RecordOutcome {
  const cells: string[] = [];
  scan.cells = cells;
  let at = from;
  for (;;) {
    if (at < to && text.charCodeAt(at) === quote) {
      let cell = "";
      let begin = at + 1;
      let close = text.indexOf('"', begin);
      while (close >= 0 && close + 1 < to && text.charCodeAt(close + 1) === quote) {
        cell += text.slice(begin, close + 1);
        begin = close + 2;
        close = text.indexOf('"', begin);
      }
      if (close < 0 || close >= to) return "unclosed";
      cells.push(cell + text.slice(begin, close));
      at = close + 1;
    } else {
      const begin = at;
      let code = at < to ? text.charCodeAt(at) : lineFeed;
      while (code !== delimiter && code !== lineFeed) {
        if (code === quote) return "stray";
        at += 1;
        code = at < to ? text.charCodeAt(at) : lineFeed;
      }
      if (at >= to && !atEnd) return "unclosed";
      const bare = code === lineFeed && at > begin && text.charCodeAt(at - 1) === carriageReturn ? at - 1 : at;
      cells.push(text.slice(begin, bare));
    }
    if (at < to && text.charCodeAt(at) === delimiter) {
      at += 1;
      continue;
    }
    if (at < to && text.charCodeAt(at) === carriageReturn) at += 1;
    if (at >= to) {
      scan.end = to;
      return atEnd ? "complete" : "unclosed";
    }
    if (text.charCodeAt(at) !== lineFeed) return "stray";
    scan.end = at + 1;
    return "complete";
  }
}

/** The cells of a line without quotes, `[from, to)` without its line ending. */
export function splitLine(text: string, from: number, to: number, delimiter: string): string[] {
  // Sliced first, so that looking for a delimiter never runs beyond the line.
  const line = text.slice(from, to);
  const cells: string[] = [];
  let begin = 0;
  let found = line.indexOf(delimiter);
  while (found >= 0) {
    cells.push(line.slice(begin, found));
    begin = found + 1;
    found = line.indexOf(delimiter, begin);
  }
  cells.push(begin === 0 ? line : line.slice(begin));
  return cells;
}
