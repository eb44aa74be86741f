/**
 * An item that differs in something. Not a copy: what a packed reading says it makes of its bytes, and a copy of it says nothing.
 *
 * @module
 */
import type { Item } from "../../src/core/reading.ts";

/** As `item`, but for the changes. */
export function changed(
  item: Item,
  changes: { readonly id?: string; readonly redelivered?: boolean; readonly delivery?: Item["delivery"] },
): Item {
  return Object.create(item, Object.getOwnPropertyDescriptors(changes));
}
