/**
 * The contract of a sink that keeps the places of files itself: rows come in chunks, and each chunk arrives whole, together with the places
 * where its files go on, or not at all. So a row that is read again after a crash is one that never arrived.
 *
 * @module
 */
import type { WeirError } from "./error.ts";
import type { DeadLetter, Reading, Reason } from "./reading.ts";

/** Where a source goes on, in words of its own: the sink keeps it and gives it back. */
export interface Place {
  /** What it is the place of: `<gateway>/<file id>`. */
  readonly key: string;
  readonly value: string;
}

/** What is to arrive together. */
export interface Chunk {
  /** In order. */
  readonly readings: readonly Reading[];
  /** Dead letters of its rows, which are stored already. */
  readonly letters: readonly DeadLetter[];
  /** Where its files go on after it. */
  readonly places: readonly Place[];
}

/** A reading that can never be sent, for a reason that it caused itself. */
export interface Refusal {
  readonly reading: Reading;
  readonly reason: Reason;
  readonly detail: string;
}

/** Takes chunks, one after the other. */
export interface ChunkSink {
  /**
   * Locks out whoever wrote chunks under the name of this gateway before, then gives all places that are kept; of one key there may be
   * several, and the furthest counts. Waits for the peer, for as long as it takes. Asked twice, it gives the same.
   *
   * @throws {WeirError} `fenced`
   */
  places(): Promise<readonly Place[]>;
  /**
   * Commits a chunk; one at a time. Resolves with no refusals when all of it has arrived, else nothing has: the caller tries again without
   * the refused ones. All other failures are retried inside, for ever.
   *
   * @throws {WeirError} `fenced`
   */
  commit(chunk: Chunk): Promise<readonly Refusal[]>;
  /** Resolves when another instance has taken over: nothing can be committed any more. */
  readonly fenced: Promise<WeirError>;
}
