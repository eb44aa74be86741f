/**
 * The place for files that cannot be read on: `error/` inside the drop folder, each with a note of why, how far it was read and what to
 * do. Moved back by hand, a file is read on from there.
 *
 * @module
 */
import { dirname, join } from "node:path";
import type { WeirError } from "../../core/error.ts";
import type { FileRecord } from "../../core/store.ts";
import type { Disk } from "./disk.ts";
import { errorFolder } from "./folder.ts";
import { identityOf, sameInode } from "./identity.ts";
import { freePath, moveFile } from "./move.ts";
import { errorEnding, errorText } from "./receipt.ts";

/** Which file, and why. */
export interface Quarantined {
  readonly record: FileRecord;
  readonly fullPath: string;
  readonly error: WeirError;
  readonly gateway: string;
  readonly wallMs: number;
}

/**
 * Moves a file to `error/`, its note first: a file there always has one. Returns where it is, or null when somebody else took it away.
 * Rejects with what the operating system says.
 */
export async function moveToQuarantine(disk: Disk, file: Quarantined): Promise<string | null> {
  const there = await disk.facts(file.fullPath);
  if (there === null || !sameInode(identityOf(there), file.record.identity)) return null;
  const to = await freePath(disk, join(file.record.folder, errorFolder, file.record.path), [errorEnding]);
  await disk.makeFolder(dirname(to));
  await disk.writeWhole(to + errorEnding, errorText(file.record, file.error, file.gateway, file.wallMs));
  await moveFile(disk, file.fullPath, to, there.mtimeMs);
  return to;
}
