/**
 * How far a file is, for people and for who judges its deadline: it is as far as the rows are that were handed to the scheduler. What is
 * left is told by the mean bytes a row so far.
 *
 * @module
 */
import type { FileForecast, FileProgress, Forecast } from "../../core/deadline.ts";
import type { DeadlineVerdict, FileStatus } from "../../core/status.ts";
import type { FileReader, ReadProgress } from "./file_reader.ts";
import type { FolderOptions } from "./options.ts";

/** A file that is being read. */
export interface StatusInput {
  /** As it is in force. */
  readonly folder: FolderOptions;
  /** Weight of all folders that have rows now, with this one. */
  readonly weightBusy: number;
  readonly reader: FileReader;
  readonly name: string;
  /** Rows taken by processes before this one. */
  readonly rowsBefore: number;
  /** Ms since the file arrived. */
  readonly ageMs: number;
}

const unknown: FileForecast = { etaMs: null, verdict: "none", needRows: null, capNeededRows: null };

/** Tells of a file. */
export function fileStatus(input: StatusInput, forecast: Forecast | undefined): FileStatus {
  const { folder, reader } = input;
  const progress = reader.progress();
  return {
    folder: folder.path,
    name: input.name,
    sizeBytes: progress.sizeBytes,
    readBytes: readBytes(progress),
    rowsRead: input.rowsBefore + reader.delivery.takenRows,
    rowsFinished: reader.delivery.counts().read,
    badRows: progress.badRows,
    rowsEstimated: estimateRows(progress),
    timeLeftMs: folder.everyMs === null ? null : folder.everyMs - input.ageMs,
    ...forecast?.(progressOf(input, progress)) ?? unknown,
  };
}

/** How a file ended: there is nothing left to forecast. */
export interface AtEnd {
  readonly verdict: DeadlineVerdict;
  /** Ms from its deadline to its end, negative when it was in before; null: it has none. */
  readonly overdueMs: number | null;
}

const urgencies: Readonly<Record<DeadlineVerdict, number>> = { late: 0, at_risk: 1, on_time: 2, none: 2 };

/** The most urgent first: late, at risk, being read, and last those whose rows are all handed over. Else the order stays. */
export function byUrgency(files: readonly FileStatus[]): readonly FileStatus[] {
  const rank = ({ verdict, rowsRead, rowsEstimated }: FileStatus) =>
    2 * urgencies[verdict] + (rowsEstimated !== null && rowsRead >= rowsEstimated ? 1 : 0);
  return files.toSorted((a, b) => rank(a) - rank(b));
}

/** The verdict on a file whose rows are all home. */
export function verdictAtEnd(everyMs: number | null, ageMs: number): AtEnd {
  if (everyMs === null) return { verdict: "none", overdueMs: null };
  return { verdict: ageMs <= everyMs ? "on_time" : "late", overdueMs: ageMs - everyMs };
}

/** Whether all rows were handed over: what is left is only waiting for verdicts. */
export function isHandedOver({ ended, takenEnd, rowsEnd }: ReadProgress): boolean {
  return ended && takenEnd >= rowsEnd;
}

/** Rows in the whole file by the mean bytes a row so far, or null before the first row. Exact at the end of the file. */
export function estimateRows(progress: ReadProgress): number | null {
  const { ended, rows, rowsEnd } = progress;
  if (ended) return rows;
  if (rows === 0 || rowsEnd === 0) return null;
  return Math.max(rows, Math.round(wholeBytes(progress) * (rows / rowsEnd)));
}

/** Bytes on disk up to the last row that was handed over. */
export function readBytes(progress: ReadProgress): number {
  const { sizeBytes, takenEnd } = progress;
  if (isHandedOver(progress)) return sizeBytes;
  const whole = wholeBytes(progress);
  return whole === 0 ? 0 : Math.min(sizeBytes, Math.round(sizeBytes * (takenEnd / whole)));
}

function progressOf({ folder, weightBusy, ageMs }: StatusInput, progress: ReadProgress): FileProgress {
  return {
    bytesLeft: isHandedOver(progress) ? 0 : Math.max(0, wholeBytes(progress) - progress.takenEnd),
    bytesRead: progress.rowsEnd,
    rowsRead: progress.rows,
    ageMs,
    everyMs: folder.everyMs,
    folderCapRows: folder.capRows,
    weight: folder.weight,
    weightBusy,
  };
}

/** Inflated bytes of the whole file; what comes behind the last row of a file that was read to its end is not counted. */
function wholeBytes({ ended, rowsEnd, sizeBytes, workedBytes, inflatedBytes }: ReadProgress): number {
  if (ended) return rowsEnd;
  return workedBytes === 0 ? 0 : Math.max(rowsEnd, sizeBytes * (inflatedBytes / workedBytes));
}
