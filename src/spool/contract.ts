/**
 * What the spool is put together from, and what it does for the rest of the data path.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import type { Ending } from "../core/delivery.ts";
import type { Dice } from "../core/dice.ts";
import type { Emit } from "../core/event.ts";
import type { Flow } from "../core/flow.ts";
import type { Fields, Item, Reading } from "../core/reading.ts";
import type { SpoolStore } from "../core/spool.ts";
import type { SpoolStatus } from "../core/status.ts";
import type { Tally } from "../core/tally.ts";
import type { WhenFull } from "./writer.ts";

/** How the spool works. */
export interface SpoolOptions {
  /** Most bytes on disk; 0: nothing is written, and what an earlier run left is sent. */
  readonly bytesMax: number;
  readonly whenFull: WhenFull;
  /** Of what the sink holds without getting on, so much gives its credits back; what is more keeps them. */
  readonly heldRowsMax: number;
  readonly heldBytesMax: number;
}

/** What the spool works with. */
export interface SpoolParts {
  readonly options: SpoolOptions;
  /** Flows of streams. */
  readonly flows: readonly Flow<Item>[];
  readonly store: SpoolStore;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** The fields of a reading out of the JSON text that is sent. Throws when it is none. */
  readonly parseFields: (value: string) => Fields;
  /** How full the sources are, 0 to 1 (or more). */
  readonly fill: () => number;
  /** As `Sink.takeBack`. */
  readonly takeBack: (readings: ReadonlySet<Reading>) => ReadonlyMap<Reading, Reading>;
  /** Credits of so many readings are free again. */
  readonly release: (rows: number, bytes: number) => void;
  /** Wakes the scheduler. */
  readonly wake: () => void;
}

/** The running spool. */
export interface Spool {
  /** The flows of streams as the scheduler is to see them. */
  readonly flows: readonly Flow<Item>[];
  /** What is on disk. */
  readonly flow: Flow<Item>;
  /**
   * Looks at what an earlier run left.
   *
   * @throws {WeirError} `storage`
   */
  open(): Promise<void>;
  /** A source has items that it did not have before. */
  arrived(): void;
  /** The scheduler let these go, out of a flow of streams or of the disk. */
  dispatched(items: readonly Item[]): void;
  /** The sink has answered, whatever. */
  answered(): void;
  /** The sink refused a reading: it goes on as another item. */
  replaced(reading: Reading, item: Item): void;
  /** Settles items where they belong. Returns what their credits were, without those that are back already. */
  settle(items: readonly Item[], ending: Ending): { readonly rows: number; readonly bytes: number };
  /** Those of the readings that came straight from their source and have not been on the disk. */
  live(readings: readonly Reading[]): readonly Reading[];
  /** Lets nothing more go from the disk. Resolves when the sink has nothing that it gets on with. */
  quiet(): Promise<void>;
  /** Resolves when nothing is on disk or on its way there or from there. */
  emptied(): Promise<void>;
  status(): SpoolStatus;
  /** Never throws. */
  close(): Promise<void>;
}
