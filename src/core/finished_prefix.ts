/**
 * The finished prefix of a numbered sequence whose members finish out of order: a position (a file's checkpoint, the order of
 * PUBACKs) moves only over it.
 *
 * @module
 */

import type { Changing } from "./changing.ts";

/** Tracks which of the indices 0, 1, 2 ... are finished. */
export interface FinishedPrefix {
  /** All indices below this one are finished. */
  readonly length: number;
  /** Indices that were started. */
  readonly started: number;
  /** Starts the next index and returns it. */
  start(): number;
  /**
   * Finishes an index. Returns how far the prefix moved (0 when something before it is still open).
   *
   * @throws {Error} when the index was not started or is finished already.
   */
  finish(index: number): number;
}

/**
 * Makes a {@linkcode FinishedPrefix}. Memory: one byte for each index between the prefix and the last started, in a ring that doubles
 * when needed; who starts indices bounds how many are open.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const prefix = finishedPrefix();
 * prefix.start(), prefix.start();
 * assert.equal(prefix.finish(1), 0);
 * assert.equal(prefix.finish(0), 2);
 * ```
 */
export function finishedPrefix(): FinishedPrefix {
  let ring = new Uint8Array(64);
  const prefix: Changing<FinishedPrefix> = { length: 0, started: 0, start, finish };
  return prefix;

  function start(): number {
    const index = prefix.started;
    if (index - prefix.length === ring.length) ring = doubled(ring, prefix.length);
    ring[index % ring.length] = 0;
    prefix.started = index + 1;
    return index;
  }

  function finish(index: number): number {
    const { length, started } = prefix;
    if (index < length || index >= started) {
      throw new Error(`Cannot finish index ${index}: only ${length} to ${started - 1} are open`);
    }
    const slot = index % ring.length;
    if (ring[slot] === 1) throw new Error(`Cannot finish index ${index}: it is finished already`);
    ring[slot] = 1;
    let end = length;
    while (end < started && ring[end % ring.length] === 1) end += 1;
    prefix.length = end;
    return end - length;
  }
}

function doubled(ring: Uint8Array, first: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(ring.length * 2);
  for (let i = first; i < first + ring.length; i++) larger[i % larger.length] = ring[i % ring.length] ?? 0;
  return larger;
}
