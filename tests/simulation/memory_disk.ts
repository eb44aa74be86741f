/**
 * A disk in memory for simulations: what the file source does is the same on every run of a seed. Every operation takes one turn of
 * promises and no time.
 *
 * @module
 */
import type { Disk, Facts, OpenFile } from "../../src/source/files/disk.ts";

/** A {@linkcode Disk} that a simulation can write to. */
export interface MemoryDisk extends Disk {
  /** Writes a file at once, as a rename into place would. */
  put(path: string, text: string, mtimeMs: number): void;
  /** Paths of all files. */
  paths(): readonly string[];
  text(path: string): string;
}

interface Entry {
  readonly inode: number;
  bytes: Uint8Array;
  mtimeMs: number;
}

/** Makes an empty disk with these folders. */
export function memoryDisk(folders: readonly string[]): MemoryDisk {
  const files = new Map<string, Entry>();
  const made = new Set(folders);
  let inodes = 100;

  const missing = (path: string) => new Deno.errors.NotFound(`No such file or directory (os error 2): ${path}`);
  const existing = (path: string): Entry => files.get(path) ?? fail(missing(path));
  const factsOf = (entry: Entry): Facts => ({
    kind: "file",
    device: 1,
    inode: entry.inode,
    sizeBytes: entry.bytes.length,
    mtimeMs: entry.mtimeMs,
    arrivedMs: entry.mtimeMs,
  });

  return {
    put(path, text, mtimeMs) {
      inodes += 1;
      files.set(path, { inode: inodes, bytes: new TextEncoder().encode(text), mtimeMs });
    },
    paths: () => [...files.keys()],
    text: (path) => new TextDecoder().decode(existing(path).bytes),

    list(folder) {
      if (!made.has(folder)) return Promise.reject(missing(folder));
      const below = [...files.keys(), ...made]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1).split("/")[0] ?? "");
      return Promise.resolve([...new Set(below)]);
    },
    facts(path) {
      const entry = files.get(path);
      if (entry !== undefined) return Promise.resolve(factsOf(entry));
      if (!made.has(path)) return Promise.resolve(null);
      return Promise.resolve({ kind: "directory", device: 1, inode: 1, sizeBytes: 0, mtimeMs: 0, arrivedMs: null });
    },
    open(path) {
      const entry = files.get(path);
      if (entry === undefined) return Promise.reject(missing(path));
      let position = 0;
      const file: OpenFile = {
        read(buffer) {
          const rest = entry.bytes.subarray(position, position + buffer.length);
          if (rest.length === 0) return Promise.resolve(null);
          buffer.set(rest);
          position += rest.length;
          return Promise.resolve(rest.length);
        },
        facts: () => Promise.resolve(factsOf(entry)),
        close() {},
      };
      return Promise.resolve(file);
    },
    makeFolder(path) {
      const parts = path.split("/");
      for (let i = 2; i <= parts.length; i++) made.add(parts.slice(0, i).join("/"));
      return Promise.resolve();
    },
    rename(from, to) {
      const entry = files.get(from);
      if (entry === undefined) return Promise.reject(missing(from));
      files.delete(from);
      files.set(to, entry);
      return Promise.resolve();
    },
    remove(path) {
      return files.delete(path) ? Promise.resolve() : Promise.reject(missing(path));
    },
    copySynced(from, to, mtimeMs) {
      inodes += 1;
      files.set(to, { inode: inodes, bytes: existing(from).bytes, mtimeMs });
      return Promise.resolve();
    },
    writeWhole(path, text) {
      inodes += 1;
      files.set(path, { inode: inodes, bytes: new TextEncoder().encode(text), mtimeMs: 0 });
      return Promise.resolve();
    },
    lastByte: (path) => Promise.resolve(existing(path).bytes.at(-1) ?? null),
    freeBytes: () => Promise.resolve(null),
    watch: () => ({ close() {} }),
  };
}

function fail(error: Error): never {
  throw error;
}
