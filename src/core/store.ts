/**
 * The contract of the ledger: what must survive a restart. One implementation (SQLite, in a worker) and one in memory for tests and
 * `--dry-run`; one contract suite for both.
 *
 * Every write resolves once it is committed, and rejects with a {@linkcode WeirError} `storage` when it is not: the caller keeps what it
 * wanted to write and tries again. Dead letters, what is done to them, and what goes to the spool are synced as well, and survive a power
 * cut. What is known of files, removals from the spool and marks are not: they survive a crash of Weir, and a power cut may undo the last
 * of them, so that rows and readings come again.
 *
 * @module
 */
import type { DecoderState } from "./decoder.ts";
import type { Origin } from "./delivery.ts";
import type { DeadLetter, Reason } from "./reading.ts";
import type { LetterActions } from "./replay.ts";
import type { SpoolStore } from "./spool.ts";

/** What tells one file from another. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** What a file's rows came to. `read = delivered + filtered + deadLettered + dropped`. */
export interface FileCounts {
  readonly read: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly deadLettered: number;
  readonly dropped: number;
}

/** All that is known of a file. */
export interface FileRecord {
  /** Stable id, fixed at first sight: hash of the first 64 KiB after the header, the size and the mtime. Part of `weir.id`. */
  readonly fileId: string;
  /** Absolute path of the folder it was dropped into. */
  readonly folder: string;
  /** Path relative to the folder. */
  readonly path: string;
  readonly identity: FileIdentity;
  /** `reading`: not finished; `done`: all rows settled, not yet archived or deleted; `archived`: its after-step is done too; `quarantined`: in the error folder. */
  readonly state: "reading" | "done" | "archived" | "quarantined";
  /** Where to go on; null before the first commit. */
  readonly checkpoint: DecoderState | null;
  /** Counts up to the checkpoint. */
  readonly counts: FileCounts;
  /** SHA-256 of the whole file as it lies on disk, in hex; null before it is read to the end. */
  readonly sha256: string | null;
  /** Wall-clock ms at which its turn came. */
  readonly firstSeenAtMs: number;
  readonly updatedAtMs: number;
  /** Where it went (archive path, error path), else null. */
  readonly movedTo: string | null;
}

/** Checkpoints of files, by file id. */
export interface CheckpointStore {
  /** Records of a folder, last updated first, at most `limit`. */
  files(folder: string, limit: number): Promise<readonly FileRecord[]>;
  fileById(fileId: string): Promise<FileRecord | null>;
  /** A finished file (`done` or `archived`) of the folder with exactly these bytes, or null. */
  fileByHash(folder: string, sha256: string): Promise<FileRecord | null>;
  /** Inserts or replaces, all in one transaction. */
  saveFiles(records: readonly FileRecord[]): Promise<void>;
  /** Forgets records that are `archived` or `quarantined` and were last updated before this time; returns how many. */
  forgetFiles(updatedBeforeMs: number): Promise<number>;
}

/** A dead letter as it is kept. */
export interface StoredLetter extends DeadLetter {
  /** Number in the store, rising. */
  readonly number: number;
  readonly storedAtMs: number;
  /** How often it was replayed and failed again. */
  readonly tries: number;
}

/** What `append` did. */
export interface AppendResult {
  /**
   * How many of the letters, from the front, are dealt with: stored, or dropped as below. Fewer than given: the store is at `deadLetterBytesMax` and the next one is of
   * origin `batch` (the caller keeps it and tries again later: files pause).
   */
  readonly accepted: number;
  /** Stream letters that went to make room, or that found none: dropped and to be counted. */
  readonly droppedStreamLetters: number;
}

/** Which dead letters are wanted. */
export interface LetterFilter {
  readonly reason?: Reason;
  readonly origin?: Origin;
  /** Exact source. */
  readonly source?: string;
  /** Time of arrival, wall-clock ms, inclusive. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Beginning of the id, with a `/` at its end: all rows of a file. */
  readonly idPrefix?: string;
  /** Byte offset of the row, inclusive. */
  readonly fromByte?: number;
}

/**
 * Dead letters. A letter with an id that is stored already replaces it and keeps its number (a row read again after a restart is one
 * letter, not two). One of a file that has grown and finds no room leaves what is stored as it is, and counts as accepted: its bytes
 * are safe already.
 */
export interface DeadLetterStore {
  append(letters: readonly DeadLetter[]): Promise<AppendResult>;
  /** Newest first. */
  list(filter: LetterFilter, limit: number): Promise<readonly StoredLetter[]>;
  letter(number: number): Promise<StoredLetter | null>;
  letterCount(filter: LetterFilter): Promise<{ readonly letters: number; readonly bytes: number }>;
}

/** The ledger: everything above behind one handle. */
export interface Ledger extends CheckpointStore, DeadLetterStore, LetterActions, SpoolStore {
  /** Resolves when all writes before it are committed and the file is closed. */
  close(): Promise<void>;
}
