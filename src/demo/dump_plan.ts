/**
 * When which dump is dropped: sized by the cap and the time that the demo plays, so that a dump can be watched from its first row to its
 * last and the streams are seen alone for a while at the end.
 *
 * @module
 */
import type { DumpSpec } from "./dump.ts";

/** What the plan depends on. */
export interface DumpPlanOptions {
  /** How long the demo plays, in ms; null: until it is stopped. */
  readonly forMs: number | null;
  /** Cap of all files in rows/s; null: none. */
  readonly capRows: number | null;
  /** Wall-clock ms at the start. */
  readonly startedAtMs: number;
}

/** A dump and its moment. */
export interface PlannedDump {
  /** Ms after the start. */
  readonly atMs: number;
  /** Which of the folders. */
  readonly folder: "historian" | "shopfloor";
  readonly spec: DumpSpec;
}

/** A demo longer than this plays the same round again. */
const roundMsMax = 60_000;
/** A round must leave time for some rows. */
const roundMsMin = 5_000;
/** Share of a round's time that files at the cap would need for all its dumps. */
const fill = 0.75;
/** Rate without a cap by which dumps are sized: some are seen for a moment, and the demo's disk stays small. */
const uncappedRows = 10_000;
const rowsMin = 40;

/** A round: share of the rows, and moment as a share of the round. */
const round = [
  { share: 0.3, at: 0, folder: "historian", ending: ".csv", format: "csv", gzip: false },
  { share: 0.3, at: 0.03, folder: "shopfloor", ending: ".ndjson", format: "ndjson", gzip: false },
  { share: 0.2, at: 0.2, folder: "historian", ending: ".csv.gz", format: "csv", gzip: true },
  { share: 0.2, at: 0.35, folder: "shopfloor", ending: ".json", format: "json", gzip: false },
] as const;

/** The dumps in the order of their moments. Endless when the demo is. */
export function* planDumps(options: DumpPlanOptions): Generator<PlannedDump> {
  const { forMs, capRows, startedAtMs } = options;
  const roundMs = Math.min(forMs ?? roundMsMax, roundMsMax);
  const rowsARound = fill * (capRows ?? uncappedRows) * roundMs / 1000;
  let number = 0;
  for (let startMs = 0; startMs === 0 || forMs === null || startMs + roundMsMin <= forMs; startMs += roundMs) {
    // The last round may be a short one: it gets the rows that fit.
    const share = forMs === null ? 1 : Math.min(1, (forMs - startMs) / roundMs);
    for (const { share: shareOfRound, at, folder, ending, format, gzip } of round) {
      const rows = Math.max(rowsMin, Math.round(shareOfRound * rowsARound * share));
      const hour = new Date(startedAtMs).toISOString().slice(0, 13).replace(/[-T]/g, "");
      number += 1;
      yield {
        atMs: startMs + at * roundMs * share,
        folder,
        spec: {
          name: `${folder}-${hour}-${String(number).padStart(3, "0")}${ending}`,
          format,
          gzip,
          rows,
          badRows: Math.min(12, Math.ceil(rows / 600)),
          untilMs: startedAtMs,
        },
      };
    }
  }
}
