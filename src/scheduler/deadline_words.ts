/**
 * What is said about deadlines.
 *
 * @module
 */
import type { Emit, Level } from "../core/event.ts";
import type { DeadlineVerdict, FileStatus } from "../core/status.ts";
import { formatCount, formatDuration, printable, quoted } from "../core/text.ts";
import { comfortable, excessRows } from "./deadline.ts";

/** A folder's dump, and how often one comes. */
export interface DropRows {
  readonly folder: string;
  readonly rows: number;
  readonly everyMs: number;
}

const levelOf: Readonly<Record<DeadlineVerdict, Level>> = {
  on_time: "info",
  none: "info",
  at_risk: "warn",
  late: "warn",
};

/** A file's verdict changed. */
export function tellVerdict(emit: Emit, file: FileStatus, capRows: number | null): void {
  const message = `File ${quoted(file.name)} in ${quoted(file.folder)} ${verdictText(file)}${wayOut(file, capRows)}`;
  emit(levelOf[file.verdict], "files.deadline_judged", message, {
    folder: printable(file.folder),
    path: printable(file.name),
    verdict: file.verdict,
    eta_ms: rounded(file.etaMs),
    time_left_ms: rounded(file.timeLeftMs ?? null),
    need_rows: rounded(file.needRows ?? null),
    cap_needed_rows: file.capNeededRows ?? null,
  });
}

/**
 * Folders bring more, dump after dump, than can be read; nothing is said when they do not.
 *
 * @param ableRows rows/s that files can have; null: not known
 */
export function tellExcess(
  emit: Emit,
  drops: readonly DropRows[],
  ableRows: number | null,
  capRows: number | null,
): void {
  if (ableRows === null || excessRows(drops, ableRows) === 0) return;
  const coming = excessRows(drops, 0);
  const dumps = drops.slice(0, 5).map(({ folder, rows, everyMs }) =>
    `${formatCount(rows)} rows every ${formatDuration(everyMs)} in ${quoted(folder)}`
  ).join(", ");
  const limit = ableRows === capRows ? `the cap is ${ableRows} rows/s` : `they are read at ${formatCount(ableRows)}`;
  const enough = Math.ceil(coming / comfortable);
  const advice = capRows === null || enough <= capRows
    ? "the sink is too slow for them, or the streams leave too little"
    : `--files-cap ${enough}/s would do`;
  emit(
    "warn",
    "files.dumps_exceed_cap",
    `Dumps will pile up: ${formatCount(coming)} rows/s come (${dumps}) and ${limit}; ${advice}`,
    { coming_rows: Math.ceil(coming), able_rows: Math.floor(ableRows), cap_rows: capRows },
  );
}

function verdictText({ verdict, etaMs, timeLeftMs = null }: FileStatus): string {
  const left = timeLeftMs ?? 0;
  if (left <= 0) return `is late: its deadline was ${formatDuration(-left)} ago${about(etaMs, "; the rest takes")}`;
  const deadline = `its deadline is in ${formatDuration(left)}`;
  const words =
    { on_time: "will be on time", at_risk: "may come late", late: "will be late", none: "goes on" }[verdict];
  return `${words}${about(etaMs, ": it takes")}, and ${deadline}`;
}

function about(ms: number | null, before: string): string {
  return ms === null ? "" : `${before} about ${formatDuration(Math.ceil(ms / 1000) * 1000)}`;
}

/** What to do about it. */
function wayOut(
  { verdict, etaMs, capNeededRows = null, timeLeftMs = null }: FileStatus,
  capRows: number | null,
): string {
  if (verdict !== "late" && verdict !== "at_risk") return "";
  // With a verdict, but without a time: nothing moves.
  if (etaMs === null) return ". No row of a file has moved for ten seconds: the sink or the streams hold them back";
  if (capNeededRows !== null) return `. --files-cap ${capNeededRows}/s would do`;
  return capRows === null || timeLeftMs === null || timeLeftMs <= 0
    ? ""
    : ". No higher --files-cap would do: its folder's own cap, the sink or the streams hold it back";
}

function rounded(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Math.round(value);
}
