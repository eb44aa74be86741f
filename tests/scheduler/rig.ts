/**
 * A scheduler by itself: flows of plain items, a virtual clock, and a note of what left.
 *
 * @module
 */
import type { Flow, Lane } from "../../src/core/flow.ts";
import { fairShareDefaults, type FairShareInput } from "../../src/scheduler/defaults.ts";
import { createFairShare, type FairShare, type FairShareDeps } from "../../src/scheduler/fair_share.ts";
import { type VirtualClock, virtualClock } from "../support/virtual_clock.ts";

export interface Item {
  readonly flow: string;
  readonly bytes: number;
}

/** A run of a flow. */
export interface Sent {
  readonly atMs: number;
  /** Which dispatch it left with, counted from 1. */
  readonly turn: number;
  readonly lane: Lane;
  readonly flow: string;
  rows: number;
}

/** A flow that may be added to. */
export interface PlainFlow extends Flow<Item> {
  waiting: number;
}

/** What was made, and what left. */
export interface Rig {
  readonly clock: VirtualClock;
  readonly sent: readonly Sent[];
  readonly share: FairShare;
  /** Rows that left of a flow. */
  rows(flow: string): number;
}

/** A flow of `rows` items that may be added to. */
export function flowOf(
  lane: Lane,
  options: { rows?: number; bytes?: number; capRows?: number; name?: string } = {},
): PlainFlow {
  const { rows = 0, bytes = 10, capRows = null, name = lane } = options;
  return {
    name,
    lane,
    weight: 1,
    capRows,
    waiting: rows,
    ready() {
      return this.waiting;
    },
    take(maxRows: number, maxBytes: number): readonly Item[] {
      const count = Math.min(maxRows, this.waiting, Math.max(1, Math.floor(maxBytes / bytes)));
      this.waiting -= count;
      return Array.from({ length: count }, () => ({ flow: name, bytes }));
    },
  };
}

/** A scheduler on a virtual clock that notes what it sends. */
export function scheduler(
  input: FairShareInput,
  flows: readonly Flow<Item>[],
  more: Partial<FairShareDeps<Item>> = {},
): Rig {
  const clock = virtualClock();
  const sent: Sent[] = [];
  let turns = 0;
  const share = createFairShare<Item>(fairShareDefaults(input), flows, {
    clock,
    dispatch(lane, items) {
      turns += 1;
      for (const { flow } of items) {
        const last = sent.at(-1);
        if (last?.flow === flow && last.turn === turns) last.rows += 1;
        else sent.push({ atMs: clock.nowMs(), turn: turns, lane, flow, rows: 1 });
      }
    },
    ...more,
  });
  const rows = (flow: string) => sent.filter((one) => one.flow === flow).reduce((sum, one) => sum + one.rows, 0);
  return { clock, sent, share, rows };
}
