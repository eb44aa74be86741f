/**
 * What waits in the drop folders, and how many rows it is: from the folders themselves, what the ledger knows of their files, and a sample
 * of each file's rows. Touches nothing, whether a gateway runs or not.
 *
 * @module
 */
import type { FilesSettings } from "../config/settings.ts";
import type { OpenDecoder } from "../core/decoder.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { CheckpointStore, FileRecord } from "../core/store.ts";
import { isMissing, isSystemError, machineDisk } from "../source/files/disk.ts";
import { type ListedFile, listFolder } from "../source/files/folder.ts";
import { globTest } from "../source/files/glob.ts";
import { identityOf, sameIdentity } from "../source/files/identity.ts";
import { knownMax } from "../source/files/known_files.ts";
import { filesDefaults } from "../source/files/options.ts";
import { compareFiles } from "../source/files/order.ts";
import { sampleFile, type SampleHow } from "./sample.ts";

/** A file that is not finished. */
export interface WaitingFile {
  /** Relative to its folder. Hostile text. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Rows that were read of it already. */
  readonly rowsRead: number;
  readonly rowsLeft: number;
  /** `rowsLeft` is counted, not estimated. */
  readonly exact: boolean;
  /** Wall-clock ms at which its time began, as the gateway counts it. */
  readonly arrivedMs: number;
  /** Why it would not be read, or null. */
  readonly refusal: string | null;
}

/** What waits in a folder. */
export interface WaitingFolder {
  readonly path: string;
  readonly files: readonly WaitingFile[];
  /** Rows of the last dump that was finished here, or null. */
  readonly lastDumpRows: number | null;
  /** Why the folder cannot be read, or null. */
  readonly trouble: string | null;
}

/** Enough rows for a mean; enough bytes for files whose rows are long. */
const sampleLimits = { rowsMax: 2_000, inflatedBytesMax: 1024 ** 2 };

/** Looks into one folder. */
export async function waitingIn(
  path: string,
  files: FilesSettings,
  records: Pick<CheckpointStore, "files"> | null,
  openDecoder: OpenDecoder,
  nowMs: number,
): Promise<WaitingFolder> {
  const known = await records?.files(path, knownMax) ?? [];
  const lastDumpRows = known.find((record) => record.sha256 !== null)?.counts.read ?? null;
  try {
    const listing = await listFolder(machineDisk, path, {
      matches: globTest(files.patterns ?? filesDefaults.pattern),
      recursive: files.recursive,
    });
    const waiting: WaitingFile[] = [];
    for (const file of [...listing.files].sort(compareFiles)) {
      const record = known.find((one) => sameIdentity(one.identity, identityOf(file.facts))) ?? null;
      if (record === null || record.state === "reading") {
        waiting.push(await measured(file, record, { openDecoder, encoding: files.encoding }, nowMs));
      }
    }
    return { path, files: waiting, lastDumpRows, trouble: null };
  } catch (thrown) {
    if (!isSystemError(thrown)) throw thrown;
    const trouble = isMissing(thrown) ? "does not exist" : `cannot be read: ${messageOf(thrown)}`;
    return { path, files: [], lastDumpRows, trouble };
  }
}

async function measured(
  file: ListedFile,
  record: FileRecord | null,
  how: SampleHow,
  nowMs: number,
): Promise<WaitingFile> {
  const common = {
    path: file.path,
    sizeBytes: file.facts.sizeBytes,
    rowsRead: record?.counts.read ?? 0,
    arrivedMs: Math.min(nowMs, record?.firstSeenAtMs ?? Infinity, file.facts.arrivedMs ?? file.mtimeMs),
  };
  try {
    const sample = await sampleFile(file.fullPath, how, sampleLimits);
    if (sample.refusal !== null) return { ...common, rowsLeft: 0, exact: false, refusal: sample.refusal.message };
    if (sample.whole) {
      return { ...common, rowsLeft: Math.max(0, sample.rows.length - common.rowsRead), exact: true, refusal: null };
    }
    const bytesLeft = Math.max(0, sample.inflatedBytes - (record?.checkpoint?.byte ?? 0));
    return { ...common, rowsLeft: Math.round(bytesLeft / sample.rowBytes), exact: false, refusal: null };
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown;
    return { ...common, rowsLeft: 0, exact: false, refusal: thrown.message };
  }
}
