/**
 * A disk in memory for simulations: what the file source does is the same on every run of a seed. Every operation takes one turn of
 * promises and no time. It outlives the program, can be full or torn in the middle of a write, and forgets in a power cut what was
 * not synced.
 *
 * @module
 */
import type { Dice } from "../../src/core/dice.ts";
import type { Disk, Facts, OpenFile } from "../../src/source/files/disk.ts";
import type { Life } from "./life.ts";

/** The disk. */
export interface MemoryDisk {
  /** As one life of the program sees it. */
  forLife(life: Life): Disk;
  /** Writes a file at once, as a rename into place would. */
  put(path: string, text: string, mtimeMs: number): void;
  /** Paths of all files. */
  paths(): readonly string[];
  has(path: string): boolean;
  text(path: string): string;
  /** Error number of every change from now on (`ENOSPC`, `EROFS`), or null: all is well. */
  trouble: string | null;
  /** Told of every move, before it. */
  onMove: (from: string, to: string) => void;
  /** Takes back the newest changes that were not synced, some or all of them. */
  powerCut(dice: Dice): void;
}

interface Entry {
  readonly inode: number;
  bytes: Uint8Array;
  mtimeMs: number;
}

/**
 * Makes an empty disk with these folders.
 *
 * @param apart whether the archives, `done/`, lie on another file system
 */
export function memoryDisk(folders: readonly string[], apart: boolean): MemoryDisk {
  const files = new Map<string, Entry>();
  const made = new Set(folders);
  /** How to take back what was done since the last sync, oldest first. */
  let unsynced: (() => void)[] = [];
  let inodes = 100;

  const missing = (path: string) => new Deno.errors.NotFound(`No such file or directory (os error 2): ${path}`);
  const existing = (path: string): Entry => files.get(path) ?? fail(missing(path));
  const deviceOf = (path: string) => apart && /\/done(\/|$)/.test(path) ? 2 : 1;
  const factsOf = (path: string, entry: Entry): Facts => ({
    kind: "file",
    device: deviceOf(path),
    inode: entry.inode,
    sizeBytes: entry.bytes.length,
    mtimeMs: entry.mtimeMs,
    arrivedMs: entry.mtimeMs,
  });

  /** Puts an entry at a path, or nothing; can be taken back until the next sync. */
  function change(path: string, entry: Entry | null): void {
    const before = files.get(path);
    unsynced.push(() => void (before === undefined ? files.delete(path) : files.set(path, before)));
    if (entry === null) files.delete(path);
    else files.set(path, entry);
  }

  function newEntry(bytes: Uint8Array, mtimeMs: number): Entry {
    inodes += 1;
    return { inode: inodes, bytes, mtimeMs };
  }

  function move(from: string, to: string): void {
    const entry = existing(from);
    if (deviceOf(from) !== deviceOf(to)) throw systemError("EXDEV");
    disk.onMove(from, to);
    const [target, source] = [files.get(to), entry];
    unsynced.push(() => {
      files.set(from, source);
      if (target === undefined) files.delete(to);
      else files.set(to, target);
    });
    files.delete(from);
    files.set(to, entry);
  }

  function open(path: string): OpenFile {
    const entry = existing(path);
    let position = 0;
    return {
      read(buffer) {
        const rest = entry.bytes.subarray(position, position + buffer.length);
        if (rest.length === 0) return Promise.resolve(null);
        buffer.set(rest);
        position += rest.length;
        return Promise.resolve(rest.length);
      },
      facts: () => Promise.resolve(factsOf(path, entry)),
      close() {},
    };
  }

  function list(folder: string): readonly string[] {
    if (!made.has(folder)) throw missing(folder);
    const names = new Set<string>();
    for (const paths of [files.keys(), made]) {
      for (const path of paths) {
        if (path.startsWith(`${folder}/`)) names.add(path.slice(folder.length + 1).split("/", 1)[0] ?? "");
      }
    }
    return [...names];
  }

  const disk: MemoryDisk = {
    trouble: null,
    onMove: () => {},
    put(path, text, mtimeMs) {
      files.set(path, newEntry(new TextEncoder().encode(text), mtimeMs));
    },
    paths: () => [...files.keys()],
    has: (path) => files.has(path),
    text: (path) => new TextDecoder().decode(existing(path).bytes),
    powerCut(dice) {
      const kept = Math.floor(dice() * (unsynced.length + 1));
      for (const takeBack of unsynced.slice(kept).reverse()) takeBack();
      unsynced = [];
    },
    forLife(life) {
      const written = <T>(site: string, act: () => T): Promise<T> =>
        life.step(site, () => disk.trouble === null ? Promise.try(act) : Promise.reject(systemError(disk.trouble)));
      const asked = <T>(act: () => T): Promise<T> => life.ask(() => Promise.try(act));

      /** Writes a file and syncs it; torn, half of it is there. */
      const writeSynced = async (site: string, path: string, bytesOf: () => Uint8Array, mtimeMs: number) => {
        await written(site, () => {
          const bytes = bytesOf();
          change(path, newEntry(bytes.subarray(0, bytes.length >> 1), mtimeMs));
        });
        await written(`${site}, sync`, () => {
          change(path, newEntry(bytesOf(), mtimeMs));
          unsynced = [];
        });
      };

      return {
        list: (folder) => asked(() => list(folder)),
        facts: (path) =>
          asked(() => {
            const entry = files.get(path);
            if (entry !== undefined) return factsOf(path, entry);
            if (!made.has(path)) return null;
            return { kind: "directory", device: deviceOf(path), inode: 1, sizeBytes: 0, mtimeMs: 0, arrivedMs: null };
          }),
        open: (path) =>
          asked(() => open(path)).then((file) => ({ ...file, read: (buffer) => life.ask(() => file.read(buffer)) })),
        makeFolder: (path) =>
          written("make folder", () => {
            const parts = path.split("/");
            for (let i = 2; i <= parts.length; i++) made.add(parts.slice(0, i).join("/"));
          }),
        rename: (from, to) => written("rename", () => move(from, to)),
        remove: (path) =>
          written("remove", () => {
            existing(path);
            change(path, null);
          }),
        copySynced: (from, to, mtimeMs) => writeSynced("copy", to, () => existing(from).bytes, mtimeMs),
        async writeWhole(path, text) {
          const bytes = new TextEncoder().encode(text);
          await writeSynced("write", `${path}.part`, () => bytes, 0);
          await written("write, rename", () => move(`${path}.part`, path));
        },
        lastByte: (path) => asked(() => existing(path).bytes.at(-1) ?? null),
        freeBytes: () => Promise.resolve(null),
        watch: () => ({ close() {} }),
      };
    },
  };
  return disk;
}

function systemError(code: string): Error {
  return Object.assign(new Error(`The simulated disk says ${code}`), { code });
}

function fail(error: Error): never {
  throw error;
}
