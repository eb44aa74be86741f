/**
 * Rows of files on their way to a sink that keeps their places: items gather in memory at the rate at which the scheduler lets them go,
 * and leave as one chunk, in one burst:
 *
 *     items --> gather --> dead letters stored --> sink commits readings, letters and places --> settled
 *                               ^                        |
 *                               +------- refused --------+
 *
 * One chunk is committed at a time, in order, so the place behind its last item covers exactly the items that are settled by then. What
 * waits here is bounded by the scheduler's credits.
 *
 * @module
 */
import type { ChunkSink, Place } from "../core/chunk.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { Delivery, Ending } from "../core/delivery.ts";
import { WeirError } from "../core/error.ts";
import type { Item, Misfit, Reading, Reason } from "../core/reading.ts";
import type { LetterQueue } from "./letter_queue.ts";

/** When a chunk is full. */
export interface ChunkLimits {
  /** Asked for each chunk: it follows the scheduler's limits. */
  readonly rowsMax: () => number;
  readonly bytesMax: number;
  /** A chunk leaves at the latest so long after its first item came. */
  readonly gatherMs: number;
  /** Files that may end or begin in a chunk: many small ones leave without waiting for company. */
  readonly filesMax: number;
}

/** What chunks work with. */
export interface ChunksParts {
  readonly sink: ChunkSink;
  readonly limits: ChunkLimits;
  readonly clock: Clock;
  /** Makes the way to the dead letters; `stored` is told how many were. */
  readonly letterQueue: (stored: (misfits: readonly Misfit[]) => void) => LetterQueue;
  /** What the sink refused, as a dead letter. */
  readonly misfitOf: (reading: Reading, reason: Reason, detail: string) => Misfit;
  /** These have their verdict. */
  readonly settle: (items: readonly Item[], verdict: Ending) => void;
}

/** Gathers and commits. */
export interface Chunks {
  add(items: readonly Item[]): void;
  /** Resolves when all that was added before is settled; nothing lingers meanwhile. */
  flush(): Promise<void>;
  /** Gives up what has no verdict yet. */
  close(): void;
}

/** A chunk: at most so much time of the paced rate, so many bytes, and so many files. */
export const chunkDefaults = { bytesMax: 4 << 20, gatherMs: 200, filesMax: 8 } as const;

/** Makes {@linkcode Chunks}. */
export function createChunks(parts: ChunksParts): Chunks {
  const { sink, limits, clock, settle } = parts;
  let gathering: Item[] = [];
  let bytes = 0;
  let files = new Set<Delivery>();
  let timer: Timer | null = null;
  /** What gathers is to leave as soon as the chunk before it is committed. */
  let due = false;
  let committing = false;
  let closed = false;
  let flushing: (() => void)[] = [];
  let unstored = 0;
  let stored = Promise.withResolvers<void>();
  const letters = parts.letterQueue((misfits) => {
    unstored -= misfits.length;
    if (unstored === 0) stored.resolve();
  });

  function isFull(): boolean {
    return gathering.length >= limits.rowsMax() || bytes >= limits.bytesMax || files.size >= limits.filesMax;
  }

  function leaveIfDue(): void {
    if (closed || committing) return;
    if (gathering.length === 0) {
      for (const resolve of flushing) resolve();
      flushing = [];
      return;
    }
    if (!due && !isFull() && flushing.length === 0) return;
    const items = gathering;
    gathering = [];
    files = new Set();
    bytes = 0;
    due = false;
    timer?.cancel();
    timer = null;
    committing = true;
    commit(items).then((committed) => {
      // What follows rows that found no home must not be committed either: their file would go on behind them.
      if (!committed) return end();
      committing = false;
      leaveIfDue();
    });
  }

  /** Takes no more; nobody waits for what will not come. */
  function end(): void {
    closed = true;
    timer?.cancel();
    for (const resolve of flushing) resolve();
    flushing = [];
  }

  /** Brings a chunk home; false when there is none any more: closed, or another instance has taken over. */
  async function commit(items: readonly Item[]): Promise<boolean> {
    const misfits = new Map<Item, Misfit>();
    for (const item of items) if (item.kind === "misfit") misfits.set(item, item);
    let fresh: readonly Misfit[] = [...misfits.values()];
    while (true) {
      await store(fresh);
      if (closed) return false;
      const readings = items.filter((item) => item.kind === "reading" && !misfits.has(item)) as Reading[];
      // A letter that is replayed is in the dead letters, and in their topic, already.
      const sent = [...misfits.values()].filter(({ delivery }) => delivery.placeAfter !== undefined);
      const refusals = await committed(readings, sent.map(({ letter }) => letter), placesAfter(items, misfits));
      if (closed || refusals === null) return false;
      if (refusals.length === 0) break;
      fresh = refusals.map(({ reading, reason, detail }) => {
        const misfit = parts.misfitOf(reading, reason, detail);
        misfits.set(reading, misfit);
        return misfit;
      });
    }
    const by = Map.groupBy(items, (item) => verdictOf(item, misfits));
    for (const [verdict, ended] of by) settle(ended, verdict);
    return true;
  }

  async function committed(readings: readonly Reading[], sent: readonly Misfit["letter"][], places: readonly Place[]) {
    try {
      return await sink.commit({ readings, letters: sent, places });
    } catch (thrown) {
      // The program ends then: whoever listens to `fenced` sees to it.
      if (thrown instanceof WeirError && thrown.code === "fenced") return null;
      throw thrown;
    }
  }

  /** Resolves when these letters are in the ledger. */
  async function store(misfits: readonly Misfit[]): Promise<void> {
    if (misfits.length === 0) return;
    unstored = misfits.length;
    stored = Promise.withResolvers();
    letters.add(misfits);
    await stored.promise;
  }

  return {
    add(items) {
      if (closed || items.length === 0) return;
      for (const item of items) {
        gathering.push(item);
        bytes += item.bytes;
        files.add(item.delivery);
      }
      timer ??= clock.after(limits.gatherMs, () => {
        timer = null;
        due = true;
        leaveIfDue();
      });
      leaveIfDue();
    },
    flush() {
      if (closed) return Promise.resolve();
      const flushed = new Promise<void>((resolve) => flushing.push(resolve));
      leaveIfDue();
      return flushed;
    },
    close() {
      end();
      letters.close();
      stored.resolve();
    },
  };
}

function verdictOf(item: Item, misfits: ReadonlyMap<Item, Misfit>): Ending {
  if (misfits.has(item)) return "dead_lettered";
  return item.kind === "filtered" ? "filtered" : "delivered";
}

/** Where each file goes on after these items. */
function placesAfter(items: readonly Item[], misfits: ReadonlyMap<Item, Misfit>): readonly Place[] {
  const ofDelivery = new Map<Delivery, { last: number; readonly ended: Record<Ending, number> }>();
  for (const item of items) {
    const sums = ofDelivery.get(item.delivery) ??
      { last: 0, ended: { delivered: 0, filtered: 0, dead_lettered: 0, dropped: 0 } };
    ofDelivery.set(item.delivery, sums);
    sums.last = item.index;
    sums.ended[verdictOf(item, misfits)] += 1;
  }
  return [...ofDelivery].flatMap(([delivery, { last, ended }]) => delivery.placeAfter?.(last, ended) ?? []);
}
