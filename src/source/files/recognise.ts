/**
 * What a complete file in a drop folder is: new, one to go on with, one that is done already, or the same bytes again.
 *
 * The whole file is hashed before its first row only when a finished file has the same size and begins with the same bytes; all others
 * are hashed while they are read. So a dump that is dropped twice is never sent twice, and a new dump costs nothing extra.
 *
 * @module
 */
import type { CheckpointStore, FileCounts, FileRecord } from "../../core/store.ts";
import { type Disk, isRefused } from "./disk.ts";
import { hashUpTo } from "./disk_bytes.ts";
import type { ListedFile } from "./folder.ts";
import { contentHash, contentOf, fileIdOf, identityOf, readHead, sameIdentity, sameInode } from "./identity.ts";
import type { KnownFiles } from "./known_files.ts";

/** What to do with a file. */
export type Recognised =
  /** Read it from the record's checkpoint. */
  | { readonly kind: "read"; readonly record: FileRecord; readonly why: "new" | "resumed" | "grown" | "returned" }
  /** All its rows are home; only the step after is left. */
  | { readonly kind: "finish"; readonly record: FileRecord }
  /** The same bytes as a finished file. */
  | { readonly kind: "duplicate"; readonly record: FileRecord; readonly of: FileRecord }
  /** Nothing: a finished file that is kept, or one that could not be moved to quarantine. */
  | { readonly kind: "ignore" };

/** What it needs. */
export interface RecogniseDeps {
  readonly disk: Disk;
  readonly store: CheckpointStore;
  readonly known: KnownFiles;
  readonly folder: string;
  readonly wallMs: number;
  readonly signal: AbortSignal;
}

const noCounts: FileCounts = { read: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0 };
/** Files alike in size, mtime and first bytes that are told apart. */
const saltsMax = 10_000;

/** Recognises a file. Rejects with the system's error when it is gone or the disk fails, and with `storage` when the ledger does. */
export async function recognise(file: ListedFile, deps: RecogniseDeps): Promise<Recognised> {
  const identity = identityOf(file.facts);
  const seen = deps.known.byInode(identity);
  if (seen !== null) {
    const byRecord = sameIdentity(seen.identity, identity) ? atOnce(seen, file) : await grown(seen, file, deps);
    if (byRecord !== null) return byRecord;
  }
  const head = await contentOfFile(file, deps);
  const sha256 = await hashIfLike(head, file, deps);
  const twin = sha256 === null ? null : await deps.store.fileByHash(deps.folder, sha256);
  return await byContent(head, sha256, twin, file, deps);
}

/** The fast path: the same inode, size and mtime as a record. Null: the content must say. */
function atOnce(record: FileRecord, file: ListedFile): Recognised | null {
  const here = { ...record, path: file.path };
  if (record.state === "reading") return { kind: "read", record: here, why: "resumed" };
  if (record.state === "done") return { kind: "finish", record: here };
  if (record.state === "archived") return record.movedTo === file.fullPath ? { kind: "ignore" } : null;
  if (record.movedTo === null) return { kind: "ignore" };
  return { kind: "read", record: { ...here, state: "reading", movedTo: null }, why: "returned" };
}

/** The same inode, and longer: it was appended to if what was read before is still there. */
async function grown(record: FileRecord, file: ListedFile, deps: RecogniseDeps): Promise<Recognised | null> {
  const before = record.identity.sizeBytes;
  if (record.state === "quarantined" || file.facts.sizeBytes <= before) return null;
  const same = await withOpen(
    file,
    deps,
    async (open) =>
      record.sha256 === null
        ? contentHash(await readHead(open, before)) === contentOf(record.fileId)
        : await hashUpTo(open, before, () => deps.signal.aborted) === record.sha256,
  );
  // Inside the archive it stays where it is.
  const movedTo = record.movedTo === file.fullPath ? file.fullPath : null;
  return same ? { kind: "read", record: { ...record, state: "reading", sha256: null, movedTo }, why: "grown" } : null;
}

async function contentOfFile(file: ListedFile, deps: RecogniseDeps): Promise<string> {
  try {
    return await withOpen(file, deps, async (open) => contentHash(await readHead(open, file.facts.sizeBytes)));
  } catch (error) {
    if (!isRefused(error)) throw error;
    // A file that may not be read gets an id all the same: it is on its way to quarantine under it.
    return contentHash(new TextEncoder().encode(file.fullPath));
  }
}

async function hashIfLike(content: string, file: ListedFile, deps: RecogniseDeps): Promise<string | null> {
  const { sizeBytes } = file.facts;
  if (sizeBytes === 0 || !deps.known.finishedLike(content, sizeBytes)) return null;
  return await withOpen(file, deps, (open) => hashUpTo(open, sizeBytes, () => deps.signal.aborted));
}

/** Fixes the id: salted until no other file has it. */
async function byContent(
  content: string,
  sha256: string | null,
  twin: FileRecord | null,
  file: ListedFile,
  deps: RecogniseDeps,
): Promise<Recognised> {
  const identity = identityOf(file.facts);
  for (let salt = 0; salt < saltsMax; salt++) {
    const fileId = fileIdOf(content, identity.sizeBytes, identity.mtimeMs, salt);
    const other = await deps.store.fileById(fileId);
    if (other === null) {
      const record: FileRecord = {
        fileId,
        folder: deps.folder,
        path: file.path,
        identity,
        state: "reading",
        checkpoint: null,
        counts: noCounts,
        sha256: null,
        firstSeenAtMs: deps.wallMs,
        updatedAtMs: deps.wallMs,
        movedTo: null,
      };
      return twin === null
        ? { kind: "read", record, why: "new" }
        : { kind: "duplicate", record: { ...record, sha256 }, of: twin };
    }
    if (twin !== null || other.folder !== deps.folder) continue;
    if (other.state === "archived" && other.movedTo === file.fullPath) return { kind: "ignore" };
    const here: FileRecord = { ...other, state: "reading", identity, path: file.path, movedTo: null };
    if (other.state === "quarantined" && other.movedTo !== null) return { kind: "read", record: here, why: "returned" };
    if (other.state === "reading" && !await stillThere(other, deps)) {
      return { kind: "read", record: here, why: "resumed" };
    }
  }
  throw new Error(`More than ${saltsMax} files are alike in size, mtime and first bytes`);
}

/** Whether the file that a record is about is still in the folder: then this one is another. */
async function stillThere(record: FileRecord, deps: RecogniseDeps): Promise<boolean> {
  const facts = await deps.disk.facts(`${record.folder}/${record.path}`);
  return facts !== null && sameInode(identityOf(facts), record.identity);
}

async function withOpen<T>(
  file: ListedFile,
  deps: RecogniseDeps,
  use: (open: Awaited<ReturnType<Disk["open"]>>) => Promise<T>,
): Promise<T> {
  const open = await deps.disk.open(file.fullPath);
  try {
    return await use(open);
  } finally {
    open.close();
  }
}
