/**
 * What can be set on the file source, and what it needs from the rest of the program.
 *
 * @module
 */
import type { Place } from "../../core/chunk.ts";
import type { Clock } from "../../core/clock.ts";
import type { Forecast } from "../../core/deadline.ts";
import type { Normalizer, OpenDecoder } from "../../core/decoder.ts";
import type { Dice } from "../../core/dice.ts";
import type { Emit } from "../../core/event.ts";
import type { LetterActions } from "../../core/replay.ts";
import type { CheckpointStore } from "../../core/store.ts";
import type { Disk } from "./disk.ts";
import type { EncodingSetting } from "./encoding.ts";

/** A folder that files are dropped into. */
export interface FolderOptions {
  readonly path: string;
  /** Share among the folders, > 0. */
  readonly weight: number;
  /** A new dump comes this often, in ms: its deadline. Null: no deadline. */
  readonly everyMs: number | null;
  /** Cap of this folder alone in rows/s, or null. */
  readonly capRows: number | null;
}

/** How a file is known to be complete. */
export type Ready = "quiet" | "rename" | "marker";
/** What becomes of a file after its last row has a durable home. */
export type After = "archive" | "delete" | "keep";

/** Settings of the file source. {@linkcode filesDefaults} has all but `folders`. */
export interface FilesSourceOptions {
  readonly folders: readonly FolderOptions[];
  /** Globs (`*`, `?`, `[...]`, `{a,b}`; letter case does not matter) that base names must match, one of them. */
  readonly pattern: readonly string[];
  /** In what encoding files are. */
  readonly encoding: EncodingSetting;
  /** Also look into sub-folders. */
  readonly recursive: boolean;
  readonly ready: Ready;
  /** `quiet`: how long size, mtime and inode must stand still, on the monotonic clock. */
  readonly quietMs: number;
  /** The folder is listed again at least this often. */
  readonly pollMs: number;
  readonly after: After;
  /** Archived files older than this are removed; null keeps them for ever. */
  readonly keepForMs: number | null;
  /** The oldest archived files of a folder are removed when all together are larger; null: no limit. */
  readonly archiveBytesMax: number | null;
  /** Rows that may wait in a folder's flow, read ahead of the scheduler: see {@linkcode readAheadRowsOf}. */
  readonly readAheadRows: number;
  /** Bytes that may wait there: nothing more is read while they are reached. See {@linkcode readAheadBytesMaxOf}. */
  readonly readAheadBytesMax: number;
  /** More bad rows than this send the file to `error/`. */
  readonly badMax: number;
  /** Bytes of a bad row that its dead letter keeps. */
  readonly rowBytesMax: number;
  /** Inflated bytes for each byte on disk, beyond which a compressed file counts as an attack. */
  readonly inflationRatioMax: number;
  /** Checkpoints are committed at most this often. */
  readonly checkpointMs: number;
  /** Touch nothing in the folders: a file that is refused stays where it is too. Goes with `after: "keep"`. */
  readonly readOnly: boolean;
  /** Finish what is there at the start and take nothing that comes later. */
  readonly once: boolean;
}

const endings = ["csv", "tsv", "json", "ndjson", "jsonl"];

/** Default settings: see the table in `docs/settings.md`. */
export const filesDefaults: Omit<FilesSourceOptions, "folders"> = {
  pattern: endings.flatMap((ending) => [`*.${ending}`, `*.${ending}.gz`, `*.${ending}.zst`]),
  encoding: "auto",
  recursive: false,
  ready: "quiet",
  quietMs: 10_000,
  pollMs: 10_000,
  after: "archive",
  keepForMs: 7 * 24 * 3_600_000,
  archiveBytesMax: 2 * 1024 ** 3,
  readAheadRows: 20,
  readAheadBytesMax: 4 * 1024 ** 2,
  badMax: 10_000,
  rowBytesMax: 1024 ** 2,
  inflationRatioMax: 200,
  checkpointMs: 1000,
  readOnly: false,
  once: false,
};

/** What a sink that keeps the places of files asks of the source: to go on there, and to take back what is not covered. */
export interface KeptPlaces {
  /** All places, once they are known: no file is begun before. Rejects when another instance has taken over. */
  readonly places: () => Promise<readonly Place[]>;
  /** Dead letters of rows behind a file's place are stored already, and are not part of what has arrived. */
  readonly letters: Pick<LetterActions, "removeLetters">;
  /** Called once, when the ledger says where each file goes on and no letter stands for a row that will be read again. */
  readonly known: () => void;
}

/** What the file source needs. */
export interface FilesSourceDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly store: CheckpointStore;
  readonly openDecoder: OpenDecoder;
  readonly normalizer: Normalizer;
  /** First part of every id. */
  readonly gateway: string;
  /** Jitter of retries. Default: the machine's. */
  readonly dice?: Dice;
  /** Tells when a file will be in. Default: nobody knows, and no verdict. */
  readonly forecast?: Forecast;
  /** What is in force of the folder at this path, the same each time until it changes. Default: its options. */
  readonly folderInForce?: (path: string) => FolderOptions | undefined;
  /** Default: the disk of the machine. */
  readonly disk?: Disk;
  /** For a sink that keeps the places of files. Default: the ledger alone does. */
  readonly kept?: KeptPlaces;
}

/** Folders that read ahead as far as they like; more of them share what these may hold. */
const readingAhead = 64;
/** What each may read ahead in any case: a slice of the reader. */
const readAheadRowsMin = 64;
/** Where rows are long: what each may read ahead in any case. */
const readAheadBytesMin = 256 * 1024;

/** Rows that each of so many folders may read ahead: two quanta, and of many folders less, so that memory does not grow with their number. */
export function readAheadRowsOf(quantumRows: number, folders: number): number {
  return sharedBy(folders, 2 * quantumRows, readAheadRowsMin);
}

/** Bytes that each of so many folders may read ahead: 4 MiB, and of many folders less, for the same reason where rows are long. */
export function readAheadBytesMaxOf(folders: number): number {
  return sharedBy(folders, filesDefaults.readAheadBytesMax, readAheadBytesMin);
}

/** What each folder gets: `alone` while they are few, then its share of what few may have, but not less than `least` (or `alone`). */
function sharedBy(folders: number, alone: number, least: number): number {
  const share = Math.floor(alone * readingAhead / Math.max(1, folders));
  return Math.min(alone, Math.max(least, share));
}
