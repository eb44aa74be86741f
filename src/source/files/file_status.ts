/**
 * How far a file is, for people: rows in the whole file as estimated from the mean bytes a row so far, and when it will be in.
 *
 * @module
 */
import type { FileStatus } from "../../core/status.ts";
import type { FileReader, ReadProgress } from "./file_reader.ts";
import type { FilesSourceDeps, FolderOptions } from "./options.ts";

/** A file that is being read. */
export interface StatusInput {
  readonly folder: FolderOptions;
  readonly reader: FileReader;
  readonly name: string;
  /** Rows taken by processes before this one. */
  readonly rowsBefore: number;
  /** Ms since the file was first seen. */
  readonly ageMs: number;
}

/** Tells of a file. */
export function fileStatus(input: StatusInput, deps: Pick<FilesSourceDeps, "share" | "forecast">): FileStatus {
  const { folder, reader } = input;
  const progress = reader.progress();
  const { sizeBytes, readBytes, badRows } = progress;
  const rowsRead = input.rowsBefore + reader.delivery.takenRows;
  const rowsEstimated = estimateRows(progress);
  const shareRows = deps.share?.(folder.path) ?? null;
  const common = { folder: folder.path, name: input.name, sizeBytes, readBytes, rowsRead, badRows, rowsEstimated };
  const rowsFinished = reader.delivery.counts.read;
  if (rowsEstimated === null || shareRows === null) return { ...common, rowsFinished, etaMs: null, verdict: "none" };
  const rowsLeft = Math.max(0, rowsEstimated - rowsRead);
  const timeLeftMs = folder.everyMs === null ? null : folder.everyMs - input.ageMs;
  const bytesLeft = Math.max(0, sizeBytes - readBytes);
  const forecast = deps.forecast?.({ folder: folder.path, rowsLeft, bytesLeft, shareRows, timeLeftMs }) ??
    { etaMs: shareRows > 0 ? rowsLeft / shareRows * 1000 : null, verdict: "none" };
  return { ...common, rowsFinished, ...forecast };
}

/** Rows in the whole file by the mean bytes a row so far, or null before the first row. Exact at the end of the file. */
export function estimateRows(progress: ReadProgress): number | null {
  const { sizeBytes, readBytes, inflatedBytes, rows, rowsEnd } = progress;
  if (rows === 0 || rowsEnd === 0 || readBytes === 0) return null;
  const wholeBytes = sizeBytes * (inflatedBytes / readBytes);
  return Math.max(rows, Math.round(wholeBytes * (rows / rowsEnd)));
}
