/**
 * The flows of the model: a queue of readings, and a folder whose rows are read ahead and counted, so that a dump may be endless.
 *
 * @module
 */
import type { Flow } from "../../src/core/flow.ts";
import type { FolderPlan, Item } from "./plan.ts";

/** What a flow needs of the world around it. */
export interface World {
  /** How many of the rows that are asked for are given: 1 to all. */
  readonly fewer: (rows: number) => number;
  /** The flow had nothing and has something now. */
  readonly becameBusy: (flow: string) => void;
  /** Acts later, and wakes the scheduler. */
  readonly later: (ms: number, act: () => void) => void;
}

/** A flow that can take back what was lost. */
export interface ModelFlow extends Flow<Item> {
  putBack(items: readonly Item[]): void;
}

/** A queue that readings are put into. */
export function queueFlow(
  name: string,
  weight: number,
  world: World,
): ModelFlow & { readonly queue: readonly Item[]; push(item: Item): void } {
  let queue: Item[] = [];
  return {
    name,
    weight,
    lane: "stream",
    capRows: null,
    get queue() {
      return queue;
    },
    ready: () => queue.length,
    push(item) {
      if (queue.length === 0) world.becameBusy(name);
      queue.push(item);
    },
    putBack: (items) => (queue = [...items, ...queue]),
    take(maxRows, maxBytes) {
      const count = Math.min(world.fewer(maxRows), fitting(queue, maxBytes));
      const taken = queue.slice(0, count);
      queue = queue.slice(count);
      return taken;
    },
  };
}

/** A folder that dumps are dropped into. */
export function folderFlow(
  name: string,
  plan: FolderPlan,
  world: World,
): { readonly plan: FolderPlan; readonly flow: ModelFlow; drop(rows: number): void } {
  let backlog = 0;
  let ahead = 0;
  let next = 0;
  let again: Item[] = [];
  let refilling = false;

  function refill(): void {
    const more = Math.min(backlog, plan.aheadRows - ahead);
    if (more > 0 && ahead + again.length === 0) world.becameBusy(name);
    backlog -= more;
    ahead += more;
  }

  function refillLater(): void {
    if (refilling) return;
    refilling = true;
    world.later(plan.refillMs, () => {
      refilling = false;
      refill();
    });
  }

  const flow: ModelFlow = {
    name,
    lane: "files",
    weight: plan.weight,
    capRows: plan.capRows,
    ready: () => again.length + ahead,
    putBack: (items) => (again = [...items, ...again]),
    take(maxRows, maxBytes) {
      const rows = Math.min(world.fewer(maxRows), this.ready(), Math.max(1, Math.floor(maxBytes / plan.bytes)));
      const items = again.slice(0, rows);
      again = again.slice(rows);
      ahead -= rows - items.length;
      while (items.length < rows) {
        items.push({ flow: name, topic: name, number: next++, bytes: plan.bytes, arrivedMs: 0 });
      }
      if (plan.refillMs === 0) refill();
      else refillLater();
      return items;
    },
  };

  return {
    plan,
    flow,
    drop(rows) {
      backlog += rows;
      refill();
    },
  };
}

/** How many items from the front fit, at least one. */
function fitting(queue: readonly Item[], maxBytes: number): number {
  let bytes = 0;
  let count = 0;
  while (count < queue.length) {
    bytes += queue[count]?.bytes ?? 0;
    if (bytes > maxBytes && count > 0) break;
    count += 1;
  }
  return count;
}
