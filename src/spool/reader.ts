/**
 * Readings on their way back from the disk: a window of them is read ahead, in order, and those that have their verdict are removed, in
 * batches. A topic that stands still is passed over; when it goes on, reading begins anew at the front and passes over what is out.
 *
 * @module
 */
import { createBackoff } from "../core/backoff.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { Dice } from "../core/dice.ts";
import { WeirError } from "../core/error.ts";
import type { SpooledReading, SpoolStore } from "../core/spool.ts";

/** What a reader works with. */
export interface ReaderParts {
  readonly store: Pick<SpoolStore, "spoolRead">;
  readonly clock: Clock;
  readonly dice: Dice;
  /** Removes readings from the disk. */
  readonly remove: (numbers: readonly number[]) => Promise<void>;
  /** Sources of which nothing is to be read. */
  readonly still: () => readonly string[];
  /** Whether reading is worth while now. */
  readonly wanted: () => boolean;
  /** These were read ahead, in order. */
  readonly onRead: (readings: readonly SpooledReading[]) => void;
  /** Readings that wait in the window. */
  readonly ahead: () => number;
}

/** Reads ahead and removes. */
export interface Reader {
  /** Reads more when it is wanted and there is room in the window. */
  more(): void;
  /** Readings with numbers from this on are on disk that were not before. */
  added(fromNumber: number): void;
  /** Begins anew at the front. */
  rewind(): void;
  /** These are in the window no more, and not in the sink either: they may be read again. */
  forget(number: number): void;
  /** This one has its verdict. */
  done(number: number): void;
  /** Numbers that are read and not removed. */
  out(): readonly number[];
  /**
   * Writes readings with these numbers, which count as read from now on, and when the write fails as not read: a look at the disk may find
   * them before the write has answered.
   */
  whileWriting<T>(numbers: readonly number[], write: () => Promise<T>): Promise<T>;
  /** Does something while nothing is being read. */
  paused<T>(act: () => Promise<T>): Promise<T>;
  /** Removes what has its verdict; resolves when that is done or cannot be. Never throws. */
  close(): Promise<void>;
}

const windowRows = 512;
const windowBytes = 1024 * 1024;
const removeBatchMax = 2_000;
/** More than this are never sent and not removed: with a disk that takes no removals the spool stands still then. */
const unremovedMax = 50_000;
const backoffLimits = { firstMs: 250, maxMs: 30_000 } as const;

/** Makes a {@linkcode Reader}. */
export function createReader(parts: ReaderParts): Reader {
  const { clock } = parts;
  const backoffs = [createBackoff(backoffLimits, parts.dice), createBackoff(backoffLimits, parts.dice)] as const;
  const [readBackoff, removeBackoff] = backoffs;
  const out = new Set<number>();
  let finished: number[] = [];
  let cursor = 0;
  let atEnd = false;
  /** Rises when reading begins elsewhere, and when there is more to read: what was asked before does not know. */
  let turn = 0;
  let news = 0;
  let pauses = 0;
  let reading: Promise<void> | null = null;
  let removing: Promise<void> | null = null;
  let closed = false;
  const timers: { read: Timer | null; remove: Timer | null } = { read: null, remove: null };

  function more(): void {
    if (closed || reading !== null || pauses > 0 || timers.read !== null || atEnd) return;
    if (parts.ahead() >= windowRows / 2 || finished.length >= unremovedMax || !parts.wanted()) return;
    reading = readOn().finally(() => {
      reading = null;
      more();
    });
  }

  async function readOn(): Promise<void> {
    const before = { turn, news };
    try {
      const range = { after: cursor, limit: windowRows, bytesMax: windowBytes, except: parts.still() };
      const found = await parts.store.spoolRead(range);
      readBackoff.reset();
      if (closed || turn !== before.turn) return;
      const last = found.at(-1);
      if (last === undefined) atEnd = news === before.news;
      else cursor = last.number;
      const still = new Set(parts.still());
      const fresh = found.filter(({ number, source }) => !out.has(number) && !still.has(source));
      for (const { number } of fresh) out.add(number);
      if (fresh.length > 0) parts.onRead(fresh);
    } catch (thrown) {
      if (!(thrown instanceof WeirError)) throw thrown;
      if (closed) return;
      timers.read = clock.after(readBackoff.nextMs(), () => {
        timers.read = null;
        more();
      });
    }
  }

  function removeSome(): void {
    if (closed || removing !== null || timers.remove !== null || finished.length === 0) return;
    removing = removeNext().finally(() => {
      removing = null;
      removeSome();
    });
  }

  async function removeNext(): Promise<void> {
    const batch = finished.slice(0, removeBatchMax);
    try {
      await parts.remove(batch);
      removeBackoff.reset();
      finished = finished.slice(batch.length);
      for (const number of batch) out.delete(number);
      more();
    } catch (thrown) {
      if (!(thrown instanceof WeirError)) throw thrown;
      if (closed) return;
      timers.remove = clock.after(removeBackoff.nextMs(), () => {
        timers.remove = null;
        removeSome();
      });
    }
  }

  return {
    more,
    added(fromNumber) {
      news += 1;
      atEnd = false;
      if (fromNumber <= cursor) {
        turn += 1;
        cursor = fromNumber - 1;
      }
      more();
    },
    rewind() {
      turn += 1;
      atEnd = false;
      cursor = 0;
      more();
    },
    forget: (number) => void out.delete(number),
    async whileWriting(numbers, write) {
      for (const number of numbers) out.add(number);
      try {
        return await write();
      } catch (thrown) {
        for (const number of numbers) out.delete(number);
        throw thrown;
      }
    },
    done(number) {
      out.add(number);
      finished.push(number);
      // After the present burst of verdicts, so that they go in one transaction.
      queueMicrotask(removeSome);
    },
    out: () => [...out],
    async paused(act) {
      pauses += 1;
      try {
        await reading;
        return await act();
      } finally {
        pauses -= 1;
        more();
      }
    },
    async close() {
      timers.read?.cancel();
      timers.remove?.cancel();
      await removing;
      closed = true;
      await reading;
      const rest = finished;
      finished = [];
      if (rest.length === 0) return;
      // What cannot be removed is sent again after the next start, under the same id.
      await parts.remove(rest).catch(() => {});
    },
  };
}
