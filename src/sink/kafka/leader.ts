/**
 * A node that leads partitions, as one producer sees it: what is ready to go there, and when the next request may leave.
 *
 * @module
 */
import type { Timer } from "../../core/clock.ts";
import type { Partition } from "./partition.ts";

/** A leader. */
export interface Leader {
  readonly node: number;
  /** Partitions with something to send, the longest-waiting first. */
  readonly ready: Set<Partition>;
  requestsInFlight: number;
  /** Since when records gather. */
  gatheringSinceMs: number;
  /** A batch is full, or one is to be sent again: no more gathering. */
  urgent: boolean;
  /** It asked to be left alone until then. */
  throttledUntilMs: number;
  /** A look at what can be sent is due in this turn. */
  pumpPlanned: boolean;
  timer: Timer | null;
}

/** Makes a leader with nothing to do. */
export function newLeader(node: number): Leader {
  return {
    node,
    ready: new Set(),
    requestsInFlight: 0,
    gatheringSinceMs: 0,
    urgent: false,
    throttledUntilMs: -Infinity,
    pumpPlanned: false,
    timer: null,
  };
}

/** How long the next request is to wait, in ms. `lingerMs`: how long records gather while a request is under way. */
export function waitOf(leader: Leader, nowMs: number, lingerMs: number): number {
  const throttleMs = leader.throttledUntilMs - nowMs;
  if (throttleMs > 0) return throttleMs;
  if (leader.urgent || leader.requestsInFlight === 0) return 0;
  return leader.gatheringSinceMs + lingerMs - nowMs;
}
