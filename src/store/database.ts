/**
 * The only file that knows `node:sqlite`: one connection, its transactions, and what SQLite's errors mean for the program.
 *
 * Write-ahead log, so that `dlq list` can read while the gateway writes. How durable a commit is, is chosen for each transaction:
 * `full` syncs the log at each commit and survives a power cut; `normal` does not sync and may lose the last commits in one, never the
 * file's consistency. Both survive a crash of the process. Source: SQLite, "Write-Ahead Logging", section 2.1.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { messageOf, WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";

/** How to open a {@linkcode Database}. */
export interface DatabaseOptions {
  /** Default: false. */
  readonly readOnly?: boolean;
  /** Hard limit of the file, in bytes; past it writes fail as on a full disk. Default: none but the disk's. */
  readonly bytesMax?: number;
  /** `memory` leaves no other file beside it, and is for a file whose content may be lost. Default: `wal`. */
  readonly journal?: "wal" | "memory";
  /** How long to wait for somebody else's write lock. Default: 2 s. */
  readonly busyWaitMs?: number;
}

/** A row as SQLite gives it: column name to value. */
export type SqlRow = Record<string, SQLOutputValue>;
export type SqlValue = SQLInputValue;

/** A commit that survives a power cut, or one that may be among the few that do not. */
export type Durability = "full" | "normal";

/** A statement that was prepared once. Each method throws a {@linkcode WeirError} as {@linkcode sqliteError} says. */
export interface Statement {
  run(...values: SqlValue[]): { readonly changes: number };
  get(...values: SqlValue[]): SqlRow | null;
  all(...values: SqlValue[]): readonly SqlRow[];
}

/** A connection. */
export interface Database {
  readonly path: string;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** Runs `work` in a write transaction: commits when it returns, rolls back and rethrows when it throws. Not nested. */
  write<T>(durability: Durability, work: () => T): T;
  close(): void;
}

/** Who holds the write lock for longer than this is not one of us: the write fails and may be tried again. */
const defaultBusyWaitMs = 2_000;
/** The log is cut back to this after a checkpoint: a long read by somebody else does not leave it large for ever. */
const walBytesMax = 4 * 1024 * 1024;
const pageBytes = 4096;

/**
 * Opens the file, creating it when it is missing.
 *
 * @throws {WeirError} `corrupt_state` when it is not a database, `permission` when it cannot be written, `storage`.
 */
export function openDatabase(path: string, options: DatabaseOptions = {}): Database {
  const { readOnly = false, journal = "wal", busyWaitMs = defaultBusyWaitMs } = options;
  // SQLite has one text for all reasons, and opens for reading what it may not write.
  if (isRefused(path, readOnly)) throw permissionError(path);
  const handle = guarded(path, () => new DatabaseSync(path, { readOnly, timeout: busyWaitMs }));
  const db = wrap(path, handle);
  try {
    if (!readOnly) {
      db.exec(
        `PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = ${journal}; PRAGMA journal_size_limit = ${walBytesMax}`,
      );
      if (options.bytesMax !== undefined) {
        db.exec(`PRAGMA max_page_count = ${Math.ceil(options.bytesMax / pageBytes)}`);
      }
    }
    // Reads the first page: what is no database says so here and not at the first query.
    db.exec("SELECT count(*) FROM sqlite_schema");
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** The handle is held here, in the closure of every statement's owner: a collected handle would close under live statements. */
function wrap(path: string, handle: DatabaseSync): Database {
  let inForce: Durability | null = null;

  function exec(sql: string): void {
    guarded(path, () => handle.exec(sql));
  }

  return {
    path,
    exec,
    prepare(sql) {
      const statement = guarded(path, () => handle.prepare(sql));
      return {
        run: (...values) => guarded(path, () => ({ changes: Number(statement.run(...values).changes) })),
        get: (...values) => guarded(path, () => statement.get(...values) ?? null),
        all: (...values) => guarded(path, () => statement.all(...values)),
      };
    },
    write(durability, work) {
      // `synchronous` can only be changed outside of a transaction.
      if (inForce !== durability) exec(`PRAGMA synchronous = ${durability}`);
      inForce = durability;
      exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        exec("COMMIT");
        return result;
      } catch (thrown) {
        rollBack(handle);
        throw thrown;
      }
    },
    close() {
      try {
        handle.close();
      } catch {
        // Closed already, or its last checkpoint failed: the log is kept and read at the next open.
      }
    },
  };
}

/** A full disk or an I/O error may have rolled back by itself; then there is nothing to roll back, and that is fine. */
function rollBack(handle: DatabaseSync): void {
  try {
    handle.exec("ROLLBACK");
  } catch {
    return;
  }
}

function guarded<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw sqliteError(path, thrown);
  }
}

/**
 * SQLite's own texts (`sqlite3_errstr`), which never change, tell errors apart: not every error of `node:sqlite` carries the number.
 * Source: SQLite, `src/main.c`, function `sqlite3ErrStr`.
 */
const busyText = /database (table )?is locked/;
const meanings = [
  [/database or disk is full/, "full"],
  [/disk I\/O error/, "failing"],
  [/attempt to write a readonly database/, "readonly"],
  [busyText, "busy"],
  [/malformed|file is not a database/, "corrupt"],
  [/unable to open database file/, "cannot_open"],
] as const;

/**
 * What an error of SQLite means: `storage` and retriable when room or a working disk would mend it, `corrupt_state` when the file is
 * damaged. Anything else (wrong SQL, a broken constraint) is a defect and is returned as it is.
 */
export function sqliteError(path: string, thrown: unknown): unknown {
  if (!isRefusal(thrown)) return thrown;
  const text = thrown.message;
  const meaning = meanings.find(([pattern]) => pattern.test(text))?.[1];
  const file = quoted(path);
  const cause = thrown;
  switch (meaning) {
    case undefined:
      return thrown;
    case "corrupt":
      return new WeirError("corrupt_state", `The state file ${file} is damaged: ${messageOf(thrown)}`, { cause });
    case "full":
      return new WeirError("storage", `No room to write the state file ${file}`, {
        retriable: true,
        advice: "Free some space on that disk; nothing is lost meanwhile",
        cause,
      });
    case "busy":
      return new WeirError("storage", `Another program keeps the state file ${file} locked`, {
        retriable: true,
        advice: "End the other program that writes to it",
        cause,
      });
    default:
      return new WeirError("storage", `The state file ${file} cannot be written or read: ${messageOf(thrown)}`, {
        retriable: true,
        advice: "Look at the disk (dmesg, df, mount): it may be read-only or failing",
        cause,
      });
  }
}

/** Whether SQLite refused a statement: wrong SQL, a missing table, a broken constraint. */
export function isRefusal(thrown: unknown): thrown is Error {
  return thrown instanceof Error && "code" in thrown && thrown.code === "ERR_SQLITE_ERROR";
}

/** Whether an error that a connection threw means that somebody else has the write lock. */
export function isBusy(thrown: unknown): boolean {
  return thrown instanceof WeirError && thrown.cause instanceof Error && busyText.test(thrown.cause.message);
}

/** Asks without opening: closing a handle of our own would let go of the locks that this process has on the file. */
function isRefused(path: string, readOnly: boolean): boolean {
  try {
    accessSync(path, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK);
    return false;
  } catch (thrown) {
    // One that is missing is made.
    return !(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT");
  }
}

function permissionError(path: string): WeirError {
  return new WeirError("permission", `No right to use the state file ${quoted(path)}`, {
    advice: "It may have been made by another user: change its owner, or choose another folder with --state-dir",
  });
}
