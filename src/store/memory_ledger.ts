/**
 * The ledger in memory, for `--dry-run` and for tests: the same answers as the one on disk, and nothing of it survives.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import type { Origin } from "../core/delivery.ts";
import type { DeadLetter } from "../core/reading.ts";
import type { AppendResult, FileRecord, Ledger, LetterFilter, StoredLetter } from "../core/store.ts";
import type { LetterRange } from "../core/replay.ts";
import { letterBytes } from "./letter_size.ts";
import { replayShelf } from "./memory_replays.ts";
import { spoolShelf } from "./memory_spool.ts";

/** How large it may become, and its clock. */
export interface MemoryLedgerOptions {
  /** Room for dead letters, in bytes. */
  readonly deadLetterBytesMax: number;
  readonly clock: Clock;
}

/** Makes an empty ledger. */
export function memoryLedger(options: MemoryLedgerOptions): Ledger {
  const files = fileShelf();
  const letters = letterShelf(options.deadLetterBytesMax);
  const replays = replayShelf(letters);
  const spool = spoolShelf();
  const marks = new Map<string, number>();
  let closed = false;

  /** Does the work at once, so that the caller may reuse its bytes, and gives a promise, as the ledger on disk does. */
  function answer<T>(work: () => T): Promise<T> {
    if (closed) return Promise.reject(new Error("The ledger is closed"));
    return Promise.try(work);
  }

  return {
    files: (folder, limit) => answer(() => files.inFolder(folder).slice(0, limit)),
    fileById: (fileId) => answer(() => files.byId(fileId)),
    fileByHash: (folder, sha256) =>
      answer(() => files.inFolder(folder).find((file) => file.sha256 === sha256 && isRead(file)) ?? null),
    saveFiles: (records) => answer(() => files.save(records)),
    forgetFiles: (updatedBeforeMs) => answer(() => files.forget(updatedBeforeMs)),
    append: (added) => answer(() => letters.append(added, options.clock.wallMs())),
    list: (filter, limit) => answer(() => letters.matching(filter).slice(0, limit)),
    letter: (number) => answer(() => letters.byNumber(number)),
    letterCount: (filter) =>
      answer(() => {
        const found = letters.matching(filter);
        return { letters: found.length, bytes: found.reduce((sum, letter) => sum + letterBytes(letter), 0) };
      }),
    lettersInRange: (filter, range) => answer(() => letters.inRange(filter, range)),
    removeLetters: (filter, limit) =>
      answer(() => {
        const oldest = letters.matching(filter).reverse().slice(0, limit);
        letters.remove(oldest.map(({ number }) => number));
        return oldest.length;
      }),
    askReplay: (wish) =>
      answer(() => {
        const last = letters.matching({})[0]?.number ?? 0;
        return replays.ask(wish, last, letters.matching(wish.filter).length, options.clock.wallMs());
      }),
    nextReplay: () => answer(() => replays.next()),
    replay: (number) => answer(() => replays.byNumber(number)),
    stepReplay: (step) => answer(() => replays.step(step)),
    mark: (name) => answer(() => marks.get(name) ?? 0),
    saveMark: (name, number) => answer(() => void marks.set(name, number)),
    spoolAppend: (readings) => answer(() => spool.spoolAppend(readings)),
    spoolRead: (range) => answer(() => spool.spoolRead(range)),
    spoolRemove: (numbers) => answer(() => spool.spoolRemove(numbers)),
    spoolDropOldest: (bytes, spared) => answer(() => spool.spoolDropOldest(bytes, spared)),
    spoolInventory: () => answer(() => spool.spoolInventory()),
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}

function isRead(file: FileRecord): boolean {
  return file.state === "done" || file.state === "archived";
}

function fileShelf() {
  const byId = new Map<string, FileRecord>();
  return {
    byId: (fileId: string): FileRecord | null => byId.get(fileId) ?? null,
    /** Newest first. */
    inFolder(folder: string): FileRecord[] {
      return [...byId.values()]
        .filter((file) => file.folder === folder)
        .sort((a, b) => b.updatedAtMs - a.updatedAtMs || (a.fileId < b.fileId ? -1 : 1));
    },
    save(records: readonly FileRecord[]): void {
      for (const record of records) byId.set(record.fileId, structuredClone(record));
    },
    forget(updatedBeforeMs: number): number {
      const old = [...byId.values()].filter((file) =>
        (file.state === "archived" || file.state === "quarantined") && file.updatedAtMs < updatedBeforeMs
      );
      for (const file of old) byId.delete(file.fileId);
      return old.length;
    },
  };
}

function letterShelf(bytesMax: number) {
  /** By number, rising: a map keeps the order in which its keys came. */
  const kept = new Map<number, StoredLetter>();
  const numberOf = new Map<string, number>();
  const bytesOf: Record<Origin, number> = { real_time: 0, batch: 0 };
  let lastNumber = 0;

  function keep(letter: StoredLetter): void {
    kept.set(letter.number, letter);
    numberOf.set(letter.id, letter.number);
    bytesOf[letter.origin] += letterBytes(letter);
  }

  function remove(letter: StoredLetter): void {
    kept.delete(letter.number);
    numberOf.delete(letter.id);
    bytesOf[letter.origin] -= letterBytes(letter);
  }

  /** Stores one letter; -1 when it is refused, else how many letters of streams were dropped. */
  function add(letter: DeadLetter, storedAtMs: number): number {
    const former = kept.get(numberOf.get(letter.id) ?? 0);
    const formerBytes = { real_time: 0, batch: 0 };
    if (former !== undefined) formerBytes[former.origin] = letterBytes(former);
    const streamBytes = bytesOf.real_time - formerBytes.real_time;
    let missing = streamBytes + bytesOf.batch - formerBytes.batch + letterBytes(letter) - bytesMax;
    // One that is stored already holds the same bytes: it stays as it is.
    if (missing > 0 && letter.origin === "batch") return former === undefined ? -1 : 0;
    if (missing > streamBytes) return 1;
    let dropped = 0;
    for (const oldest of kept.values()) {
      if (missing <= 0) break;
      if (oldest.origin !== "real_time" || oldest === former) continue;
      remove(oldest);
      missing -= letterBytes(oldest);
      dropped += 1;
    }
    const number = former?.number ?? (lastNumber += 1);
    // Put back under its number, a letter keeps its place in the map.
    if (former !== undefined) bytesOf[former.origin] -= letterBytes(former);
    keep({ ...letter, raw: letter.raw.slice(), number, storedAtMs, tries: former?.tries ?? 0 });
    return dropped;
  }

  return {
    append(letters: readonly DeadLetter[], storedAtMs: number): AppendResult {
      let droppedStreamLetters = 0;
      for (const [accepted, letter] of letters.entries()) {
        const dropped = add(letter, storedAtMs);
        if (dropped < 0) return { accepted, droppedStreamLetters };
        droppedStreamLetters += dropped;
      }
      return { accepted: letters.length, droppedStreamLetters };
    },
    remove(numbers: readonly number[]): void {
      for (const number of numbers) {
        const letter = kept.get(number);
        if (letter !== undefined) remove(letter);
      }
    },
    failedAgain(numbers: readonly number[]): void {
      for (const number of numbers) {
        const letter = kept.get(number);
        if (letter !== undefined) kept.set(number, { ...letter, tries: letter.tries + 1 });
      }
    },
    /** Oldest first. */
    inRange(filter: LetterFilter, { after, upTo, limit, bytesMax }: LetterRange): readonly StoredLetter[] {
      let bytes = 0;
      return [...kept.values()]
        .filter((letter) => letter.number > after && letter.number <= upTo && fits(letter, filter))
        .slice(0, limit)
        .filter((letter, index) => (bytes += letterBytes(letter)) <= bytesMax || index === 0);
    },
    byNumber: (number: number): StoredLetter | null => kept.get(number) ?? null,
    /** Newest first. */
    matching(filter: LetterFilter): StoredLetter[] {
      return [...kept.values()].filter((letter) => fits(letter, filter)).reverse();
    },
  };
}

function fits(letter: StoredLetter, filter: LetterFilter): boolean {
  const { reason, origin, source, sinceMs, untilMs, idPrefix = "", fromByte } = filter;
  return isOr(reason, letter.reason) && isOr(origin, letter.origin) && isOr(source, letter.source) &&
    (sinceMs === undefined || letter.arrivedAtMs >= sinceMs) &&
    (untilMs === undefined || letter.arrivedAtMs <= untilMs) &&
    letter.id.startsWith(idPrefix) && (fromByte === undefined || (letter.byte ?? -1) >= fromByte);
}

function isOr<T extends string>(wanted: T | undefined, value: T): boolean {
  return wanted === undefined || wanted === value;
}
