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
  /** When the last request left. */
  requestedMs: number;
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
    requestedMs: -Infinity,
    urgent: false,
    throttledUntilMs: -Infinity,
    pumpPlanned: false,
    timer: null,
  };
}

/** How long records gather, in ms: while a request is under way, and at least between the beginnings of two requests. */
export interface Gathering {
  readonly lingerMs: number;
  readonly spacingMs: number;
}

/** How long the next request is to wait, in ms. */
export function waitOf(leader: Leader, nowMs: number, { lingerMs, spacingMs }: Gathering): number {
  const throttleMs = leader.throttledUntilMs - nowMs;
  if (throttleMs > 0) return throttleMs;
  if (leader.urgent) return 0;
  if (leader.requestsInFlight === 0) return leader.requestedMs + spacingMs - nowMs;
  return leader.gatheringSinceMs + lingerMs - nowMs;
}
