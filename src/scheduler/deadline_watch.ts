/**
 * Deadlines in the running gateway. Each second it looks at the files under way: says when a verdict changed, with the cap that would do;
 * says when folders bring more than can be read; and, where files are to be read with the least pressure that still makes their deadlines,
 * sets the cap to that.
 *
 * It judges by what files can really have: the cap, or, where they reach less (uncapped, a slow sink, streams that take it all), what
 * they reached over the last ten seconds. While nothing moves for ten seconds no file is on time: it is at risk, or late.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { FileProgress, Forecast } from "../core/deadline.ts";
import type { Emit } from "../core/event.ts";
import type { DeadlineVerdict, FileStatus } from "../core/status.ts";
import { earlyNeedRows, judgeDeadline, paceRows } from "./deadline.ts";
import { type DropRows, tellExcess, tellVerdict } from "./deadline_words.ts";

/** What is watched. */
export interface DeadlineWatchOptions {
  /** The cap of all files that the operator set, rows/s; null: none. */
  readonly capRows: number | null;
  /** Rows/s promised to files: pace `deadline` never goes below. */
  readonly floorRows: number;
  /** `cap`: files are read at the cap. `deadline`: just as fast as their deadlines need, and never above the cap. */
  readonly pace: "cap" | "deadline";
  /** Folders with their weights and periods (null: no deadline). */
  readonly folders: readonly { readonly path: string; readonly weight: number; readonly everyMs: number | null }[];
}

/** The running gateway, as far as it is looked at. */
export interface Watched {
  /** Files under way. */
  files(): readonly FileStatus[];
  /** Rows of files handed to the scheduler so far. */
  rowsHandedOver(): number;
  /** Changes the cap in force. */
  setCap(capRows: number | null): void;
  /** Rows of the last dump that was finished in a folder, or null. */
  lastDumpRows(folder: string): Promise<number | null>;
}

/** The watch. */
export interface DeadlineWatch {
  /** Judges one file; may be asked at any time. */
  readonly forecast: Forecast;
  /** Looks at once, and then each second. */
  start(watched: Watched): Promise<void>;
  /** The operator changed what is watched by. The caller puts the cap in force; with pace `deadline` the next look lowers it again. */
  change(options: DeadlineWatchOptions): void;
  stop(): void;
}

const lookEveryMs = 1000;
/** A verdict, and the size of a dump, are told when they stood for so many looks: the first estimates jump about. */
const steadyLooks = 3;
/** What files reach is a mean over so many seconds in which they had rows. */
const reachedSecondsMax = 10;
/** Below this part of the cap it is not the cap that holds files back. */
const held = 0.9;
/** The cap in force follows the need in steps of this part of it: needs move a little with each look. */
const paceStep = 0.02;

interface Told {
  readonly said: DeadlineVerdict;
  readonly next: DeadlineVerdict;
  readonly looks: number;
  readonly sized: boolean;
}

/** Makes a {@linkcode DeadlineWatch}. */
export function createDeadlineWatch(
  first: DeadlineWatchOptions,
  deps: { readonly clock: Clock; readonly emit: Emit },
): DeadlineWatch {
  const { clock, emit } = deps;
  /** Rows of the last dump of each folder. */
  const dropRows = new Map<string, number>();
  let options = first;
  let inForceRows = options.capRows;
  let told = new Map<string, Told>();
  let busyFolders = "";
  /** Rows handed over at the start of each second of the window, and when. */
  let samples: { readonly rows: number; readonly atMs: number }[] = [];
  let timer: Timer | null = null;
  let stopped = false;

  /** Rows/s that all files together can have, when `allowedRows` is what the cap allows. */
  function ableRows(allowedRows: number | null): number | null {
    const reached = reachedRows();
    if (allowedRows === null) return reached;
    const steady = samples.length > reachedSecondsMax / 2 && reached !== null;
    return steady && reached < held * (inForceRows ?? 0) ? Math.min(reached, allowedRows) : allowedRows;
  }

  function reachedRows(): number | null {
    const [first] = samples;
    const last = samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
    const perSecond = (last.rows - first.rows) * 1000 / (last.atMs - first.atMs);
    return perSecond > 0 ? perSecond : null;
  }

  function standsStill(): boolean {
    return samples.length > reachedSecondsMax && samples[0]?.rows === samples.at(-1)?.rows;
  }

  function forecast(file: FileProgress): ReturnType<Forecast> {
    const { capRows } = options;
    const input = { ...file, nowMs: file.ageMs, deadlineMs: file.everyMs };
    const judged = judgeDeadline({ ...input, capRows: ableRows(capRows) });
    const paced = inForceRows === capRows ? judged : judgeDeadline({ ...input, capRows: ableRows(inForceRows) });
    // Where the cap leaves enough and is not reached, a higher one would change nothing.
    const capHelps = judged.capNeededRows !== null && capRows !== null && judged.capNeededRows > capRows;
    if (standsStill()) {
      return { etaMs: null, verdict: whileStill(file, judged.verdict), needRows: judged.needRows, capNeededRows: null };
    }
    return {
      etaMs: paced.etaMs,
      verdict: judged.verdict,
      needRows: judged.needRows,
      capNeededRows: capHelps ? judged.capNeededRows : null,
    };
  }

  function look(watched: Watched): void {
    const files = watched.files();
    sample(files, watched.rowsHandedOver());
    const before = told;
    told = new Map();
    let dropped = false;
    for (const file of files) {
      const key = JSON.stringify([file.folder, file.name]);
      const known = before.get(key) ?? { said: "none", next: "none", looks: 0, sized: false };
      const looks = known.next === file.verdict ? known.looks + 1 : 1;
      const tells = looks >= steadyLooks && file.verdict !== known.said;
      if (tells && file.verdict !== "none") tellVerdict(emit, file, options.capRows);
      const sizes = !known.sized && looks >= steadyLooks && file.rowsEstimated !== null;
      if (sizes) dropped = learn(file.folder, file.rowsEstimated) || dropped;
      told.set(key, {
        said: tells ? file.verdict : known.said,
        next: file.verdict,
        looks,
        sized: known.sized || sizes,
      });
    }
    if (dropped) compare();
    if (options.pace === "deadline") pace(files, watched);
  }

  /** Keeps the last seconds in which the same folders had rows. */
  function sample(files: readonly FileStatus[], rows: number): void {
    const busy = [...new Set(files.filter(hasRowsLeft).map((file) => file.folder))].sort().join("\0");
    if (busy !== busyFolders || busy === "") samples = [];
    busyFolders = busy;
    // What stood still goes on: the mean over that time would forecast as if it would stand still again.
    if (standsStill() && rows !== samples.at(-1)?.rows) samples = samples.slice(-1);
    if (busy !== "") samples = [...samples, { rows, atMs: clock.nowMs() }].slice(-reachedSecondsMax - 1);
  }

  /** Remembers the size of a folder's dump. Returns whether it says anything about what comes. */
  function learn(folder: string, rows: number | null): boolean {
    if (rows === null) return false;
    dropRows.set(folder, rows);
    return options.folders.some(({ path, everyMs }) => path === folder && everyMs !== null);
  }

  function compare(): void {
    const drops = options.folders.flatMap(({ path, everyMs }): readonly DropRows[] => {
      const rows = dropRows.get(path);
      return rows === undefined || everyMs === null ? [] : [{ folder: path, rows, everyMs }];
    });
    tellExcess(emit, drops, ableRows(options.capRows), options.capRows);
  }

  function pace(files: readonly FileStatus[], watched: Watched): void {
    const most = options.capRows ?? Infinity;
    const paced = paceRows(most, options.floorRows, [capNeeded(files.filter(hasRowsLeft))]);
    const now = inForceRows ?? Infinity;
    if (paced === now || (paced < most && Math.abs(paced - now) < paceStep * now)) return;
    inForceRows = paced === Infinity ? null : paced;
    watched.setCap(inForceRows);
  }

  /** The cap that just gives each folder what it needs: they share by weight, so the one that needs most for its weight decides. */
  function capNeeded(files: readonly FileStatus[]): number {
    const folderOf = (path: string) => options.folders.find((folder) => folder.path === path);
    const weightOf = (path: string) => folderOf(path)?.weight ?? 1;
    // Begun gently: a need that is not known yet will be known at the next look, and a small dump would be through by then. Without a
    // deadline there is nothing to wait for.
    const needOf = ({ folder, rowsEstimated, rowsRead, timeLeftMs }: FileStatus) => {
      const everyMs = folderOf(folder)?.everyMs ?? null;
      if (everyMs === null) return Infinity;
      return rowsEstimated === null ? 0 : earlyNeedRows(rowsEstimated - rowsRead, timeLeftMs ?? 0, everyMs);
    };
    const paths = [...new Set(files.map((file) => file.folder))];
    const weightBusy = paths.reduce((sum, path) => sum + weightOf(path), 0);
    return Math.max(0, ...files.map((file) => needOf(file) * weightBusy / weightOf(file.folder)));
  }

  return {
    forecast,
    async start(watched) {
      for (const { path } of options.folders) learn(path, await watched.lastDumpRows(path));
      if (stopped) return;
      compare();
      const again = () => {
        look(watched);
        timer = clock.after(lookEveryMs, again);
      };
      again();
    },
    change(next) {
      const before = options;
      options = next;
      inForceRows = next.capRows;
      samples = [];
      // Said again only when what it is about has changed: other settings are reloaded too.
      if (JSON.stringify([before.capRows, before.folders]) !== JSON.stringify([next.capRows, next.folders])) compare();
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/**
 * With rows and a full window in which none left, nobody knows when they will: that is no forecast of a time, and no promise of being on
 * time. Late is what its deadline has passed by, or what even the whole cap would not bring in.
 */
function whileStill({ ageMs, everyMs }: FileProgress, judged: DeadlineVerdict): DeadlineVerdict {
  if (everyMs === null) return "none";
  return judged === "late" || ageMs >= everyMs ? "late" : "at_risk";
}

function hasRowsLeft(file: FileStatus): boolean {
  return file.rowsEstimated === null || file.rowsRead < file.rowsEstimated;
}
