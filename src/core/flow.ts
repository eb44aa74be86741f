/**
 * A flow is an ordered queue of items that wait for the scheduler: one for each MQTT subscription, one for each folder of files, one for
 * dead letters that are replayed, and one for what comes back from the spool.
 *
 * @module
 */

/** Which side of the fair share a flow is on. */
export type Lane = "stream" | "files";

/** What a flow gets. It may change while the program runs: a flow has what it starts with. */
export interface FlowTerms {
  /** Share among the flows of its lane, > 0. */
  readonly weight: number;
  /** Cap of this flow alone in rows/s (files only), or null. */
  readonly capRows: number | null;
}

/** What the scheduler sees of a flow. It pulls; a flow that has more than before calls the `wake` it was started with. */
export interface Flow<T extends { readonly bytes: number }> extends FlowTerms {
  /** Unique; shown in logs and on the status page. */
  readonly name: string;
  readonly lane: Lane;
  /** Items that can be taken now. */
  ready(): number;
  /**
   * Takes items from the front, in order: at most `maxRows`, and no more than fit in `maxBytes`, but always at least one when
   * `ready() > 0` and `maxRows >= 1` (so that a single large item is never stuck).
   */
  take(maxRows: number, maxBytes: number): readonly T[];
}
