/**
 * The sums that must add up: `read = delivered + filtered + dead_lettered + dropped + open`, for each origin.
 *
 * @module
 */
import type { Ending, Origin } from "./delivery.ts";
import type { Item } from "./reading.ts";

/** Counts of one origin since the start. */
export interface Sums {
  /** Items that left their flow, and readings that an earlier run left in the spool. */
  readonly read: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly dead_lettered: number;
  readonly dropped: number;
  /** Read, and not ended yet: on their way, or in the spool. */
  readonly open: number;
}

/** Counts items and verdicts. */
export interface Tally {
  read(origin: Origin, count: number): void;
  settled(origin: Origin, verdict: Ending, count: number): void;
  sums(origin: Origin): Sums;
}

/** Makes a {@linkcode Tally} at zero. */
export function createTally(): Tally {
  const empty = () => ({ read: 0, delivered: 0, filtered: 0, dead_lettered: 0, dropped: 0 });
  const counts: Readonly<Record<Origin, ReturnType<typeof empty>>> = { real_time: empty(), batch: empty() };
  return {
    read(origin, count) {
      counts[origin].read += count;
    },
    settled(origin, verdict, count) {
      counts[origin][verdict] += count;
    },
    sums(origin) {
      const c = counts[origin];
      return { ...c, open: c.read - c.delivered - c.filtered - c.dead_lettered - c.dropped };
    },
  };
}

/**
 * Counts items by their own origin, which is not that of their lane: a dead letter of a stream that is replayed comes on the lane of files.
 * `count` is called once for each origin that there is.
 */
export function byOrigin(items: readonly Item[], count: (origin: Origin, count: number) => void): void {
  let live = 0;
  for (const item of items) if (item.delivery.origin === "real_time") live += 1;
  if (live > 0) count("real_time", live);
  if (live < items.length) count("batch", items.length - live);
}
