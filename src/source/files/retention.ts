/**
 * Keeps the archive small: files that were archived too long ago go, then the oldest ones until all together fit. Only what lies in our
 * own dated folders `done/YYYY/MM/DD/` is ever touched; a receipt goes with its file. The age is that of the dated folder, for archived
 * files keep the mtime they came with.
 *
 * @module
 */
import { join } from "node:path";
import { type Disk, isMissing, isSystemError } from "./disk.ts";
import { doneFolder } from "./folder.ts";
import { receiptEnding } from "./receipt.ts";

/** What is kept. */
export interface RetentionOptions {
  readonly keepForMs: number | null;
  readonly archiveBytesMax: number | null;
}

/** What was removed. */
export interface Trimmed {
  readonly files: number;
  readonly bytes: number;
}

interface Archived {
  readonly path: string;
  /** Of the file and its receipt. */
  readonly bytes: number;
  readonly receipt: string | null;
  /** End of the day of its folder, in ms since 1970. */
  readonly dayEndMs: number;
  readonly mtimeMs: number;
}

const dayMs = 24 * 3_600_000;

/** Removes what is too old or too much. Rejects with what the operating system says. */
export async function trimArchive(
  disk: Disk,
  folder: string,
  options: RetentionOptions,
  wallMs: number,
): Promise<Trimmed> {
  const days = await daysOf(disk, join(folder, doneFolder));
  const all: Archived[] = [];
  for (const [path, dayEndMs] of days) await collect(disk, path, dayEndMs, all);
  all.sort((a, b) => a.dayEndMs - b.dayEndMs || a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : 1));
  let bytesLeft = all.reduce((sum, file) => sum + file.bytes, 0);
  let files = 0;
  let bytes = 0;
  for (const file of all) {
    const old = options.keepForMs !== null && wallMs - file.dayEndMs > options.keepForMs;
    const much = options.archiveBytesMax !== null && bytesLeft > options.archiveBytesMax;
    if (!old && !much) break;
    await disk.remove(file.path);
    if (file.receipt !== null) await disk.remove(file.receipt);
    bytesLeft -= file.bytes;
    bytes += file.bytes;
    files += 1;
  }
  if (files > 0) await removeEmpty(disk, join(folder, doneFolder), days);
  return { files, bytes };
}

/** The dated folders and the end of each one's day. */
async function daysOf(disk: Disk, done: string): Promise<ReadonlyMap<string, number>> {
  const days = new Map<string, number>();
  for (const year of await numbered(disk, done, 4)) {
    for (const month of await numbered(disk, join(done, year), 2)) {
      for (const day of await numbered(disk, join(done, year, month), 2)) {
        days.set(join(done, year, month, day), Date.UTC(Number(year), Number(month) - 1, Number(day)) + dayMs);
      }
    }
  }
  return days;
}

async function numbered(disk: Disk, folder: string, digits: number): Promise<readonly string[]> {
  const names = await disk.list(folder).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.filter((name) => name.length === digits && /^\d+$/.test(name)).sort();
}

async function collect(disk: Disk, folder: string, dayEndMs: number, into: Archived[]): Promise<void> {
  const names = new Set(await disk.list(folder));
  for (const name of names) {
    if (name.endsWith(receiptEnding) && names.has(name.slice(0, -receiptEnding.length))) continue;
    const path = join(folder, name);
    const facts = await disk.facts(path);
    if (facts?.kind === "directory") await collect(disk, path, dayEndMs, into);
    if (facts?.kind !== "file") continue;
    const receipt = names.has(name + receiptEnding) ? path + receiptEnding : null;
    const receiptBytes = receipt === null ? 0 : (await disk.facts(receipt))?.sizeBytes ?? 0;
    into.push({ path, bytes: facts.sizeBytes + receiptBytes, receipt, dayEndMs, mtimeMs: facts.mtimeMs });
  }
}

/** Removes dated folders that have become empty; one that is not refuses by itself. */
async function removeEmpty(disk: Disk, done: string, days: ReadonlyMap<string, number>): Promise<void> {
  for (const day of days.keys()) {
    for (let path = day; path !== done; path = join(path, "..")) {
      if ((await disk.list(path)).length > 0) break;
      await disk.remove(path).catch((error) => {
        if (!isSystemError(error)) throw error;
      });
    }
  }
}
