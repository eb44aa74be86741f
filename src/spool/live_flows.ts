/**
 * The flows of streams as the scheduler sees them: as long as nothing is put aside they are the sources' own; else what a source has
 * passes through here first, and what need not go to the disk waits in a queue.
 *
 * @module
 */
import type { Flow } from "../core/flow.ts";
import { itemQueue } from "../core/item_queue.ts";
import type { Item } from "../core/reading.ts";

/** The live side of the spool. */
export interface LiveFlows {
  readonly flows: readonly Flow<Item>[];
  /** Takes all that the sources have. */
  pull(take: (item: Item, flow: number) => void): void;
  /** Puts an item at the end of the queue of a flow. */
  push(flow: number, item: Item): void;
  /** Keeps only these in the queues. */
  keep(isKept: (item: Item) => boolean): void;
}

/** Makes them. While `isBusy`, nothing is taken straight from its source. */
export function liveFlows(sources: readonly Flow<Item>[], isBusy: () => boolean): LiveFlows {
  const lives = sources.map((source) => ({ source, queue: itemQueue() }));
  return {
    flows: lives.map(({ source, queue }) => ({
      name: source.name,
      lane: source.lane,
      weight: source.weight,
      capRows: source.capRows,
      ready: () => queue.length > 0 || isBusy() ? queue.length : source.ready(),
      take: (maxRows, maxBytes) => (queue.length > 0 ? queue : source).take(maxRows, maxBytes),
    })),
    pull(take) {
      for (const [flow, { source }] of lives.entries()) {
        const ready = source.ready();
        if (ready > 0) { for (const item of source.take(ready, Infinity)) take(item, flow); }
      }
    },
    push: (flow, item) => lives[flow]?.queue.push(item),
    keep(isKept) {
      for (const { queue } of lives) queue.keep(isKept);
    },
  };
}
