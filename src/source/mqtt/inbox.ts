/**
 * The inbox: one queue of items for each subscription, in order of arrival, from which the scheduler takes. How much may wait in it is
 * bounded where messages are taken in: by what is pending, of which the inbox holds a part.
 *
 * @module
 */
import type { Flow } from "../../core/flow.ts";
import { type ItemQueue, itemQueue } from "../../core/item_queue.ts";
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
        ready: () => queue.length,
        take: queue.take,
      };
    }),
    put(subscription, item) {
      queueAt(queues, subscription).push(item);
      if (wakeIsDue) return;
      wakeIsDue = true;
      queueMicrotask(wakeOnce);
    },
    waiting: () => queues.reduce((sum, queue) => sum + queue.length, 0),
  };
}

function queueAt(queues: readonly ItemQueue[], index: number): ItemQueue {
  const queue = queues[index];
  if (queue === undefined) throw new Error(`There is no subscription ${index}`);
  return queue;
}
