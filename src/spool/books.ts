/**
 * The books: where each reading is that is on its way. While all is well nothing is written into them: a reading that goes from its source
 * to the sink passes them by. Once something is unusual, what passed by and has no verdict yet gets its entry, in its order, before anything
 * newer gets a number: numbers are by arrival, and the disk is read in their order.
 *
 * @module
 */
import type { Item, Reading } from "../core/reading.ts";
import { type Entry, newEntry } from "./entry.ts";
import { createPassing, type Passing } from "./passing.ts";

/** Entries, numbers, and what passes by. */
export interface Books {
  /** Readings from the disk, those of a flow that were looked at before the scheduler got them, and those that were entered. */
  readonly known: Map<Item, Entry>;
  readonly passing: Passing;
  /** The next reading has this number. */
  beginAt(number: number): void;
  /** Gives a reading its number, after all that passed by. It is not `known` by that. */
  arrival(item: Reading, flow: number): Entry;
  /** A run went to the sink: it passes by if all of it can. False: its readings need their entries. */
  passesBy(items: readonly Item[], sentMs: number): boolean;
  /** What passed by has entries from now on. */
  enterPassing(): void;
  /** A reading goes on as another item: the sink refused it. */
  replaced(reading: Reading, item: Item): void;
  /** Whether an entry is so. */
  some(isSo: (entry: Entry) => boolean): boolean;
  /** Those of the readings that have not been on the disk. */
  live(readings: readonly Reading[]): readonly Reading[];
}

/** Makes empty {@linkcode Books}. */
export function createBooks(): Books {
  const known = new Map<Item, Entry>();
  const passing = createPassing();
  let nextNumber = 1;

  function enterPassing(): void {
    if (passing.isEmpty) return;
    for (const { item, sentMs } of passing.takeOut()) {
      const entry = numbered(item, -1);
      entry.place = "sink";
      entry.sentMs = sentMs;
      known.set(item, entry);
    }
  }

  function numbered(item: Reading, flow: number): Entry {
    return newEntry({ item, source: item.delivery.source, number: nextNumber++, flow, place: "live" });
  }

  function needsEntry(item: Item): boolean {
    return item.delivery.isSettled === undefined || (known.size > 0 && known.has(item));
  }

  return {
    known,
    passing,
    beginAt: (number) => void (nextNumber = number),
    arrival(item, flow) {
      enterPassing();
      return numbered(item, flow);
    },
    passesBy(items, sentMs) {
      for (const item of items) if (needsEntry(item)) return false;
      passing.add(items, sentMs);
      return true;
    },
    enterPassing,
    replaced(reading, item) {
      enterPassing();
      const entry = known.get(reading);
      if (entry === undefined) return;
      known.delete(reading);
      entry.refused = true;
      known.set(item, entry);
    },
    some: (isSo) => [...known.values()].some(isSo),
    live: (readings) => known.size === 0 ? readings : readings.filter((one) => known.get(one)?.durable !== true),
  };
}
