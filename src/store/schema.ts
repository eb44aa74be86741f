/**
 * The tables of the state file and how an older file is brought up to date. The version stands in the file (`PRAGMA user_version`), and
 * so does a mark that the file is ours (`PRAGMA application_id`): somebody else's database is never written to.
 *
 * To change the tables, append a step to {@linkcode migrations}; never edit one that was released.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import type { Database } from "./database.ts";

/** "Weir" in ASCII. */
const applicationId = 0x57656972;

/**
 * Steps from one version to the next; the first makes an empty file version 1. Numbers that come from the machine (inodes, times with
 * fractions) are REAL: a double goes in and the same double comes out.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE files (
    file_id          TEXT PRIMARY KEY,
    folder           TEXT NOT NULL,
    path             TEXT NOT NULL,
    device           REAL NOT NULL,
    inode            REAL NOT NULL,
    size_bytes       REAL NOT NULL,
    mtime_ms         REAL NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('reading', 'done', 'archived', 'quarantined')),
    checkpoint       TEXT,
    rows_read        INTEGER NOT NULL,
    delivered        INTEGER NOT NULL,
    filtered         INTEGER NOT NULL,
    dead_lettered    INTEGER NOT NULL,
    dropped          INTEGER NOT NULL,
    sha256           TEXT,
    first_seen_at_ms REAL NOT NULL,
    updated_at_ms    REAL NOT NULL,
    moved_to         TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX files_by_age ON files (folder, updated_at_ms);
  CREATE INDEX files_by_hash ON files (folder, sha256) WHERE sha256 IS NOT NULL;

  -- AUTOINCREMENT: the number of a letter that is gone is never given to another one.
  CREATE TABLE letters (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    reason        TEXT NOT NULL,
    detail        TEXT NOT NULL,
    origin        TEXT NOT NULL CHECK (origin IN ('real_time', 'batch')),
    source        TEXT NOT NULL,
    "row"         INTEGER,
    "byte"        INTEGER,
    decoder       TEXT NOT NULL,
    header        TEXT,
    raw           BLOB NOT NULL,
    arrived_at_ms REAL NOT NULL,
    stored_at_ms  REAL NOT NULL,
    size_bytes    INTEGER NOT NULL
  ) STRICT;
  -- Covers both the sum of the sizes and the search for the oldest letters of streams.
  CREATE INDEX letters_by_origin ON letters (origin, number, size_bytes);
  `,
  `
  ALTER TABLE letters ADD COLUMN delimiter TEXT;
  ALTER TABLE letters ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX letters_by_age ON letters (arrived_at_ms);

  CREATE TABLE requests (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    filter          TEXT NOT NULL,
    rate_per_second INTEGER NOT NULL,
    last_letter     INTEGER NOT NULL,
    at_letter       INTEGER NOT NULL,
    total           INTEGER NOT NULL,
    delivered       INTEGER NOT NULL DEFAULT 0,
    filtered        INTEGER NOT NULL DEFAULT 0,
    failed          INTEGER NOT NULL DEFAULT 0,
    done            INTEGER NOT NULL DEFAULT 0,
    asked_at_ms     REAL NOT NULL
  ) STRICT;

  CREATE TABLE marks (
    name   TEXT PRIMARY KEY,
    number INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE spool (
    number        INTEGER PRIMARY KEY,
    id            TEXT NOT NULL,
    source        TEXT NOT NULL,
    value         TEXT NOT NULL,
    row           INTEGER NOT NULL,
    arrived_at_ms REAL NOT NULL,
    redelivered   INTEGER NOT NULL CHECK (redelivered IN (0, 1)),
    size_bytes    INTEGER NOT NULL
  ) STRICT;
  `,
];

/** From this version of the tables on, letters can be acted on. */
export const newestVersion = migrations.length;

/**
 * Brings the file to the newest version; an empty one gets its tables.
 *
 * @throws {WeirError} `configuration` when the file is of a newer Weir, or not ours; `storage`.
 */
export function migrate(db: Database): void {
  const version = checkedVersion(db);
  if (version === migrations.length) return;
  db.write("full", () => {
    for (const step of migrations.slice(version)) db.exec(step);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
  });
}

/**
 * The version of the file's tables; 0 for an empty file.
 *
 * @throws {WeirError} `configuration` when the file is of a newer Weir, or not ours.
 */
export function checkedVersion(db: Database): number {
  const file = quoted(db.path);
  const tables = numberOf(db, "SELECT count(*) AS n FROM sqlite_schema");
  const version = numberOf(db, "SELECT user_version AS n FROM pragma_user_version");
  const owner = numberOf(db, "SELECT application_id AS n FROM pragma_application_id");
  if (owner !== applicationId && (tables > 0 || owner !== 0)) {
    throw new WeirError("configuration", `The file ${file} is a database of another program`, {
      advice: "Choose another state folder with --state-dir",
    });
  }
  if (version > migrations.length) {
    throw new WeirError(
      "configuration",
      `The state file ${file} is of a newer Weir: its version is ${version}, this Weir knows up to ${migrations.length}`,
      { advice: "Run the newer Weir again, or choose another state folder with --state-dir" },
    );
  }
  return version;
}

/** The definitions of all tables and indexes, as the file keeps them: text, in which damage goes unnoticed until it is executed. */
export function definitionsOf(db: Database): string {
  return JSON.stringify(db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all());
}

function numberOf(db: Database, sql: string): number {
  return Number(db.prepare(sql).get()?.["n"] ?? 0);
}
