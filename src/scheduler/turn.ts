/**
 * What leaves in one turn: runs of items from the flows that are next. What is paid per dispatch is so paid per turn and not per flow, of
 * which a thousand may have one item each.
 *
 * @module
 */
import type { Flow } from "../core/flow.ts";

/** Items on their way out. */
export interface Turn<T> {
  readonly items: readonly T[];
  /** Their bytes together. */
  readonly bytes: number;
}

/**
 * Takes one run after the other, each of the flow that is next, until none is, or the turn is full: of rows, or of bytes, which the last
 * item may pass. `served` is told of each run before the next flow is asked for.
 *
 * @throws {Error} when a flow that is next gives nothing, or more than asked.
 */
export function takeTurn<T extends { readonly bytes: number }>(
  room: { readonly rows: number; readonly bytes: number },
  next: () => Flow<T> | null,
  served: (flow: Flow<T>, rows: number) => void,
): Turn<T> {
  const turn: T[] = [];
  let turnBytes = 0;
  while (turn.length < room.rows && turnBytes < room.bytes) {
    const flow = next();
    if (flow === null) break;
    const { items, bytes } = takeRun(flow, room.rows - turn.length, room.bytes - turnBytes);
    served(flow, items.length);
    for (const item of items) turn.push(item);
    turnBytes += bytes;
  }
  return { items: turn, bytes: turnBytes };
}

/**
 * Takes items of one flow that has some.
 *
 * @throws {Error} when it gives nothing, or more than asked.
 */
export function takeRun<T extends { readonly bytes: number }>(
  flow: Flow<T>,
  rowsMax: number,
  bytesMax: number,
): Turn<T> {
  const items = flow.take(rowsMax, bytesMax);
  // Nothing taken would be tried again at once, for ever.
  if (items.length < 1 || items.length > rowsMax) {
    throw new Error(`Flow "${flow.name}" was asked for 1 to ${rowsMax} items and gave ${items.length}`);
  }
  let bytes = 0;
  for (const item of items) bytes += item.bytes;
  return { items, bytes };
}
