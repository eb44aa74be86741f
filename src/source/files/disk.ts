/**
 * The few file system operations that the file source uses, behind one interface, so that tests can make any of them fail. Also the
 * one place that knows how the operating system's errors look.
 *
 * @module
 */

/** What the file system tells of an entry. */
export interface Facts {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
  /** Last change of the content, in ms since 1970. */
  readonly mtimeMs: number;
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
    const file = await Deno.open(path, { read: true });
    return {
      read: (buffer) => file.read(buffer),
      facts: async () => factsOf(await file.stat()),
      close: () => file.close(),
    };
  },
  async lastByte(path) {
    const file = await Deno.open(path, { read: true });
    try {
      if ((await file.stat()).size === 0) return null;
      await file.seek(-1, Deno.SeekMode.End);
      const byte = new Uint8Array(1);
      return await file.read(byte) === null ? null : byte[0] ?? null;
    } finally {
      file.close();
    }
  },
  makeFolder: (path) => Deno.mkdir(path, { recursive: true }),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  async copySynced(from, to, mtimeMs) {
    await Deno.copyFile(from, to);
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
    const file = await Deno.open(beside, { write: true, create: true, truncate: true });
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
      const { statfs } = await import("node:fs/promises");
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

/** Whether an error says that there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** Whether an error says that access is refused. */
export function isRefused(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
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
  };
}
