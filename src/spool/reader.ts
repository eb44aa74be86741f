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
  const out = new Set<number>();
  let finished: number[] = [];
  let cursor = 0;
  let atEnd = false;
  /** Rises when reading begins elsewhere, and when there is more to read: what was asked before does not know. */
  let turn = 0;
  let news = 0;
  let pauses = 0;
  let closed = false;
  const reading = createRounds(parts, wantsMore, readOn);
  const removing = createRounds(parts, () => finished.length > 0, removeNext);

  function wantsMore(): boolean {
    if (pauses > 0 || atEnd || parts.ahead() >= windowRows / 2 || finished.length >= unremovedMax) return false;
    return parts.wanted();
  }

  async function readOn(): Promise<void> {
    const before = { turn, news };
    const range = { after: cursor, limit: windowRows, bytesMax: windowBytes, except: parts.still() };
    const found = await parts.store.spoolRead(range);
    if (closed || turn !== before.turn) return;
    const last = found.at(-1);
    if (last === undefined) atEnd = news === before.news;
    else cursor = last.number;
    const still = new Set(parts.still());
    const fresh = found.filter(({ number, source }) => !out.has(number) && !still.has(source));
    for (const { number } of fresh) out.add(number);
    if (fresh.length > 0) parts.onRead(fresh);
  }

  async function removeNext(): Promise<void> {
    const batch = finished.slice(0, removeBatchMax);
    await parts.remove(batch);
    finished = finished.slice(batch.length);
    for (const number of batch) out.delete(number);
    reading.next();
  }

  return {
    more: reading.next,
    added(fromNumber) {
      news += 1;
      atEnd = false;
      if (fromNumber <= cursor) {
        turn += 1;
        cursor = fromNumber - 1;
      }
      reading.next();
    },
    rewind() {
      turn += 1;
      atEnd = false;
      cursor = 0;
      reading.next();
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
      queueMicrotask(removing.next);
    },
    out: () => [...out],
    async paused(act) {
      pauses += 1;
      try {
        await reading.present();
        return await act();
      } finally {
        pauses -= 1;
        reading.next();
      }
    },
    async close() {
      closed = true;
      await Promise.all([reading.close(), removing.close()]);
      const rest = finished;
      finished = [];
      if (rest.length === 0) return;
      // What cannot be removed is sent again after the next start, under the same id.
      await parts.remove(rest).catch(() => {});
    },
  };
}

/** Something that is done again and again, one round at a time. */
interface Rounds {
  /** The next round begins, unless one is under way or waits to be tried again, or none is wanted. */
  readonly next: () => void;
  /** Resolves when no round is under way. */
  present(): Promise<void>;
  /** No further round begins; resolves when the present one is over. */
  close(): Promise<void>;
}

/** Makes {@linkcode Rounds}. One that the store fails is tried again after a while. */
function createRounds(
  { clock, dice }: Pick<ReaderParts, "clock" | "dice">,
  isWanted: () => boolean,
  act: () => Promise<void>,
): Rounds {
  const backoff = createBackoff(backoffLimits, dice);
  let present: Promise<void> | null = null;
  let retry: Timer | null = null;
  let closed = false;

  function next(): void {
    if (closed || present !== null || retry !== null || !isWanted()) return;
    present = round().finally(() => {
      present = null;
      next();
    });
  }

  async function round(): Promise<void> {
    try {
      await act();
      backoff.reset();
    } catch (thrown) {
      if (!(thrown instanceof WeirError)) throw thrown;
      if (closed) return;
      retry = clock.after(backoff.nextMs(), () => {
        retry = null;
        next();
      });
    }
  }

  return {
    next,
    present: () => present ?? Promise.resolve(),
    async close() {
      closed = true;
      retry?.cancel();
      await present;
    },
  };
}
