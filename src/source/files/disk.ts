/**
 * The few file system operations that the file source uses, behind one interface, so that tests can make any of them fail. Also the
 * one place that knows how the operating system's errors look.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { constants, copyFile, type FileHandle, open, statfs } from "node:fs/promises";

/** What the file system tells of an entry. */
export interface Facts {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
  /** Last change of the content, in ms since 1970. */
  readonly mtimeMs: number;
  /**
   * When it came to be there as it is, in ms since 1970: the last change of its inode (ctime), which writing and moving it set and which no
   * writer can set back, as a copy does with the mtime. Null: not known.
   */
  readonly arrivedMs: number | null;
}

/** A file open for reading, from byte 0 on. */
export interface OpenFile {
  /** Reads into `buffer` from the current position; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  facts(): Promise<Facts>;
  close(): void;
}

/** A watch on a folder. */
export interface FolderWatch {
  close(): void;
}

/** The operations. All reject with what the operating system says. */
export interface Disk {
  /** Names in a folder, in no order. */
  list(folder: string): Promise<readonly string[]>;
  /** Facts of the entry itself (a link is a link), or null when there is none. */
  facts(path: string): Promise<Facts | null>;
  open(path: string): Promise<OpenFile>;
  /** The last byte of a file, or null when it is empty. */
  lastByte(path: string): Promise<number | null>;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Copies a file with its mtime and waits until the copy is on the disk. */
  copySynced(from: string, to: string, mtimeMs: number): Promise<void>;
  /** Writes a text file beside, syncs it and renames it into place, so that nobody ever sees half of it. */
  writeWhole(path: string, text: string): Promise<void>;
  /** Free bytes where `path` lies, or null when it cannot be told. */
  freeBytes(path: string): Promise<number | null>;
  /** Calls `changed` when something in the folder changes: a hint, nothing more. Throws when the folder cannot be watched. */
  watch(folder: string, changed: () => void): FolderWatch;
}

/** The disk of the machine. */
export const machineDisk: Disk = {
  async list(folder) {
    const names: string[] = [];
    for await (const entry of Deno.readDir(folder)) names.push(entry.name);
    return names;
  },
  async facts(path) {
    try {
      return factsOf(await Deno.lstat(path));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  },
  async open(path) {
    const file = await openUnlinked(path);
    return {
      read: async (buffer) => (await file.read(buffer, 0, buffer.length, null)).bytesRead || null,
      facts: async () => statsOf(await file.stat()),
      close: () => void file.close(),
    };
  },
  async lastByte(path) {
    const file = await openUnlinked(path);
    try {
      const { size } = await file.stat();
      const byte = new Uint8Array(1);
      return size === 0 || (await file.read(byte, 0, 1, size - 1)).bytesRead === 0 ? null : byte[0] ?? null;
    } finally {
      await file.close();
    }
  },
  makeFolder: (path) => Deno.mkdir(path, { recursive: true }),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  async copySynced(from, to, mtimeMs) {
    await removeIfThere(to);
    await copyFile(from, to, constants.COPYFILE_EXCL);
    const copy = await Deno.open(to, { read: true, write: true });
    try {
      await copy.utime(mtimeMs / 1000, mtimeMs / 1000);
      await copy.sync();
    } finally {
      copy.close();
    }
  },
  async writeWhole(path, text) {
    const beside = `${path}.part`;
    await removeIfThere(beside);
    const file = await Deno.open(beside, { write: true, createNew: true });
    try {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(beside, path);
  },
  async freeBytes(path) {
    try {
      const stats = await statfs(path);
      return stats.bavail * stats.bsize;
    } catch {
      return null;
    }
  },
  watch(folder, changed) {
    const watcher = Deno.watchFs(folder, { recursive: false });
    // The iterator throws when the folder goes away under it; the re-listing finds that out by itself.
    (async () => {
      for await (const event of watcher) if (event.kind !== "access") changed();
    })().catch(() => {});
    return { close: () => watcher.close() };
  },
};

/**
 * Opens a file for reading, but no link: whoever may write into a drop folder could put one in a file's place after it was listed, and
 * have files forwarded that only Weir may read. Nor does it wait at a pipe for somebody to write.
 */
function openUnlinked(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** What is made anew is made where nothing stands: a link there, laid by somebody else, is removed and not followed. */
async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Whether an error says that there is no such file or folder (any more: a link in its place is not the file). */
export function isMissing(error: unknown): boolean {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return true;
  return ["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "");
}

/** Whether an error says that access is refused. */
export function isRefused(error: unknown): boolean {
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) return true;
  return ["EACCES", "EPERM"].includes(errnoOf(error) ?? "");
}

/** Whether two paths are on different file systems, so that a rename cannot work. */
export function isCrossDevice(error: unknown): boolean {
  return errnoOf(error) === "EXDEV";
}

/**
 * Whether an error came from the operating system at all. Everything else is a defect of the program and must not be tried again as if
 * a disk were busy.
 */
export function isSystemError(error: unknown): error is Error {
  return error instanceof Error && (errnoOf(error) !== null || isMissing(error) || isRefused(error));
}

/** The name of the system's error number (`EIO`), or null. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code) ? error.code : null;
}

function factsOf(info: Deno.FileInfo): Facts {
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "directory" : info.isSymlink ? "link" : "other",
    device: info.dev,
    inode: info.ino ?? 0,
    sizeBytes: info.size,
    mtimeMs: info.mtime?.getTime() ?? 0,
    arrivedMs: info.ctime?.getTime() ?? null,
  };
}

function statsOf(stats: Stats): Facts {
  return {
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "other",
    device: stats.dev,
    inode: stats.ino,
    sizeBytes: stats.size,
    mtimeMs: stats.mtime.getTime(),
    arrivedMs: stats.ctime.getTime(),
  };
}

/** Stands for a file that is not there any more. */
export const noFacts: Facts = { kind: "other", device: 0, inode: 0, sizeBytes: 0, mtimeMs: 0, arrivedMs: null };
