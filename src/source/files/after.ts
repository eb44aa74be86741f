/**
 * What becomes of a file once its last row has a durable home: into `done/YYYY/MM/DD/` with a receipt, deleted, or kept where it is.
 *
 * Where it will go is decided and committed to the ledger before anything is moved, so each step can be done again after a crash: a file
 * that is not at its place any more was moved, a receipt that is missing is written.
 *
 * @module
 */
import { join } from "node:path";
import type { FileRecord } from "../../core/store.ts";
import type { Disk } from "./disk.ts";
import { doneFolder } from "./folder.ts";
import { identityOf, sameIdentity, sameInode } from "./identity.ts";
import { freePath, moveFile } from "./move.ts";
import type { After } from "./options.ts";
import { receiptEnding } from "./receipt.ts";

/** How the step ended. */
export type AfterResult =
  | "done"
  /** Somebody else took the file away before. */
  | "gone"
  /** The file is not the one that was read to its end: it grew meanwhile. Nothing was done. */
  | "grew";

/** Where a file is, and whether it is a duplicate. */
export interface AfterTarget {
  readonly fullPath: string;
  readonly duplicate: boolean;
}

/** Says where a finished file will be: a free path in `done/`, its own path when it is kept, null when it is deleted. */
export async function plannedPath(
  disk: Disk,
  after: After,
  record: FileRecord,
  target: AfterTarget,
  wallMs: number,
): Promise<string | null> {
  if (after === "delete") return null;
  if (after === "keep") return target.fullPath;
  const [year = "", month = "", day = ""] = new Date(wallMs).toISOString().slice(0, 10).split("-");
  const ending = target.duplicate ? ".dup" : "";
  const path = join(record.folder, doneFolder, year, month, day, record.path + ending);
  return await freePath(disk, path, [receiptEnding]);
}

/**
 * Does the step for a record with `movedTo` as planned. Can be done again.
 *
 * @param receipt text of the receipt; null for a duplicate, which has none of its own
 */
export async function doAfter(
  disk: Disk,
  record: FileRecord,
  fullPath: string,
  receipt: string | null,
): Promise<AfterResult> {
  const { movedTo } = record;
  if (movedTo === fullPath && !isArchived(record)) return "done";
  const there = await disk.facts(fullPath);
  const isOurs = there !== null && sameInode(identityOf(there), record.identity);
  if (isOurs && !sameIdentity(identityOf(there), record.identity)) return "grew";
  if (movedTo === null) {
    if (!isOurs) return "gone";
    await disk.remove(fullPath);
    return "done";
  }
  if (isOurs && movedTo !== fullPath) await moveFile(disk, fullPath, movedTo, record.identity.mtimeMs);
  else if (!await liesAt(disk, movedTo, record)) return "gone";
  if (receipt !== null) await disk.writeWhole(movedTo + receiptEnding, receipt);
  return "done";
}

/** Whether the file of a record lies at a path: a copy has another inode, but the same size and mtime. */
async function liesAt(disk: Disk, path: string, record: FileRecord): Promise<boolean> {
  const facts = await disk.facts(path);
  return facts?.sizeBytes === record.identity.sizeBytes && facts.mtimeMs === record.identity.mtimeMs;
}

/** Whether a record's place is in our archive. */
function isArchived(record: FileRecord): boolean {
  return record.movedTo?.startsWith(join(record.folder, doneFolder) + "/") ?? false;
}
