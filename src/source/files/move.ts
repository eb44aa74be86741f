/**
 * Moving a file so that a crash at any moment leaves it whole in one of the two places: by rename, or across file systems by a synced
 * copy that is renamed into place before the original goes.
 *
 * @module
 */
import { dirname } from "node:path";
import { type Disk, isCrossDevice } from "./disk.ts";

/** Moves a file, keeping its mtime. Replaces what stands at `to`. Rejects with what the operating system says. */
export async function moveFile(disk: Disk, from: string, to: string, mtimeMs: number): Promise<void> {
  await disk.makeFolder(dirname(to));
  try {
    await disk.rename(from, to);
  } catch (error) {
    if (!isCrossDevice(error)) throw error;
    await disk.copySynced(from, `${to}.part`, mtimeMs);
    await disk.rename(`${to}.part`, to);
    await disk.remove(from);
  }
}

/** Names that are tried before giving up: more files of one name on one day are a mistake elsewhere. */
const namesMax = 10_000;

/**
 * A path at which nothing stands, nor a file with one of the `companions` endings: `path`, else `path.2`, `path.3` and so on.
 */
export async function freePath(disk: Disk, path: string, companions: readonly string[]): Promise<string> {
  for (let number = 1; number <= namesMax; number++) {
    const candidate = number === 1 ? path : `${path}.${number}`;
    const taken = await Promise.all(["", ...companions].map((ending) => disk.facts(candidate + ending)));
    if (taken.every((facts) => facts === null)) return candidate;
  }
  throw Object.assign(new Error(`More than ${namesMax} files of one name`), { code: "EEXIST" });
}
