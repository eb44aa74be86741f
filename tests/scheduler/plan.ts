/**
 * What the model of the scheduler's world is given, and what it writes down.
 *
 * @module
 */
import type { Lane } from "../../src/core/flow.ts";
import type { CapOptions, FairShareInput, FairShareOptions } from "../../src/scheduler/defaults.ts";

export interface StreamPlan {
  readonly weight: number;
  /** `rows` readings arrive `times` times, `everyMs` apart. */
  readonly startMs: number;
  readonly everyMs: number;
  readonly rows: number;
  readonly times: number;
  readonly bytes: number;
}

export interface FolderPlan {
  readonly weight: number;
  readonly capRows: number | null;
  readonly dumps: readonly { readonly atMs: number; readonly rows: number }[];
  /** Rows read ahead at most; refilled so long after rows were taken (0: at once). */
  readonly aheadRows: number;
  readonly refillMs: number;
  readonly bytes: number;
}

export interface SinkPlan {
  readonly rowsPerSecond: number;
  readonly roundTripMs: number;
  /** Ways back from the sink are up to this much longer. */
  readonly wayJitterMs: number;
  readonly lingerMs: number;
  readonly stalls: readonly Span[];
}

export interface Span {
  readonly atMs: number;
  readonly forMs: number;
}

export interface Plan {
  readonly input: FairShareInput;
  readonly streams: readonly StreamPlan[];
  readonly folders: readonly FolderPlan[];
  readonly sink: SinkPlan;
  readonly runMs: number;
  /** Timers come up to this much late. */
  readonly jitterMs: number;
  /** The process stands still. */
  readonly pauses: readonly Span[];
  readonly capChanges: readonly { readonly atMs: number; readonly capRows: number }[];
  readonly restartsMs: readonly number[];
  /** Everything in flight comes back at once, unsent. */
  readonly disconnectsMs: readonly number[];
  /** Of so many rows one is settled from inside `dispatch`; 0: none. */
  readonly settledAtOnceEvery: number;
  /** Flows give fewer rows than asked, and call `wake` from inside `take`. */
  readonly shortTakes: boolean;
  /** Readings beyond this many that wait in memory go to a spool; null: no spool. */
  readonly spoolBeyond: number | null;
  readonly seed: number;
}

/** What happened, in order. */
export type Entry =
  | { readonly kind: "busy"; readonly atMs: number; readonly flow: string }
  | { readonly kind: "restart"; readonly atMs: number }
  | { readonly kind: "cap"; readonly atMs: number; readonly options: CapOptions }
  | { readonly kind: "arrived"; readonly atMs: number; readonly rows: number }
  | {
    readonly kind: "sent";
    readonly atMs: number;
    readonly lane: Lane;
    readonly flow: string;
    readonly rows: number;
    readonly bytes: number;
    /** What the flow has left to take. */
    readonly left: number;
    /** A live reading waited when it was decided. */
    readonly streamWaited: boolean;
    readonly longestDelayMs: number;
  };

export interface Run {
  readonly plan: Plan;
  readonly options: FairShareOptions;
  readonly trace: readonly Entry[];
  /** What was wrong as it happened: credits, order, sleep. */
  readonly faults: readonly { readonly about: "credits" | "order" | "sleep"; readonly text: string }[];
  readonly lostRows: number;
}

export interface Item {
  readonly flow: string;
  readonly topic: string;
  readonly number: number;
  readonly bytes: number;
  readonly arrivedMs: number;
}

/** Whether a reading must go behind those in the spool. The right way; a broken one is plugged in by the tests of the tests. */
export type Route = (openInSpool: number, waiting: number, beyond: number) => "live" | "spool";
export function routeRight(openInSpool: number, waiting: number, beyond: number): "live" | "spool" {
  return openInSpool > 0 || waiting >= beyond ? "spool" : "live";
}

/** What the sink takes at once; its rows are settled together. */
export const batchRowsMax = 100;
