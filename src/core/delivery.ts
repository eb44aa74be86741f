/**
 * A delivery carries the way back. Every item that a source hands over belongs to one delivery, and every index of it is settled
 * exactly once; only then may the source acknowledge (send the PUBACK, move the checkpoint).
 *
 * A delivery is one MQTT message (1 to n items), one file from open to close (an item a row), or one dead letter that is replayed.
 *
 * @module
 */
import type { Place } from "./chunk.ts";

/** Where a reading came from: a live stream or a file. These are the values of the `origin` field that leaves the gateway. */
export type Origin = "real_time" | "batch";

/**
 * How an item ended. `delivered` and `dead_lettered` have a durable home, and `filtered` needs none. `dropped` is lost, counted and said: the
 * operator's settings allow it (QoS 0, `--spool-when-full`), or the spool on disk was damaged.
 * `read = delivered + filtered + dead_lettered + dropped` holds at rest.
 */
export type Ending = "delivered" | "filtered" | "dead_lettered" | "dropped";

/** What a source is told of an item: how it ended, or that it is safe on the gateway's disk and goes on from there (`spooled`; streams only). */
export type Verdict = Ending | "spooled";

/** How many items ended how. */
export type VerdictCounts = Readonly<Record<Ending, number>>;

/** The way back to a source. */
export interface Delivery {
  readonly origin: Origin;
  /** The MQTT topic or the file's path: what dead letters and headers name. Hostile text. */
  readonly source: string;
  /**
   * Item `index` of this delivery has its verdict. Synchronous and cheap; called exactly once for each index.
   *
   * @throws {Error} when the index was never handed over or is settled already: a defect in the caller.
   */
  settle(index: number, verdict: Verdict): void;
  /**
   * Whether item `index`, which was handed over, has its verdict; true for good from then on. Cheap: asked of each reading of a stream once
   * or a few times. Absent: who wants to know must remember it himself (files, letters, what comes back from the spool).
   */
  isSettled?(index: number): boolean;
  /**
   * Where its source goes on after item `index`, for a sink that keeps places: `ended` counts the verdicts that are about to be settled,
   * which are those of all items up to `index` that have none yet. Absent: nobody asks to go on here (a message, a replayed letter).
   */
  placeAfter?(index: number, ended: VerdictCounts): Place;
}
