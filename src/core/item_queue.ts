/**
 * A queue of items that wait for the scheduler: what a flow is made of.
 *
 * @module
 */
import type { Item } from "./reading.ts";
import type { Changing } from "./changing.ts";

/** A queue of items for the scheduler, in order. */
export interface ItemQueue {
  readonly length: number;
  push(item: Item): void;
  /** As `Flow.take`. */
  take(maxRows: number, maxBytes: number): readonly Item[];
  /** Keeps only these. */
  keep(isKept: (item: Item) => boolean): void;
}

/** Makes an empty queue on an array with a moving head. What is taken is cut off once it is more than half, so taking costs O(1) an item. */
export function itemQueue(): ItemQueue {
  let items: Item[] = [];
  let head = 0;
  const queue: Changing<ItemQueue> = {
    length: 0,
    push(item) {
      items.push(item);
      queue.length += 1;
    },
    keep(isKept) {
      items = items.slice(head).filter(isKept);
      head = 0;
      queue.length = items.length;
    },
    take(maxRows, maxBytes) {
      const end = Math.min(items.length, head + maxRows);
      let next = head;
      let bytes = 0;
      for (; next < end; next++) {
        bytes += items[next]?.bytes ?? 0;
        if (bytes > maxBytes && next > head) break;
      }
      const taken = items.slice(head, next);
      head = next;
      queue.length -= taken.length;
      if (head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return taken;
    },
  };
  return queue;
}
