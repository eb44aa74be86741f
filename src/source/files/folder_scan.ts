/**
 * Watches one drop folder: lists it again and again, knows which files are complete and gives them out in order. Directory events are
 * only a hint to look sooner (they are lost on network file systems and overflow); the listing is the truth. A folder that is missing is
 * normal: it is waited for, and said once.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import { sleep } from "../../core/clock.ts";
import { messageOf } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { FileIdentity } from "../../core/store.ts";
import { printable, quoted } from "../../core/text.ts";
import { createBell } from "./bell.ts";
import { createCompleteness } from "./completeness.ts";
import { type Disk, type FolderWatch, isMissing, isSystemError } from "./disk.ts";
import { entriesMax, type ListedFile, listFolder, type Listing } from "./folder.ts";
import { globTest } from "./glob.ts";
import { identityOf, sameIdentity } from "./identity.ts";
import type { FilesSourceOptions } from "./options.ts";
import { compareFiles } from "./order.ts";

/** The complete files of a folder. */
export interface FolderScan {
  /** Looks until it is stopped. */
  run(): Promise<void>;
  /** The complete file whose turn it is, or null. It is not given out again until it is left. */
  next(): ListedFile | null;
  /**
   * Somebody is done with a file that `next` gave.
   *
   * @param finished what it was when nothing more is to be done with it: it is given out again only when it changes. Null: look again.
   */
  leave(path: string, finished: FileIdentity | null): void;
  /** Complete files that wait for their turn. */
  readonly waiting: readonly ListedFile[];
  /** The folder was looked at, and nothing in it waits or becomes complete by waiting. */
  readonly idle: boolean;
  /** The last listing. */
  readonly listing: Listing | null;
}

/** What it needs. */
export interface FolderScanDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Called after each look. */
  readonly scanned: () => void;
  /** Whether some of a file was read before: it goes on before another is begun. */
  readonly begun: (file: ListedFile) => boolean;
}

/** Events are gathered for this long before the folder is looked at. */
export const hintMs = 250;
/** Looking may take this part of the time at most, however many events come. */
const lookingShare = 1 / 20;

/** Makes a {@linkcode FolderScan}. */
export function createFolderScan(folder: string, options: FilesSourceOptions, deps: FolderScanDeps): FolderScan {
  const { disk, clock, emit, signal } = deps;
  const listOptions = { matches: globTest(options.pattern), recursive: options.recursive };
  const completeness = createCompleteness(options);
  const hint = createBell(clock);
  const busy = new Set<string>();
  let finished = new Map<string, FileIdentity>();
  let lastBytes = new Map<string, { readonly identity: FileIdentity; readonly endsOpen: boolean }>();
  let waiting: ListedFile[] = [];
  let listing: Listing | null = null;
  let atStart: ReadonlySet<string> | null = null;
  let looked = false;
  let trouble: string | null = null;
  let watch: FolderWatch | null = null;
  let lookMs = 0;
  const linksSaid = new Set<string>();
  signal.addEventListener("abort", hint.ring, { once: true });

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const startMs = clock.nowMs();
      await look();
      lookMs = clock.nowMs() - startMs;
      deps.scanned();
      const lookedMs = clock.nowMs();
      const nextMs = Math.min(lookedMs + options.pollMs, completeness.nextDueMs() ?? Infinity);
      await hint.heard(Math.max(1, nextMs - lookedMs));
      await sleep(clock, Math.min(lookedMs + pauseMs(), nextMs) - clock.nowMs(), signal);
    }
    watch?.close();
  }

  function pauseMs(): number {
    return Math.max(Math.min(hintMs, options.pollMs), lookMs / lookingShare);
  }

  async function look(): Promise<void> {
    try {
      const now = await listFolder(disk, folder, listOptions);
      recovered();
      follow(now);
      await update(now);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      failed(error);
    }
    looked = true;
  }

  async function update(now: Listing): Promise<void> {
    atStart ??= new Set(now.files.map((file) => file.path));
    const mine = options.once ? now.files.filter((file) => atStart?.has(file.path)) : now.files;
    const here = new Set(mine.map((file) => file.path));
    finished = new Map([...finished].filter(([path]) => here.has(path)));
    const open = mine.filter((file) => !busy.has(file.path) && !isFinished(file));
    if (options.ready === "quiet") await lookAtEnds(open);
    const complete = completeness.observe({ ...now, files: open }, clock.nowMs(), endsOpen);
    // A file that was given out while the ends were looked at must not come back.
    waiting = inTurn(complete.filter((file) => !busy.has(file.path) && !isFinished(file)));
    listing = now;
    tellOdd(now);
  }

  /** Those begun go first: were a twin of one read before it, rows sent already would be sent again as another file's. */
  function inTurn(files: readonly ListedFile[]): ListedFile[] {
    const begun = files.filter(deps.begun);
    const others = begun.length === 0 ? files : files.filter((file) => !begun.includes(file));
    return [...begun.sort(compareFiles), ...others.toSorted(compareFiles)];
  }

  function isFinished(file: ListedFile): boolean {
    const before = finished.get(file.path);
    return before !== undefined && sameIdentity(before, identityOf(file.facts));
  }

  /** Looks at the last byte of each plain file that changed since the last look. */
  async function lookAtEnds(files: readonly ListedFile[]): Promise<void> {
    const known = new Map<string, { readonly identity: FileIdentity; readonly endsOpen: boolean }>();
    for (const file of files) {
      const identity = identityOf(file.facts);
      const before = lastBytes.get(file.path);
      const same = before !== undefined && sameIdentity(before.identity, identity);
      known.set(file.path, same ? before : { identity, endsOpen: await endsInside(file) });
    }
    lastBytes = known;
  }

  async function endsInside(file: ListedFile): Promise<boolean> {
    if (/\.(gz|zst)$/i.test(file.path)) return false;
    try {
      const last = await disk.lastByte(file.fullPath);
      return last !== null && !"\n\r]}".includes(String.fromCharCode(last));
    } catch (error) {
      // Whoever reads the file finds out what is wrong with it.
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  function endsOpen(file: ListedFile): boolean {
    return lastBytes.get(file.path)?.endsOpen ?? false;
  }

  function follow(now: Listing): void {
    if (watch !== null || now.truncated) return;
    try {
      watch = disk.watch(folder, hint.ring);
    } catch (error) {
      // No inotify watches left, or none on this file system: the listing does without.
      if (!isSystemError(error)) throw error;
    }
  }

  function failed(error: Error): void {
    watch?.close();
    watch = null;
    waiting = [];
    atStart ??= new Set();
    const why = isMissing(error) ? "it does not exist" : printable(messageOf(error));
    if (why === trouble) return;
    trouble = why;
    emit("warn", "files.folder_unavailable", `Folder ${quoted(folder)} cannot be read: ${why}; waiting for it`, {
      folder,
    });
  }

  function recovered(): void {
    if (trouble === null) return;
    trouble = null;
    emit("info", "files.folder_available", `Folder ${quoted(folder)} can be read now`, { folder });
  }

  function tellOdd(now: Listing): void {
    for (const link of now.links) {
      if (linksSaid.has(link) || linksSaid.size >= 1000) continue;
      linksSaid.add(link);
      emit("warn", "files.link_ignored", `Link ${quoted(link)} in ${quoted(folder)} is not followed`, { folder });
    }
    if (now.truncated && !listing?.truncated) {
      const message = `Folder ${quoted(folder)} has more than ${entriesMax} entries; the rest waits`;
      emit("warn", "files.folder_too_full", message, { folder });
    }
  }

  return {
    run,
    next() {
      const file = waiting.shift();
      if (file === undefined) return null;
      busy.add(file.path);
      return file;
    },
    leave(path, identity) {
      busy.delete(path);
      if (identity === null) looked = false;
      else finished.set(path, identity);
      hint.ring();
    },
    get waiting() {
      return waiting;
    },
    get idle() {
      return looked && waiting.length === 0 && completeness.unripe.length === 0;
    },
    get listing() {
      return listing;
    },
  };
}
