/**
 * What lies beyond the sink and outlives the gateway: it keeps what it accepted, in order, and can be out of reach.
 *
 * @module
 */
import type { Lane } from "../../src/core/flow.ts";
import type { Books } from "./books.ts";

/** A reading as it arrived. */
export interface Arrived {
  readonly lane: Lane;
  /** `weir.id`; null where the far side keeps none (lines of a file). */
  readonly id: string | null;
  /** `weir.redelivered`. */
  readonly redelivered: boolean;
  readonly key: string;
}

/** The far side. */
export interface FarSide {
  readonly arrived: readonly Arrived[];
  accept(reading: Arrived): void;
  /** Out of reach: requests are lost. */
  down: boolean;
  /** Whether it refuses this one for good. */
  refuses(key: string): boolean;
}

/** Makes one that keeps nothing yet. `mended` says whether what it refused would be taken now. */
export function farSide(books: Books, mended: () => boolean): FarSide {
  const arrived: Arrived[] = [];
  return {
    arrived,
    down: false,
    accept(reading) {
      arrived.push(reading);
      books.arrived(reading.key);
    },
    refuses: (key) => !mended() && books.fateOf(key) === "refused",
  };
}
