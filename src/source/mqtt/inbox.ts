/**
 * The inbox: one queue of items for each subscription, in order of arrival, from which the scheduler takes. How much may wait in it is
 * bounded where messages are taken in: by what is pending, of which the inbox holds a part.
 *
 * @module
 */
import type { Flow } from "../../core/flow.ts";
import type { Item } from "../../core/reading.ts";

/** A subscription as the inbox sees it. */
export interface InboxFlowOptions {
  readonly name: string;
  /** Share among the subscriptions, > 0. */
  readonly weight: number;
}

/** The queues of all subscriptions. */
export interface Inbox {
  /** One for each subscription, in their order. */
  readonly flows: readonly Flow<Item>[];
  /** Appends an item to the queue of a subscription. The wake follows once for all that is put in one go. */
  put(subscription: number, item: Item): void;
  /** Items that wait, of all subscriptions. */
  waiting(): number;
}

/**
 * Makes an {@linkcode Inbox}. `wake` is called from a microtask after one or more items were put: once for all that arrived in one chunk
 * of the network, not once for each message.
 */
export function createInbox(subscriptions: readonly InboxFlowOptions[], wake: () => void): Inbox {
  const queues = subscriptions.map(() => itemQueue());
  let wakeIsDue = false;

  function wakeOnce(): void {
    wakeIsDue = false;
    wake();
  }

  return {
    flows: subscriptions.map((subscription, index) => {
      const queue = queueAt(queues, index);
      return {
        name: subscription.name,
        lane: "stream",
        weight: subscription.weight,
        capRows: null,
        ready: queue.length,
        take: queue.take,
      };
    }),
    put(subscription, item) {
      queueAt(queues, subscription).push(item);
      if (wakeIsDue) return;
      wakeIsDue = true;
      queueMicrotask(wakeOnce);
    },
    waiting: () => queues.reduce((sum, queue) => sum + queue.length(), 0),
  };
}

interface ItemQueue {
  push(item: Item): void;
  length(): number;
  take(maxRows: number, maxBytes: number): readonly Item[];
}

function queueAt(queues: readonly ItemQueue[], index: number): ItemQueue {
  const queue = queues[index];
  if (queue === undefined) throw new Error(`There is no subscription ${index}`);
  return queue;
}

/** A queue on an array with a moving head. What is taken is cut off once it is more than half, so taking costs O(1) an item. */
function itemQueue(): ItemQueue {
  let items: Item[] = [];
  let head = 0;
  return {
    push: (item) => void items.push(item),
    length: () => items.length - head,
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
      if (head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return taken;
    },
  };
}
