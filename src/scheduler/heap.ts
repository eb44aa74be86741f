/**
 * A binary heap: which of many comes first, at the cost of the logarithm of their number a change.
 *
 * @module
 */

/** Items of which the first by their order is at hand. */
export interface Heap<T> {
  /** The first of all, or null when there is none. */
  first(): T | null;
  add(item: T): void;
  /** Takes the first away. */
  removeFirst(): void;
  /** The first is not what it was: it goes back to where it belongs now. No other item may change its place in the order. */
  firstChanged(): void;
}

/** Makes an empty {@linkcode Heap}. `isBefore` is a strict order: of two different items one is before the other. */
export function createHeap<T>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];

  /** Puts an item where it belongs on the way from `place` to the top. */
  function rise(item: T, place: number): void {
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || !isBefore(item, parent)) break;
      items[place] = parent;
      place = above;
    }
    items[place] = item;
  }

  /** The same on the way from the top down. */
  function sink(item: T): void {
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let child = items[below];
      if (child === undefined) break;
      const other = items[below + 1];
      if (other !== undefined && isBefore(other, child)) {
        child = other;
        below += 1;
      }
      if (!isBefore(child, item)) break;
      items[place] = child;
      place = below;
    }
    items[place] = item;
  }

  return {
    first: () => items[0] ?? null,
    add: (item) => rise(item, items.length),
    removeFirst() {
      const last = items.pop();
      if (last !== undefined && items.length > 0) sink(last);
    },
    firstChanged() {
      const [first] = items;
      if (first !== undefined) sink(first);
    },
  };
}
