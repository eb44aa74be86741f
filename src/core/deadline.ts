/**
 * Between who reads files and who judges their deadlines: how far a file is goes in, when it will be in comes out.
 *
 * @module
 */
import type { DeadlineVerdict } from "./status.ts";

/** A file under way. All bytes are inflated ones; those of a compressed file are estimated by what it came to so far. */
export interface FileProgress {
  /** Bytes behind the last row that was handed to the scheduler. */
  readonly bytesLeft: number;
  /** Bytes and rows that the mean size of a row goes by. */
  readonly bytesRead: number;
  readonly rowsRead: number;
  /** Ms since the file arrived. */
  readonly ageMs: number;
  /** Its folder: period (null: no deadline), own cap in rows/s, weight; and the weight of all folders that have rows, with it. */
  readonly everyMs: number | null;
  readonly folderCapRows: number | null;
  readonly weight: number;
  readonly weightBusy: number;
}

/** What comes of it. */
export interface FileForecast {
  /** Ms until its last row is handed over, at the rate that its folder gets now; null: not known. */
  readonly etaMs: number | null;
  readonly verdict: DeadlineVerdict;
  /** Rows/s that would just make it: Infinity when the deadline is past; null without a deadline, or not known. */
  readonly needRows: number | null;
  /** The least cap in rows/s of all folders that gives `on_time`; null when nothing is missing, or when no cap would do. */
  readonly capNeededRows: number | null;
}

/** Tells when a file will be in. */
export type Forecast = (file: FileProgress) => FileForecast;
