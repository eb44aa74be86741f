/**
 * The contract of a source: something that reads readings and waits for their verdicts.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import type { Item } from "./reading.ts";
import type { SourceStatus } from "./status.ts";
import type { Finding } from "./finding.ts";

/**
 * A source. Life: `start` - (items taken from `flows`, deliveries settled) - `stop` - `drained` - `close`.
 *
 * - `start` never waits for a peer: a broker that is not up or a folder that is missing is waited for behind the scenes, and said once.
 * - After `stop` a source takes in nothing new. A file source also forgets rows that were read ahead but not taken: the checkpoint holds
 *   them. An MQTT source keeps what is in its inbox in the flows and its connection up, so that it can be acknowledged.
 * - `drained` resolves when all that was taken in has been settled and acknowledged (PUBACK written, checkpoint committed).
 * - `finished` resolves when there is nothing left to do without new input (`--once`): all complete files done, the session's queue empty.
 * - `close` gives up everything, drained or not; what was not acknowledged comes again after the next start. Never throws.
 */
export interface Source {
  readonly name: string;
  readonly flows: readonly Flow<Item>[];
  /** Loads ahead the libraries that `start` loads otherwise, while the program waits for something else. Absent: there are none. */
  load?(): Promise<void>;
  /** `wake` is to be called whenever a flow has items that it did not have before. */
  start(wake: () => void): Promise<void>;
  stop(): void;
  drained(): Promise<void>;
  finished(): Promise<void>;
  close(): Promise<void>;
  /** How much of its own bounds is in use, 0 to 1 or a little more: what was taken in and is not settled. Absent: it has none. */
  fill?(): number;
  status(): SourceStatus;
  /** Tries what `check --connect` tries: reachable, allowed, there. Stands alone: it needs no `start`. Never throws. */
  check(): Promise<readonly Finding[]>;
}
