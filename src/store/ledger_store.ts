/**
 * The state file opened for writing, with a way out of everything that can be wrong with it: what is damaged is set aside under
 * another name, never deleted, and a new file is begun. So a damaged file costs what was in it (files are read again from their start) and
 * never a loop of crashes.
 *
 * Synchronous: it lives in a worker.
 *
 * @module
 */
import { messageOf, WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import { type Database, type DatabaseOptions, isRefusal, openDatabase } from "./database.ts";
import { type FileTable, fileTable } from "./file_table.ts";
import { type LetterReader, letterReader, type LetterWriter, letterWriter } from "./letter_table.ts";
import { type ReplayTable, replayTable } from "./replay_table.ts";
import { definitionsOf, migrate } from "./schema.ts";
import { type SpoolTable, spoolTable } from "./spool_table.ts";

/** Where, and how large. Plain data: it goes to the worker. */
export interface StoreLimits {
  readonly path: string;
  /** Room for dead letters, as `letterBytes` counts them. */
  readonly deadLetterBytesMax: number;
  /** Hard limit of the whole file; null: none but the disk's. */
  readonly databaseBytesMax: number | null;
}

/** How to open a {@linkcode LedgerStore}. */
export interface LedgerStoreOptions extends StoreLimits {
  /** Told when a damaged file was set aside: what was wrong, and its new name. */
  readonly onSetAside: (reason: string, path: string) => void;
}

/** The tables, and `act`, through which all of them are used. */
export interface LedgerStore {
  /**
   * Runs one request. A file that turns out to be damaged is set aside at once; the request fails with `storage`, retriable, and works
   * when it comes again.
   *
   * @param wallMs the wall clock, which names a file that is set aside
   */
  act<T>(wallMs: number, request: (tables: LedgerTables) => T): T;
  close(): void;
}

/** What can be asked of the state file. */
export interface LedgerTables extends FileTable, LetterReader, LetterWriter, ReplayTable, SpoolTable {}

/** Most damaged files that are kept; the oldest go. */
const setAsideMax = 3;
/** What belongs to a database: the file, its log, and the index of the log. */
const companions = ["", "-wal", "-shm"] as const;

/**
 * Opens the state file, checks it and brings it up to date.
 *
 * @throws {WeirError} `configuration` when it is of a newer Weir or of another program, `permission`, `storage`.
 */
export function openLedgerStore(options: LedgerStoreOptions, wallMs: number): LedgerStore {
  let opened = openSound(options, wallMs);

  return {
    act(actWallMs, request) {
      try {
        return request(opened.tables);
      } catch (thrown) {
        if (!isDamage(thrown)) throw thrown;
        opened.db.close();
        setAside(options, messageOf(thrown), actWallMs);
        opened = openSound(options, actWallMs);
        throw new WeirError("storage", `The state file was damaged and a new one was begun: ${messageOf(thrown)}`, {
          retriable: true,
          cause: thrown,
        });
      }
    },
    close: () => opened.db.close(),
  };
}

interface Opened {
  readonly db: Database;
  readonly tables: LedgerTables;
}

/** Opens it; when it is damaged, sets it aside and opens a new one. */
function openSound(options: LedgerStoreOptions, wallMs: number): Opened {
  try {
    return openChecked(options);
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown;
    setAside(options, messageOf(thrown), wallMs);
    return openChecked(options);
  }
}

function openChecked(options: LedgerStoreOptions): Opened {
  const limits: DatabaseOptions = options.databaseBytesMax === null ? {} : { bytesMax: options.databaseBytesMax };
  const db = openDatabase(options.path, limits);
  try {
    migrate(db);
    if (definitionsOf(db) !== freshDefinitions()) {
      throw new WeirError(
        "corrupt_state",
        `The state file ${quoted(options.path)} is damaged: its tables are not ours`,
      );
    }
    const verdict = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (verdict !== "ok") {
      throw new WeirError("corrupt_state", `The state file ${quoted(options.path)} is damaged: ${String(verdict)}`);
    }
    const letters = { ...letterReader(db), ...letterWriter(db, options.deadLetterBytesMax) };
    return { db, tables: { ...fileTable(db), ...letters, ...replayTable(db, letters), ...spoolTable(db) } };
  } catch (thrown) {
    db.close();
    // Our own statements are right on a file that is whole: refused while it is opened they mean that it is not.
    if (!isRefusal(thrown)) throw thrown;
    const what = `The state file ${quoted(options.path)} is damaged: ${messageOf(thrown)}`;
    throw new WeirError("corrupt_state", what, { cause: thrown });
  }
}

/** What {@linkcode definitionsOf} gives for a new file. */
function freshDefinitions(): string {
  const db = openDatabase(":memory:");
  try {
    migrate(db);
    return definitionsOf(db);
  } finally {
    db.close();
  }
}

function isDamage(thrown: unknown): thrown is WeirError {
  return thrown instanceof WeirError && thrown.code === "corrupt_state";
}

/** Renames the file and its log, so that nothing of it is lost to somebody who wants to look, and tells. */
function setAside(options: LedgerStoreOptions, reason: string, wallMs: number): void {
  const { path } = options;
  const time = new Date(wallMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const target = unusedName(`${path}.corrupt-${time}`);
  for (const companion of companions) {
    // The index is made anew from the log; a log may be missing.
    if (companion === "-shm") removeIfThere(`${path}${companion}`);
    else if (exists(`${path}${companion}`)) Deno.renameSync(`${path}${companion}`, `${target}${companion}`);
  }
  removeOldest(path);
  options.onSetAside(reason, target);
}

function unusedName(name: string): string {
  let candidate = name;
  for (let n = 2; exists(candidate); n++) candidate = `${name}-${n}`;
  return candidate;
}

function removeOldest(path: string): void {
  const slash = path.lastIndexOf("/");
  const folder = path.slice(0, slash);
  const prefix = `${path.slice(slash + 1)}.corrupt-`;
  const names = Array.from(Deno.readDirSync(folder), (entry) => entry.name)
    .filter((name) => name.startsWith(prefix) && !name.endsWith("-wal"))
    .sort();
  for (const name of names.slice(0, -setAsideMax)) {
    for (const companion of companions) removeIfThere(`${folder}/${name}${companion}`);
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function removeIfThere(path: string): void {
  if (exists(path)) Deno.removeSync(path);
}
