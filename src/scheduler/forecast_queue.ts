/**
 * When each of the files that wait in the folders will be in: the folders share the cap by weight, each reads one file after the other, and
 * what one folder leaves goes to the others. Pure, and exact for the fluid model: rows that flow evenly.
 *
 * @module
 */
import type { DeadlineVerdict } from "../core/status.ts";
import { comfortable } from "./deadline.ts";

/** A file that waits, or what is left of one. */
export interface QueuedFile {
  readonly rows: number;
  /** Ms until its deadline (negative: it is past), or null. */
  readonly timeLeftMs: number | null;
}

/** A folder with its files, the one to be read first at the front. */
export interface QueuedFolder {
  readonly weight: number;
  /** Its own cap in rows/s, or null. */
  readonly capRows: number | null;
  readonly files: readonly QueuedFile[];
}

/** When a file will be in. */
export interface QueuedForecast {
  /** Ms from now until its last row is read; null: no cap says how fast files are read. */
  readonly inMs: number | null;
  readonly verdict: DeadlineVerdict;
}

/** The highest cap that is tried. */
const capRowsMax = 10_000_000;

/**
 * Forecasts all files.
 *
 * @param capRows what all folders share, rows/s; null: no cap
 * @returns by folder and file, in the order given
 */
export function forecastQueue(
  folders: readonly QueuedFolder[],
  capRows: number | null,
): readonly (readonly QueuedForecast[])[] {
  const inMs = folders.map(({ files }): (number | null)[] => files.map(() => null));
  const left = folders.map(({ files }) => files.map(({ rows }) => rows));
  const at = folders.map(() => 0);
  for (let nowMs = 0;;) {
    folders.forEach((_, i) => {
      for (let j = at[i] ?? 0; left[i]?.[j] === 0; j++) {
        inMs[i]?.splice(j, 1, nowMs);
        at[i] = j + 1;
      }
    });
    const rates = ratesOf(
      folders.map((folder, i) => ({ ...folder, busy: (at[i] ?? 0) < folder.files.length })),
      capRows,
    );
    const stepMs = Math.min(
      ...rates.map((rate, i) => rate > 0 ? (left[i]?.[at[i] ?? 0] ?? 0) * 1000 / rate : Infinity),
    );
    if (stepMs === Infinity) break;
    nowMs += stepMs;
    rates.forEach((rate, i) => {
      const j = at[i] ?? 0;
      const rows = left[i]?.[j];
      if (rate === 0 || rows === undefined) return;
      const rest = rows - rate * stepMs / 1000;
      // What arithmetic leaves of a row is no row.
      left[i]?.splice(j, 1, rest < 1e-6 * rows ? 0 : rest);
    });
  }
  return folders.map(({ files }, i) =>
    files.map(({ timeLeftMs }, j) => {
      const ms = inMs[i]?.[j] ?? null;
      return { inMs: ms, verdict: verdictOf(ms, timeLeftMs) };
    })
  );
}

/** The least cap in whole rows/s at which every file is on time; null when none would do. */
export function capThatWouldDo(folders: readonly QueuedFolder[]): number | null {
  const does = (capRows: number): boolean =>
    forecastQueue(folders, capRows).flat().every(({ verdict }) => verdict === "on_time" || verdict === "none");
  if (!does(capRowsMax)) return null;
  let tooLow = 0;
  let enough = capRowsMax;
  while (enough - tooLow > 1) {
    const middle = Math.floor((tooLow + enough) / 2);
    if (does(middle)) enough = middle;
    else tooLow = middle;
  }
  return enough;
}

/** What each folder gets: by weight among the busy ones, at most its own cap, and what that leaves goes to the others. */
function ratesOf(
  folders: readonly { readonly weight: number; readonly capRows: number | null; readonly busy: boolean }[],
  capRows: number | null,
): readonly number[] {
  const rates = folders.map(() => 0);
  let open = folders.map((folder, i) => ({ ...folder, i })).filter(({ busy }) => busy);
  // Without a cap only a folder's own one says how fast it is read.
  if (capRows === null) {
    for (const { i, capRows: own } of open) rates[i] = own ?? 0;
    return rates;
  }
  let rest = capRows;
  while (open.length > 0) {
    const weight = open.reduce((sum, folder) => sum + folder.weight, 0);
    const share = rest / weight;
    const held = open.filter((folder) => folder.capRows !== null && folder.capRows <= share * folder.weight);
    for (const { i, capRows: own } of held) {
      rates[i] = own ?? 0;
      rest -= own ?? 0;
    }
    if (held.length === 0) {
      for (const folder of open) rates[folder.i] = share * folder.weight;
      break;
    }
    open = open.filter((folder) => !held.includes(folder));
  }
  return rates;
}

function verdictOf(inMs: number | null, timeLeftMs: number | null): DeadlineVerdict {
  if (inMs === null || timeLeftMs === null) return "none";
  if (inMs <= comfortable * timeLeftMs) return "on_time";
  return inMs <= timeLeftMs ? "at_risk" : "late";
}
