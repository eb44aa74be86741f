/**
 * The contract of a sink: something that gives readings a durable home outside.
 *
 * @module
 */
import type { ChunkSink } from "./chunk.ts";
import type { Finding } from "./finding.ts";
import type { FollowedLetters, LetterFollower } from "./letter_follower.ts";
import type { Lane } from "./flow.ts";
import type { Reading, Reason } from "./reading.ts";
import type { SinkStatus } from "./status.ts";

/** How a sink reports back. Each reading that was sent is reported exactly once, in one of the two ways. */
export interface SinkReport {
  /** These have a durable home now. In one call: readings of one lane, in the order in which they were sent. */
  delivered(lane: Lane, readings: readonly Reading[]): void;
  /** This one can never be sent, for a reason that it caused itself. */
  rejected(lane: Lane, reading: Reading, reason: Reason, detail: string): void;
}

/**
 * A sink. All failures that a reading did not cause itself (transport, permission, a missing topic, a full disk) are retried inside, for
 * ever, with backoff, and said through events; the caller only sees verdicts come later. How much may wait inside is bounded by the
 * credits of the scheduler, which come back with the verdicts, and by as much again of what the spool has on disk and the sink still tries.
 *
 * - Readings of one lane with the same key leave in the order in which they were sent, also through retries.
 * - A report may come from inside `send`.
 */
export interface Sink {
  readonly name: string;
  /** Loads ahead the libraries that are loaded otherwise when `open` begins to connect. Absent: there are none. */
  load?(): Promise<void>;
  /**
   * Prepares local resources and begins to connect; does not wait for a peer.
   *
   * @throws {WeirError} for what no retry can mend (a path that cannot be opened, a wrong certificate file).
   */
  open(report: SinkReport): Promise<void>;
  send(lane: Lane, readings: readonly Reading[]): void;
  /** Sends what lingers without waiting for more. Resolves when all that was sent before has been reported. */
  flush(): Promise<void>;
  /** Gives up: nothing is reported after it resolves. Never throws. */
  close(): Promise<void>;
  /**
   * Gives back readings of the lane of streams out of those that it is asked for, to be sent again later: they are as if they had never
   * been sent, and are not reported. It gives back none that it has begun to send (an attempt may have arrived), and none
   * that would be first to be tried at their place: what stays tells, by its verdict, that the way is free. Each that is given back comes
   * with the one that stays ahead of it. Absent: it gives back nothing.
   */
  takeBack?(readings: ReadonlySet<Reading>): ReadonlyMap<Reading, Reading>;
  status(): SinkStatus;
  /** Tries what `check --connect` tries. Stands alone: needs no `open`. Never throws. */
  check(): Promise<readonly Finding[]>;
  /** What only `doctor` asks beyond `check`, in the same way. Absent: nothing. */
  examine?(): Promise<readonly Finding[]>;
  /** Rows of files in chunks that keep their places too, from `open` on. Absent: they go by `send`. */
  readonly chunks?: ChunkSink;
  /** After `open`: also sends on the dead letters of a ledger. Null, or absent: this sink is not to, or cannot. */
  followLetters?(letters: FollowedLetters): LetterFollower | null;
}
