/**
 * What `check --connect` finds out about a drop folder: whether it can be read, whether finished files can be moved, and whether there is
 * room for the archive.
 *
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../core/error.ts";
import type { Finding } from "../../core/finding.ts";
import { formatBytes, printable, quoted } from "../../core/text.ts";
import { type Disk, isMissing, isSystemError } from "./disk.ts";
import { doneFolder, listFolder } from "./folder.ts";
import { globTest } from "./glob.ts";
import type { FilesSourceOptions } from "./options.ts";

/** Less than this is too little room for an archive on another file system. */
const freeBytesMin = 64 * 1024 ** 2;

/** Tries a folder. Never throws for what the operating system says. */
export async function checkFolder(
  disk: Disk,
  folder: string,
  options: FilesSourceOptions,
): Promise<readonly Finding[]> {
  const subject = `Folder ${quoted(folder)}`;
  const found: Finding[] = [];
  try {
    const listing = await listFolder(disk, folder, {
      matches: globTest(options.pattern),
      recursive: options.recursive,
    });
    const bytes = listing.files.reduce((sum, file) => sum + file.facts.sizeBytes, 0);
    found.push({
      ok: true,
      subject,
      result: `can be read; ${waiting(listing.files.length)} (${formatBytes(bytes)})`,
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const missing = isMissing(error);
    const advice = missing
      ? "Make it, or let it appear later: it is waited for"
      : "Let the user that Weir runs as read it";
    const result = missing ? "does not exist" : `cannot be read: ${printable(messageOf(error))}`;
    return [{ ok: false, subject, result, advice }];
  }
  if (options.after === "keep") return found;
  found.push(await tryToWrite(disk, folder, subject));
  if (options.after === "archive") found.push(await tryArchive(disk, folder));
  return found;
}

async function tryToWrite(disk: Disk, folder: string, subject: string): Promise<Finding> {
  const probe = join(folder, ".weir-check");
  try {
    await disk.writeWhole(probe, "");
    await disk.remove(probe);
    return { ok: true, subject, result: "can be written to" };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const advice = "Let the user that Weir runs as write to it, or keep files where they are: --files-after keep";
    return { ok: false, subject, result: `cannot be written to: ${printable(messageOf(error))}`, advice };
  }
}

async function tryArchive(disk: Disk, folder: string): Promise<Finding> {
  const done = join(folder, doneFolder);
  const subject = `Archive ${quoted(done)}`;
  try {
    const here = await disk.facts(folder);
    const there = await disk.facts(done);
    if (there !== null && there.kind !== "directory" && there.kind !== "link") {
      return { ok: false, subject, result: "is not a folder", advice: "Move it away" };
    }
    const free = await disk.freeBytes(there === null ? folder : done);
    const room = free === null ? "" : `; ${formatBytes(free)} free`;
    const same = there === null || there.kind === "directory" && there.device === here?.device;
    if (same) return { ok: true, subject, result: `is on the folder's file system${room}` };
    const enough = free === null || free >= freeBytesMin;
    const result = `is on another file system: finished files are copied${room}`;
    return enough ? { ok: true, subject, result } : { ok: false, subject, result, advice: "Make room there" };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { ok: false, subject, result: `cannot be looked at: ${printable(messageOf(error))}` };
  }
}

function waiting(files: number): string {
  return files === 1 ? "1 file waits" : `${files} files wait`;
}
