/**
 * Records of files in the state file: where to go on, what a finished file came to.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { DecoderState } from "../core/decoder.ts";
import { isDecoderState } from "../core/decoder_state.ts";
import type { FileRecord } from "../core/store.ts";
import type { Database, SqlRow, SqlValue } from "./database.ts";
import { damagedColumn, jsonOrNullIn, numberIn, textIn, textOrNullIn, wholeText, wordIn } from "./row.ts";

/** The synchronous half of `CheckpointStore`. */
export interface FileTable {
  files(folder: string, limit: number): readonly FileRecord[];
  fileById(fileId: string): FileRecord | null;
  fileByHash(folder: string, sha256: string): FileRecord | null;
  saveFiles(records: readonly FileRecord[]): void;
  forgetFiles(updatedBeforeMs: number): number;
}

/** Column by column, how a record is written; the order is the order of the values. */
const valueOf: Readonly<Record<string, (record: FileRecord) => SqlValue>> = {
  file_id: (record) => record.fileId,
  folder: (record) => record.folder,
  path: (record) => record.path,
  device: (record) => record.identity.device,
  inode: (record) => record.identity.inode,
  size_bytes: (record) => record.identity.sizeBytes,
  mtime_ms: (record) => record.identity.mtimeMs,
  state: (record) => record.state,
  checkpoint: (record) => record.checkpoint === null ? null : JSON.stringify(sealed(record.fileId, record.checkpoint)),
  rows_read: (record) => record.counts.read,
  delivered: (record) => record.counts.delivered,
  filtered: (record) => record.counts.filtered,
  dead_lettered: (record) => record.counts.deadLettered,
  dropped: (record) => record.counts.dropped,
  sha256: (record) => record.sha256,
  first_seen_at_ms: (record) => record.firstSeenAtMs,
  updated_at_ms: (record) => record.updatedAtMs,
  moved_to: (record) => record.movedTo,
};

/** Prepares the statements. Commits are not synced: what a power cut takes of a checkpoint is only read and sent again. */
export function fileTable(db: Database): FileTable {
  const columns = Object.keys(valueOf);
  const values = Object.values(valueOf);
  const fromOutside = ["folder", "path", "moved_to"];
  const selected = columns.map((column) => fromOutside.includes(column) ? wholeText(column) : column);
  const select = `SELECT ${selected.join(", ")} FROM files`;
  const inFolder = db.prepare(`${select} WHERE folder = ? ORDER BY updated_at_ms DESC, file_id LIMIT ?`);
  const byId = db.prepare(`${select} WHERE file_id = ?`);
  const byHash = db.prepare(
    `${select} WHERE folder = ? AND sha256 = ? AND state IN ('done', 'archived')
     ORDER BY updated_at_ms DESC, file_id LIMIT 1`,
  );
  const deleteOld = "DELETE FROM files WHERE state IN ('archived', 'quarantined') AND updated_at_ms < ?";
  // Prepared once: each preparing leaves memory behind that only a collection gives back, and the worker hardly ever needs one.
  const upsert = db.prepare(
    `INSERT OR REPLACE INTO files (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );

  return {
    files: (folder, limit) => inFolder.all(folder, limit).map(recordOf),
    fileById: (fileId) => recordOrNull(byId.get(fileId)),
    fileByHash: (folder, sha256) => recordOrNull(byHash.get(folder, sha256)),
    saveFiles(records) {
      db.write("normal", () => {
        for (const record of records) upsert.run(...values.map((value) => value(record)));
      });
    },
    forgetFiles: (updatedBeforeMs) => db.write("normal", () => db.prepare(deleteOld).run(updatedBeforeMs).changes),
  };
}

function recordOrNull(row: SqlRow | null): FileRecord | null {
  return row === null ? null : recordOf(row);
}

function recordOf(row: SqlRow): FileRecord {
  const fileId = textIn(row, "file_id");
  return {
    fileId,
    folder: textIn(row, "folder"),
    path: textIn(row, "path"),
    identity: {
      device: numberIn(row, "device"),
      inode: numberIn(row, "inode"),
      sizeBytes: numberIn(row, "size_bytes"),
      mtimeMs: numberIn(row, "mtime_ms"),
    },
    state: wordIn(row, "state", ["reading", "done", "archived", "quarantined"]),
    checkpoint: unsealed(fileId, jsonOrNullIn(row, "checkpoint", isSealed)),
    counts: {
      read: numberIn(row, "rows_read"),
      delivered: numberIn(row, "delivered"),
      filtered: numberIn(row, "filtered"),
      deadLettered: numberIn(row, "dead_lettered"),
      dropped: numberIn(row, "dropped"),
    },
    sha256: textOrNullIn(row, "sha256"),
    firstSeenAtMs: numberIn(row, "first_seen_at_ms"),
    updatedAtMs: numberIn(row, "updated_at_ms"),
    movedTo: textOrNullIn(row, "moved_to"),
  };
}

/** A checkpoint as it is kept: SQLite does not notice a changed byte inside a text, and reading on at a wrong byte would lose rows. */
interface Sealed {
  readonly state: DecoderState;
  /** {@linkcode sealOf} the state. */
  readonly seal: string;
}

function sealed(fileId: string, state: DecoderState): Sealed {
  return { state, seal: sealOf(fileId, state) };
}

/** @throws {WeirError} `corrupt_state` when the state is not the one that was written for this file. */
function unsealed(fileId: string, kept: Sealed | null): DecoderState | null {
  if (kept === null) return null;
  return kept.seal === sealOf(fileId, kept.state) ? kept.state : damagedColumn("checkpoint", "what was written there");
}

function sealOf(fileId: string, state: DecoderState): string {
  return createHash("sha256").update(JSON.stringify([fileId, state])).digest("hex").slice(0, 16);
}

function isSealed(value: unknown): value is Sealed {
  if (typeof value !== "object" || value === null) return false;
  const kept: Partial<Record<keyof Sealed, unknown>> = value;
  return isDecoderState(kept.state) && typeof kept.seal === "string";
}
