/**
 * When a file is complete. Pure: it is told what was seen and when (on the monotonic clock; never the wall clock, never atime, which a
 * mere look at the file may move).
 *
 * - `quiet`: size, mtime and inode stood still for the quiet time; twice that for a plain file that does not end like a finished one (no
 *   line ending and no closing bracket), because its writer may just be pausing in the middle of a row.
 * - `rename`: at once: the writer renames the file into place.
 * - `marker`: `<full name>.done` stands beside it, or a `_SUCCESS` that is no older than the file.
 *
 * @module
 */
import { type ListedFile, type Listing, successMarker } from "./folder.ts";
import type { Ready } from "./options.ts";

/** Remembers what was seen of each file. */
export interface Completeness {
  /**
   * Takes a new listing in and returns the files that are complete. Forgets files that are gone.
   *
   * @param endsOpen whether the file ends in the middle of something, as far as one can tell
   */
  observe(listing: Listing, nowMs: number, endsOpen: (file: ListedFile) => boolean): readonly ListedFile[];
  /** When the next file may become complete if nothing changes, or null. */
  nextDueMs(): number | null;
  /** Files that were seen and are not complete, and become so by waiting alone. */
  readonly unripe: readonly string[];
}

interface Seen {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly inode: number;
  readonly sinceMs: number;
}

/** Makes a {@linkcode Completeness}. */
export function createCompleteness(options: { readonly ready: Ready; readonly quietMs: number }): Completeness {
  let seen = new Map<string, Seen>();
  let dueMs: number | null = null;
  let unripe: string[] = [];

  function isQuiet(file: ListedFile, nowMs: number, endsOpen: (file: ListedFile) => boolean): boolean {
    const sinceMs = seen.get(file.path)?.sinceMs ?? nowMs;
    if (nowMs - sinceMs < options.quietMs) return ripensAt(file, sinceMs + options.quietMs);
    if (!endsOpen(file) || nowMs - sinceMs >= 2 * options.quietMs) return true;
    return ripensAt(file, sinceMs + 2 * options.quietMs);
  }

  function ripensAt(file: ListedFile, atMs: number): false {
    unripe.push(file.path);
    dueMs = dueMs === null ? atMs : Math.min(dueMs, atMs);
    return false;
  }

  return {
    observe(listing, nowMs, endsOpen) {
      seen = new Map(listing.files.map((file) => [file.path, seenNow(file, seen.get(file.path), nowMs)]));
      dueMs = null;
      unripe = [];
      if (options.ready === "rename") return listing.files;
      if (options.ready === "marker") return listing.files.filter((file) => hasMarker(file, listing.markers));
      return listing.files.filter((file) => isQuiet(file, nowMs, endsOpen));
    },
    nextDueMs: () => dueMs,
    get unripe() {
      return unripe;
    },
  };
}

function seenNow(file: ListedFile, before: Seen | undefined, nowMs: number): Seen {
  const { sizeBytes, mtimeMs, inode } = file.facts;
  const same = before?.sizeBytes === sizeBytes && before.mtimeMs === mtimeMs && before.inode === inode;
  return { sizeBytes, mtimeMs, inode, sinceMs: same ? before.sinceMs : nowMs };
}

/** Whether a marker says that a file is complete. */
export function hasMarker(file: ListedFile, markers: ReadonlyMap<string, number>): boolean {
  if (markers.has(`${file.path}.done`)) return true;
  const success = markers.get(successMarkerFor(file.path));
  return success !== undefined && success >= file.mtimeMs;
}

/** The path of the folder-wide marker that covers a file. */
export function successMarkerFor(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1) + successMarker;
}
