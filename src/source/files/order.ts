/**
 * Which file of a folder comes first: by the time in its name, then by its mtime, then by its name. A file whose name holds no time
 * is put where its mtime says, so that the order is total whatever lies in the folder.
 *
 * @module
 */

/** What the order goes by. */
export interface Orderable {
  /** Path relative to the folder. */
  readonly path: string;
  readonly mtimeMs: number;
}

/** Compares two files: negative when `a` is to be read before `b`. */
export function compareFiles(a: Orderable, b: Orderable): number {
  return (timeInName(a.path) ?? a.mtimeMs) - (timeInName(b.path) ?? b.mtimeMs) ||
    a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

/**
 * The time in a file's base name in ms since 1970, read as UTC, or null. Understood are `2026-01-31`, `20260131`, each with an hour and
 * more (`T0915`, `_09-15-30`, `091530`), and epoch seconds (10 digits) or milliseconds (13 digits).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(timeInName("dump_2026-01-31T09-15.csv.gz"), Date.UTC(2026, 0, 31, 9, 15));
 * assert.equal(timeInName("dump.csv"), null);
 * ```
 */
export function timeInName(path: string): number | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const calendar =
    /(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?:[T_\-. ]?(\d\d)(?:[-_:.h]?(\d\d)(?:[-_:.m]?(\d\d))?)?)?(?!\d)/.exec(
      name,
    );
  if (calendar !== null) {
    const [, year, , month, day, hour = "0", minute = "0", second = "0"] = calendar;
    const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
    if (isDay(time, Number(month), Number(day)) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60) {
      return time;
    }
  }
  const epoch = /(?<!\d)(1\d{9})(\d{3})?(?!\d)/.exec(name);
  if (epoch === null) return null;
  return Number(epoch[1]) * 1000 + Number(epoch[2] ?? 0);
}

function isDay(timeMs: number, month: number, day: number): boolean {
  const date = new Date(timeMs);
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
}
