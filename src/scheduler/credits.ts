/**
 * How much may be on its way to the sink: credits, taken at dispatch and given back with the verdict. They bound the program's memory and
 * are what makes a slow sink slow the flows down.
 *
 * Two currencies, rows and bytes, each with the same three limits: in all; of it for files at most so much (so that a dump does not stand
 * in front of a stream inside the sink); of it for streams all but a reserve (so that the floor of files holds while streams overload the sink).
 *
 * @module
 */
import type { Lane } from "../core/flow.ts";

/** Limits of what is in flight. */
export interface CreditLimits {
  /** K: rows of both lanes. */
  readonly inFlightRows: number;
  /** Kf: of them rows of files at most. */
  readonly filesInFlightRows: number;
  /** Kr: of them kept free of streams. */
  readonly reservedRows: number;
  /** The same three in bytes. The last dispatch may pass a limit by one item. */
  readonly inFlightBytes: number;
  readonly filesInFlightBytes: number;
  readonly reservedBytes: number;
}

/** Counts credits. */
export interface Credits {
  /** Rows that this lane may dispatch now; 0 also when it has no byte left. */
  freeRows(lane: Lane): number;
  /** Bytes that this lane may dispatch now. */
  freeBytes(lane: Lane): number;
  /** Rows and bytes on their way. */
  usedRows(lane: Lane): number;
  usedBytes(lane: Lane): number;
  take(lane: Lane, rows: number, bytes: number): void;
  /**
   * @throws {Error} when more comes back than was taken: a defect, something was settled twice.
   */
  giveBack(lane: Lane, rows: number, bytes: number): void;
  /** Other limits from now on. What is in flight beyond them is not called back: nothing more leaves until enough has come back. */
  change(limits: CreditLimits): void;
}

/** Makes {@linkcode Credits}, all free. */
export function createCredits(initial: CreditLimits): Credits {
  let limits = initial;
  const used: Readonly<Record<Lane, { rows: number; bytes: number }>> = {
    stream: { rows: 0, bytes: 0 },
    files: { rows: 0, bytes: 0 },
  };
  let { rowsMax, bytesMax } = laneLimits(limits);

  function freeBytes(lane: Lane): number {
    const free = limits.inFlightBytes - used.stream.bytes - used.files.bytes;
    return Math.max(0, Math.min(free, bytesMax[lane] - used[lane].bytes));
  }

  return {
    freeBytes,
    freeRows(lane) {
      if (freeBytes(lane) === 0) return 0;
      const free = limits.inFlightRows - used.stream.rows - used.files.rows;
      return Math.max(0, Math.min(free, rowsMax[lane] - used[lane].rows));
    },
    usedRows: (lane) => used[lane].rows,
    usedBytes: (lane) => used[lane].bytes,
    take(lane, rows, bytes) {
      used[lane].rows += rows;
      used[lane].bytes += bytes;
    },
    giveBack(lane, rows, bytes) {
      const { rows: rowsUsed, bytes: bytesUsed } = used[lane];
      if (!(rows >= 0 && rows <= rowsUsed && bytes >= 0 && bytes <= bytesUsed)) {
        throw new Error(
          `Cannot give back ${rows} rows, ${bytes} bytes of lane "${lane}": ${rowsUsed} rows, ${bytesUsed} bytes are in flight`,
        );
      }
      used[lane].rows -= rows;
      used[lane].bytes -= bytes;
    },
    change(next) {
      limits = next;
      ({ rowsMax, bytesMax } = laneLimits(limits));
    },
  };
}

/** What each lane may have in flight alone. */
function laneLimits(limits: CreditLimits): Readonly<Record<"rowsMax" | "bytesMax", Readonly<Record<Lane, number>>>> {
  return {
    rowsMax: {
      stream: limits.inFlightRows - limits.reservedRows,
      files: limits.filesInFlightRows,
    },
    bytesMax: {
      stream: limits.inFlightBytes - limits.reservedBytes,
      files: limits.filesInFlightBytes,
    },
  };
}
