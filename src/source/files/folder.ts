/**
 * What lies in a drop folder: the files that Weir may read, and the markers beside them. Our own `done/` and `error/` are never listed,
 * nor what is still being written by its name (`.x`, `x.tmp`, `x.part`, `x.filepart`, `x.inprogress`, `~x`). Links are not followed: one
 * that leads out would let whoever drops files read the whole machine, and one that leads inside names a file that is listed anyway.
 *
 * @module
 */
import { join } from "node:path";
import type { Disk, Facts } from "./disk.ts";

/** A file in a drop folder. */
export interface ListedFile {
  /** Relative to the folder, with `/`. Hostile text. */
  readonly path: string;
  /** Absolute. */
  readonly fullPath: string;
  readonly facts: Facts;
  readonly mtimeMs: number;
}

/** What a listing found. */
export interface Listing {
  readonly files: readonly ListedFile[];
  /** mtime of each marker (`<name>.done`, `_SUCCESS`) by its relative path. */
  readonly markers: ReadonlyMap<string, number>;
  /** Links that were passed over, by relative path. */
  readonly links: readonly string[];
  /** More entries were there than {@linkcode entriesMax}. */
  readonly truncated: boolean;
}

/** How to list. */
export interface ListOptions {
  readonly matches: (baseName: string) => boolean;
  readonly recursive: boolean;
}

/** Where finished files go, inside the drop folder. */
export const doneFolder = "done";
/** Where files go that could not be read on. */
export const errorFolder = "error";
/** The marker that stands for a whole folder. */
export const successMarker = "_SUCCESS";
/** Entries that one listing looks at; the rest waits until some of them are gone. */
export const entriesMax = 100_000;

const unfinished = /^[.~]|\.(tmp|part|filepart|inprogress)$/i;

/**
 * Lists a folder.
 *
 * @throws what the operating system says when the folder itself cannot be listed.
 */
export async function listFolder(disk: Disk, folder: string, options: ListOptions): Promise<Listing> {
  const files: ListedFile[] = [];
  const markers = new Map<string, number>();
  const links: string[] = [];
  const toVisit = [""];
  let entries = 0;
  for (let at = toVisit.pop(); at !== undefined; at = toVisit.pop()) {
    const within = at;
    for (const name of await namesIn(disk, folder, within)) {
      entries += 1;
      if (entries > entriesMax) return { files, markers, links, truncated: true };
      const path = within === "" ? name : `${within}/${name}`;
      const ours = within === "" && (name === doneFolder || name === errorFolder);
      const marker = name === successMarker || name.endsWith(".done");
      if (ours || unfinished.test(name)) continue;
      if (!marker && !options.recursive && !options.matches(name)) continue;
      const fullPath = join(folder, path);
      const facts = await disk.facts(fullPath);
      if (facts === null) continue;
      if (facts.kind === "directory" && options.recursive) toVisit.push(path);
      if (facts.kind === "link" && options.matches(name)) links.push(path);
      if (facts.kind !== "file") continue;
      if (marker) markers.set(path, facts.mtimeMs);
      else if (options.matches(name)) files.push({ path, fullPath, facts, mtimeMs: facts.mtimeMs });
    }
  }
  return { files, markers, links, truncated: false };
}

/** A sub-folder that vanishes or cannot be entered is passed over; the drop folder itself must be readable. */
async function namesIn(disk: Disk, folder: string, within: string): Promise<readonly string[]> {
  if (within === "") return await disk.list(folder);
  return await disk.list(join(folder, within)).catch(() => []);
}
