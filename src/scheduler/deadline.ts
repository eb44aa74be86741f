/**
 * Whether a dump will be in before the next one, told while there is still time to do something. Pure: what is left and what the folder
 * gets go in, a verdict comes out.
 *
 *     need   rows/s that would just make it: rows left / time left
 *     share  rows/s that the folder gets: C * weight / weights of the busy folders, at most its own cap
 *
 *     on_time   need <= 0.8 * share
 *     at_risk   need <= share
 *     late      otherwise: it is not in before its deadline; `capNeededRows` would do
 *
 * @module
 */
import type { DeadlineVerdict } from "../core/status.ts";

/** What is known of a file, and of what its folder gets. Times are of one clock. */
export interface DeadlineInput {
  /** Bytes of the file not read yet, and bytes and rows read so far, all counted alike (on disk, or inflated). */
  readonly bytesLeft: number;
  readonly bytesRead: number;
  readonly rowsRead: number;
  readonly nowMs: number;
  /** Arrival plus the folder's period, or null: no deadline. */
  readonly deadlineMs: number | null;
  /** C: what all folders share, rows/s; uncapped: the rate they reach now, or null while that is not known. */
  readonly capRows: number | null;
  /** The folder's own cap, rows/s, or null. */
  readonly folderCapRows: number | null;
  /** The folder's weight, and that of all busy folders with it. */
  readonly weight: number;
  readonly weightBusy: number;
}

/** What comes of it. Null: not known before the first row. */
export interface Deadline {
  readonly verdict: DeadlineVerdict;
  readonly rowsLeft: number | null;
  /** Rows/s, Infinity when the deadline is past and rows are left; null also without a deadline. */
  readonly needRows: number | null;
  readonly shareRows: number | null;
  /** Ms until the last row is read at the share. */
  readonly etaMs: number | null;
  /**
   * The least cap of all folders, in whole rows/s, that gives the verdict `on_time`; null when nothing is missing, or when no cap would
   * help (the deadline is past, or the folder's own cap is what is too low).
   */
  readonly capNeededRows: number | null;
}

/** A share that is used to more than this leaves too little for what may come between. */
export const comfortable = 0.8;

/** Judges one file. */
export function judgeDeadline(input: DeadlineInput): Deadline {
  const rowsLeft = estimateRowsLeft(input);
  const shareRows = shareOf(input);
  const etaMs = rowsLeft === null || shareRows === null ? null : rowsLeft * 1000 / shareRows;
  const known = { rowsLeft, shareRows, etaMs };
  if (rowsLeft === null || input.deadlineMs === null) {
    return { ...known, verdict: "none", needRows: null, capNeededRows: null };
  }
  const needRows = needOf(rowsLeft, input.deadlineMs - input.nowMs);
  if (shareRows === null) return { ...known, verdict: "none", needRows, capNeededRows: null };
  if (needRows <= comfortable * shareRows) return { ...known, verdict: "on_time", needRows, capNeededRows: null };
  return {
    ...known,
    verdict: needRows <= shareRows ? "at_risk" : "late",
    needRows,
    capNeededRows: capNeeded(needRows, input),
  };
}

/** A dump is to be in this part of its period before its deadline: what is begun anew then is read at 1.2 times the need. */
const spare = 1 / 6;

/**
 * Rows/s at which a file is in a sixth of its period before its deadline; Infinity when that moment is past. (To read at 1.2 times the
 * need of each moment would be in at the deadline and not before: the need sinks as the file goes ahead of it.)
 */
export function earlyNeedRows(rowsLeft: number, timeLeftMs: number, everyMs: number): number {
  return needOf(rowsLeft, timeLeftMs - spare * everyMs);
}

/**
 * The cap that pace `deadline` reads at: what all busy folders need together, at least the floor, at most the cap. Without a known need
 * it is the cap: too early does no harm.
 *
 * @param needsRows what each busy folder needs to be early
 */
export function paceRows(capRows: number, floorRows: number, needsRows: readonly (number | null)[]): number {
  let needed = 0;
  for (const need of needsRows) needed += need ?? Infinity;
  const paced = Math.min(capRows, Math.max(floorRows, 1, needed));
  return Math.ceil(paced);
}

/**
 * Rows/s by which folders with a period bring more, period after period, than can be read; 0 when they do not.
 *
 * @param folders rows of the last dump of each, and its period in ms
 * @param ableRows the lesser of the cap and of what the sink takes besides the streams, in rows/s
 */
export function excessRows(
  folders: readonly { readonly rows: number; readonly everyMs: number }[],
  ableRows: number,
): number {
  let comingRows = 0;
  for (const { rows, everyMs } of folders) comingRows += rows * 1000 / everyMs;
  return Math.max(0, comingRows - ableRows);
}

/** Rows left = bytes left / mean bytes of a row so far. */
function estimateRowsLeft({ bytesLeft, bytesRead, rowsRead }: DeadlineInput): number | null {
  if (bytesLeft <= 0) return 0;
  if (rowsRead === 0 || bytesRead <= 0) return null;
  return Math.ceil(bytesLeft * rowsRead / bytesRead);
}

function shareOf({ capRows, folderCapRows, weight, weightBusy }: DeadlineInput): number | null {
  if (capRows === null) return folderCapRows;
  return Math.min(capRows * weight / weightBusy, folderCapRows ?? Infinity);
}

function needOf(rowsLeft: number, leftMs: number): number {
  if (rowsLeft === 0) return 0;
  return leftMs <= 0 ? Infinity : rowsLeft * 1000 / leftMs;
}

function capNeeded(needRows: number, { folderCapRows, weight, weightBusy }: DeadlineInput): number | null {
  const share = needRows / comfortable;
  if (share === Infinity || (folderCapRows !== null && share > folderCapRows)) return null;
  return Math.ceil(share * weightBusy / weight);
}
