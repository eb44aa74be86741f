/**
 * Runs of whole lines as text: what the CSV and the NDJSON decoder stand on. Decoding tens of kilobytes at once costs a hundredth of
 * decoding line by line, and with one character per byte a position in the text is a position in the file.
 *
 * A run has two texts: `latin` with one character for each byte, in which lines and positions are found, and `text`, the UTF-8 content:
 * the same string when all is ASCII, null when the run holds invalid UTF-8 somewhere (then its lines are decoded one by one).
 *
 * @module
 */
import type { ByteWindow } from "./byte_window.ts";
import type { Changing } from "../core/changing.ts";
import { createByteWindow } from "./byte_window.ts";

/** What `load` found. */
export type Loaded =
  /** `at`, `latin` and `text` hold a run of whole lines (the last line of a file may lack its line ending). */
  | "run"
  /** The line is over the limit: `longEnd` is its end, `longPrefix` the bytes kept of it. */
  | "long"
  /** More bytes are needed. */
  | "wait"
  /** The file is at its end. */
  | "done";

/** Whole lines of a file, pulled. */
export interface LineRuns {
  readonly window: ByteWindow;
  readonly ended: boolean;
  /** File offset of the run's first byte. */
  readonly at: number;
  readonly latin: string;
  readonly text: string | null;
  /** The bytes of the run, valid until the next `push`. */
  readonly bytes: Uint8Array;
  /** End of the long line that was found; -1 before the first. */
  readonly longEnd: number;
  readonly longPrefix: Uint8Array;
  push(chunk: Uint8Array, from: number): void;
  end(): void;
  /** Loads a run that begins at `from`, of about `wantedBytes` or one whole line, whichever is more. */
  load(from: number, wantedBytes: number): Loaded;
}

const newline = 0x0a;
/** Large enough to make the cost of decoding vanish, small enough to stay in the cache and far below 5 ms. */
export const runBytes = 64 * 1024;

/** Makes {@linkcode LineRuns} that begin at `firstByte`; a line (with its ending) over `rowBytesMax` is reported as `long`. */
export function createLineRuns(firstByte: number, rowBytesMax: number): LineRuns {
  const window = createByteWindow(firstByte);
  /** Whether a long line is being skipped: its bytes are let go as they come. */
  let skipping = false;
  /** No newline from the start of the line to here: what has been searched is not searched again. */
  let searchedTo = firstByte;

  const take = (from: number, to: number): Loaded => {
    runs.at = from;
    runs.latin = window.latin1(from, to);
    runs.text = window.isAscii(from, to) ? runs.latin : window.utf8(from, to);
    runs.bytes = window.view(from, to);
    searchedTo = from;
    return "run";
  };

  const skip = (): Loaded => {
    const found = window.indexOf(newline, searchedTo, window.end);
    searchedTo = window.end;
    if (found < 0 && !runs.ended) return "wait";
    runs.longEnd = found < 0 ? window.end : found + 1;
    searchedTo = runs.longEnd;
    skipping = false;
    return "long";
  };

  const runs: Changing<LineRuns> = {
    window,
    ended: false,
    at: firstByte,
    latin: "",
    text: "",
    bytes: new Uint8Array(0),
    longEnd: -1,
    longPrefix: new Uint8Array(0),
    push(chunk, from) {
      window.release(skipping ? searchedTo : from);
      window.push(chunk);
    },
    end() {
      runs.ended = true;
    },
    load(from, wantedBytes) {
      if (skipping) return skip();
      const available = window.end - from;
      if (available <= 0) return runs.ended ? "done" : "wait";
      if (runs.ended && available <= wantedBytes && available <= rowBytesMax) return take(from, window.end);
      const last = window.lastIndexOf(newline, from, Math.min(from + wantedBytes, window.end));
      if (last >= 0) return take(from, last + 1);
      const first = window.indexOf(newline, Math.max(from, searchedTo), Math.min(from + rowBytesMax, window.end));
      if (first >= 0) return take(from, first + 1);
      if (available > rowBytesMax) {
        runs.longPrefix = window.view(from, from + rowBytesMax).slice();
        searchedTo = from + rowBytesMax;
        skipping = true;
        return skip();
      }
      searchedTo = window.end;
      return runs.ended ? take(from, window.end) : "wait";
    },
  };
  return runs;
}

/** Where the line that begins at `from` ends, its line ending included. */
export function lineEndIn(text: string, from: number): number {
  const found = text.indexOf("\n", from);
  return found < 0 ? text.length : found + 1;
}

/** Where the line ending of `[from, lineEnd)` begins. */
export function lineStopIn(text: string, from: number, lineEnd: number): number {
  const feed = lineEnd > from && text.charCodeAt(lineEnd - 1) === 0x0a ? lineEnd - 1 : lineEnd;
  return feed > from && text.charCodeAt(feed - 1) === 0x0d ? feed - 1 : feed;
}
