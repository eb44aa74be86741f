/**
 * The numbers of the fair share, all derived from the cap; and what the operator may set instead. The names of the formulas:
 *
 *     C    cap, rows/s                      m    floor, rows/s: max(1, C/10)
 *     q    quantum: clamp(C/100, 1, 500)    g    lateness of the dispatcher: 10 ms
 *     B    depth of the cap: q + C*g        Bm   depth of the floor: q + m*(g + q/C)
 *     Kf   files in flight: q + C*0.15 s    Kr   of K kept free of streams: q + m*1 s
 *     K    in flight: Kf + max(2000, stream rate * 0.25 s)
 *
 * A depth of a row alone would lose whatever a late timer comes too late for; that is why g is in B and Bm.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import type { CreditLimits } from "./credits.ts";
import { rateLimitMax, type RateLimits } from "./rate.ts";

/** What the operator may set; what is absent is derived. */
export interface FairShareInput {
  /** Rows/s of all files together, or null for no cap. */
  readonly capRows: number | null;
  /** Bytes/s of all files together. Default: null, no such cap. */
  readonly capBytes?: number | null;
  /** Rows/s promised to files while streams overload the sink. Default: a tenth of the cap, at least 1; uncapped: 100. */
  readonly floorRows?: number;
  /** Rows that may leave at once after a rest. Default and least: what a quantum and the lateness need. */
  readonly burstRows?: number;
  /** Rows in flight to the sink. */
  readonly inFlightRows?: number;
  /** Of them rows of files. */
  readonly filesInFlightRows?: number;
  /** Bytes in flight to the sink. Default: 32 MiB. */
  readonly inFlightBytes?: number;
  /** Longest way of a row of files to its verdict that `filesInFlightRows` is sized for, in ms. Default: 150. */
  readonly filesRoundTripMs?: number;
  /** Readings/s expected of all streams together, for the default of `inFlightRows`. Default: 8,000. */
  readonly streamRows?: number;
}

/** All numbers of the fair share. */
export interface FairShareOptions extends CreditLimits {
  /** C in rows/s, or null: uncapped. */
  readonly capRows: number | null;
  /** The cap in bytes/s, or null. */
  readonly capBytes: number | null;
  /** m in rows/s; 0: no floor is promised. */
  readonly floorRows: number;
  /** q: rows of a turn of files. */
  readonly quantumRows: number;
  /** qs: readings of a turn of a stream. */
  readonly streamQuantumRows: number;
  /** B, in rows. */
  readonly burstRows: number;
  /** Bm, in rows. */
  readonly floorBurstRows: number;
  /** g: how late a timer may be without costing rate, in ms. */
  readonly latenessMs: number;
}

/** The part of the options that follows a cap that changes while the program runs. */
export type CapOptions = Pick<
  FairShareOptions,
  "capRows" | "floorRows" | "quantumRows" | "burstRows" | "floorBurstRows"
>;

const latenessMs = 10;
const quantumRowsMax = 500;
const streamQuantumRows = 64;
const streamsInFlightRowsMin = 2000;
const inFlightBytesDefault = 32 * 1024 * 1024;
/** Uncapped, Kf is sized as if files came at this many rows/s: 15,500 rows are what fast sinks need, and no long queue before a stream. */
const uncappedNominalRows = 100_000;
const uncappedFloorRows = 100;

/**
 * Derives all numbers.
 *
 * @throws {WeirError} `configuration` naming each value that is out of range and each pair that cannot be.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const { quantumRows, burstRows, floorRows, inFlightRows } = fairShareDefaults({ capRows: 1000 });
 * assert.deepEqual([quantumRows, burstRows, floorRows, inFlightRows], [10, 20, 100, 2160]);
 * ```
 */
export function fairShareDefaults(input: FairShareInput): FairShareOptions {
  const { capRows, capBytes = null } = input;
  refuse(outOfRange(input));

  const nominalRows = capRows ?? uncappedNominalRows;
  const floorRows = input.floorRows ?? (capRows === null ? uncappedFloorRows : Math.max(1, Math.floor(capRows / 10)));
  const quantum = quantumOf(capRows);
  const filesWanted = quantum + Math.ceil(nominalRows * (input.filesRoundTripMs ?? 150) / 1000);
  // Files get at most half of a total that the operator sets: the default must not put streams behind a dump.
  const filesInFlightRows = input.filesInFlightRows ??
    Math.min(filesWanted, Math.max(1, Math.floor((input.inFlightRows ?? Infinity) / 2)));
  const inFlightRows = input.inFlightRows ??
    filesInFlightRows + Math.max(streamsInFlightRowsMin, Math.ceil((input.streamRows ?? 0) / 4));
  const quantumRows = Math.min(quantum, filesInFlightRows);
  const burstMin = leastBurstRows(capRows, quantumRows);
  const burstRows = input.burstRows ?? burstMin;
  const inFlightBytes = input.inFlightBytes ?? inFlightBytesDefault;

  const impossible: string[] = [];
  if (capRows !== null && floorRows > capRows) {
    impossible.push(`the floor of ${floorRows} rows/s is above the cap of ${capRows} rows/s: give at most the cap`);
  }
  if (capRows === null && input.burstRows !== undefined) {
    impossible.push(`a burst of ${input.burstRows} rows means nothing without a cap: leave it out`);
  }
  if (capRows !== null && burstRows < burstMin) {
    impossible.push(`a burst of ${burstRows} rows cannot hold ${capRows} rows/s: give at least ${burstMin}`);
  }
  if (filesInFlightRows > inFlightRows) {
    impossible.push(
      `${filesInFlightRows} rows of files in flight are more than the ${inFlightRows} of all: give at most that`,
    );
  }
  refuse(impossible);

  return {
    capRows,
    capBytes,
    floorRows,
    quantumRows,
    streamQuantumRows,
    burstRows,
    floorBurstRows: leastFloorBurstRows(capRows, floorRows, quantumRows),
    latenessMs,
    inFlightRows,
    filesInFlightRows,
    // More than files may use, or half of all, would only be taken from the streams.
    reservedRows: floorRows === 0 ? 0 : Math.min(quantumRows + floorRows, filesInFlightRows, inFlightRows >> 1),
    inFlightBytes,
    filesInFlightBytes: Math.ceil(inFlightBytes / 2),
    reservedBytes: floorRows === 0 ? 0 : inFlightBytes >> 3,
  };
}

/** The same options for another cap: the floor never above it, and what the burst was more than the least stays on top. */
export function withCap(options: FairShareOptions, capRows: number | null): CapOptions {
  const extraRows = options.burstRows - leastBurstRows(options.capRows, options.quantumRows);
  const quantumRows = Math.min(quantumOf(capRows), options.filesInFlightRows);
  const floorRows = Math.min(options.floorRows, capRows ?? Infinity);
  return {
    capRows,
    floorRows,
    quantumRows,
    burstRows: leastBurstRows(capRows, quantumRows) + extraRows,
    floorBurstRows: leastFloorBurstRows(capRows, floorRows, quantumRows),
  };
}

/** Limits and quantum of a cap of its own kind: of one folder, or in bytes. `quantumMax` bounds a turn. */
export function ownCap(perSecond: number, quantumMax: number): RateLimits & { readonly quantum: number } {
  const quantum = Math.min(Math.max(1, Math.floor(perSecond / 100)), quantumMax);
  return { perSecond, quantum, depth: quantum + Math.ceil(perSecond * latenessMs / 1000) };
}

/** q before anything else bounds it. */
function quantumOf(capRows: number | null): number {
  return capRows === null ? quantumRowsMax : Math.min(Math.max(1, Math.floor(capRows / 100)), quantumRowsMax);
}

function leastBurstRows(capRows: number | null, quantumRows: number): number {
  return quantumRows + Math.ceil((capRows ?? 0) * latenessMs / 1000);
}

function leastFloorBurstRows(capRows: number | null, floorRows: number, quantumRows: number): number {
  const turnMs = capRows === null ? 0 : quantumRows * 1000 / capRows;
  return quantumRows + Math.ceil(floorRows * (latenessMs + turnMs) / 1000);
}

function outOfRange(input: FairShareInput): readonly string[] {
  const limits: readonly (readonly [string, number | null | undefined, number, string])[] = [
    ["the cap", input.capRows, 1, "rows/s"],
    ["the cap in bytes", input.capBytes, 1, "bytes/s"],
    ["the floor", input.floorRows, 0, "rows/s"],
    ["the burst", input.burstRows, 1, "rows"],
    ["the number of rows in flight", input.inFlightRows, 2, "rows"],
    ["the number of rows of files in flight", input.filesInFlightRows, 1, "rows"],
    ["the number of bytes in flight", input.inFlightBytes, 1024, "bytes"],
    ["the expected rate of streams", input.streamRows, 0, "readings/s"],
  ];
  return limits.flatMap(([name, value, least, unit]) => {
    if (value === undefined || value === null) return [];
    if (Number.isInteger(value) && value >= least && value <= rateLimitMax) return [];
    return [`${name} is ${value}: give a whole number of ${unit} from ${least} to ${rateLimitMax}`];
  });
}

function refuse(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return;
  throw new WeirError("configuration", `Impossible numbers for the scheduler: ${mistakes.join("; ")}`);
}
