/**
 * What passes the spool by: readings of streams that are in the sink while nothing is unusual. They are remembered a run at a time, as the
 * scheduler let them go, so that a reading costs nothing but a question to its delivery later on.
 *
 * @module
 */
import type { Item, Reading } from "../core/reading.ts";

/** Readings without a verdict, in the order in which they went to the sink. Each of their deliveries has `isSettled`. */
export interface Passing {
  /** Nothing passes by. */
  readonly isEmpty: boolean;
  /** When the first of them went to the sink, monotonic ms; Infinity when there is none. */
  readonly oldestSentMs: number;
  /** A run went to the sink. What is no reading is nobody's concern here. */
  add(items: readonly Item[], sentMs: number): void;
  /** When an item went to the sink; undefined when it did not pass by here, or has been forgotten. */
  sentMsOf(item: Item): number | undefined;
  /** Forgets what has its verdict, as far as nothing without one stands before it. */
  trim(): void;
  /** Takes all of them out. */
  takeOut(): readonly { readonly item: Reading; readonly sentMs: number }[];
}

/** What the scheduler let go together. */
interface Run {
  items: readonly Item[];
  readonly sentMs: number;
}

/**
 * Behind a reading that waits for its verdict others have theirs. From so many items on, and from twice as many as were left the last time,
 * all are looked through: what has its verdict holds memory, and must not hold much of it.
 */
const lookThroughMin = 1_024;

const nothing: readonly Item[] = [];

/** Makes it. An item costs O(1), whatever the order of verdicts. */
export function createPassing(): Passing {
  let runs: Run[] = [];
  /** The first run that is not done with, and the first of its items. */
  let firstRun = 0;
  let firstItem = 0;
  /** Items from there on. */
  let length = 0;
  let lengthMax = lookThroughMin;

  function lookThrough(): void {
    const left = runs.slice(firstRun).map(({ items, sentMs }) => ({ items: items.filter(isOpen), sentMs }));
    runs = left.filter(({ items }) => items.length > 0);
    firstRun = 0;
    firstItem = 0;
    length = runs.reduce((sum, { items }) => sum + items.length, 0);
    lengthMax = Math.max(lookThroughMin, 2 * length);
  }

  function trim(): void {
    for (let run = runs[firstRun]; run !== undefined; run = runs[firstRun]) {
      const { items } = run;
      const before = firstItem;
      for (let item = items[firstItem]; item !== undefined && !isOpen(item); item = items[firstItem]) firstItem += 1;
      length -= firstItem - before;
      if (firstItem < items.length) break;
      run.items = nothing;
      firstRun += 1;
      firstItem = 0;
    }
    if (firstRun * 2 <= runs.length) return;
    runs = runs.slice(firstRun);
    firstRun = 0;
  }

  return {
    get isEmpty() {
      return length === 0;
    },
    get oldestSentMs() {
      return runs[firstRun]?.sentMs ?? Infinity;
    },
    add(items, sentMs) {
      runs.push({ items, sentMs });
      length += items.length;
      trim();
      if (length > lengthMax) lookThrough();
    },
    sentMsOf(item) {
      for (let i = firstRun; i < runs.length; i++) if (runs[i]?.items.includes(item) === true) return runs[i]?.sentMs;
      return undefined;
    },
    trim,
    takeOut() {
      const taken: { item: Reading; sentMs: number }[] = [];
      for (const { items, sentMs } of runs.slice(firstRun)) {
        for (const item of items) if (item.kind === "reading" && isOpen(item)) taken.push({ item, sentMs });
      }
      runs = [];
      firstRun = 0;
      firstItem = 0;
      length = 0;
      lengthMax = lookThroughMin;
      return taken;
    },
  };
}

/** Nothing else of a settled item is read: its page may be another's by now. */
function isOpen(item: Item): boolean {
  return item.kind === "reading" && item.delivery.isSettled?.(item.index) !== true;
}
