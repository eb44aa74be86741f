/**
 * A plan as text.
 *
 * @module
 */
import type { DeadlineVerdict } from "../core/status.ts";
import { formatBytes, formatCount, formatDuration, printable } from "../core/text.ts";
import { asciiGlyphs, fit } from "../ops/screen_text.ts";
import type { Output } from "./command.ts";
import type { WaitingFile } from "./waiting.ts";

/** What will be when. */
export interface Plan {
  /** Rows/s of all files together; null: no cap. */
  readonly capRows: number | null;
  /** The least cap at which every dump is on time; null: none is needed, or none would do. */
  readonly capNeededRows: number | null;
  /** A gateway has run: what it has read already is known. */
  readonly withLedger: boolean;
  /** What comes, period after period. */
  readonly coming: readonly { readonly rows: number; readonly everyMs: number }[];
  /** Rows/s by which that is more than the cap. */
  readonly excessRows: number;
  readonly folders: readonly PlannedFolder[];
}

/** A folder and its files, in the order in which they are read. */
export interface PlannedFolder {
  readonly path: string;
  readonly everyMs: number | null;
  readonly trouble: string | null;
  readonly files: readonly PlannedFile[];
}

/** A file, and when it will be in. */
export interface PlannedFile extends WaitingFile {
  readonly timeLeftMs: number | null;
  readonly inMs: number | null;
  readonly verdict: DeadlineVerdict;
}

const nameColumnsMin = 16;
const nameColumnsMax = 60;
/** All columns but the name. */
const figuresColumns = 60;

/** Files shown of each folder, besides those that come late: what is read first. */
const filesShownMax = 10;

/** Renders a plan: what it comes to, then the files. Ends with a line break. */
export function planText(plan: Plan, output: Pick<Output, "colour" | "columns" | "isTerminal">): string {
  const names = plan.folders.flatMap(({ files }) => files.map(({ path }) => printable(path).length));
  const room = output.isTerminal ? Math.max(80, output.columns) - figuresColumns : nameColumnsMax;
  const nameColumns = Math.min(nameColumnsMax, Math.max(nameColumnsMin, Math.min(room, ...[Math.max(0, ...names)])));
  const head = `  ${"FILE".padEnd(nameColumns)}  ${"SIZE".padStart(8)}  ${"ROWS LEFT".padStart(11)}  ${
    "DONE IN".padEnd(13)
  }${"DEADLINE IN".padEnd(13)}VERDICT`;
  const any = plan.folders.some(({ files }) => files.length > 0);
  const lines = plan.folders.flatMap((folder) => [
    folderLine(folder, output),
    ...fileLines(folder.files, nameColumns, output),
  ]);
  return `${[...sumLines(plan, output), "", ...(any ? [head] : []), ...lines].join("\n")}\n`;
}

/** In the order in which they are read; those that come late, or would not be read, are never left out. */
function fileLines(
  files: readonly PlannedFile[],
  nameColumns: number,
  output: Pick<Output, "colour">,
): readonly string[] {
  let room = filesShownMax;
  const shown = files.filter((file) => file.verdict === "late" || file.refusal !== null || room-- > 0);
  const more = files.length - shown.length;
  return [
    ...shown.map((file) => fileLine(file, nameColumns, output)),
    ...(more === 0 ? [] : [`  and ${formatCount(more)} more; --json has all`]),
  ];
}

function folderLine({ path, everyMs, trouble, files }: PlannedFolder, output: Pick<Output, "colour">): string {
  const every = everyMs === null ? "no deadline (every=)" : `every ${formatDuration(everyMs)}`;
  const state = trouble === null
    ? files.length === 0 ? "; nothing waits" : ""
    : `; ${alarm(printable(trouble), output.colour)}`;
  return `${printable(path)}: ${every}${state}`;
}

function fileLine(file: PlannedFile, nameColumns: number, { colour }: Pick<Output, "colour">): string {
  const name = fit(printable(file.path), nameColumns, asciiGlyphs);
  const start = `  ${name}  ${formatBytes(file.sizeBytes).padStart(8)}`;
  if (file.refusal !== null) return `${start}  ${alarm("will not be read", colour)}: ${printable(file.refusal)}`;
  const rows = `${file.exact ? "" : "~"}${formatCount(file.rowsLeft)}`.padStart(11);
  const done = brief(file.inMs).padEnd(13);
  const deadline = (file.timeLeftMs === null ? "" : file.timeLeftMs < 0 ? "past" : brief(file.timeLeftMs)).padEnd(13);
  return `${start}  ${rows}  ${done}${deadline}${verdictText(file.verdict, colour)}`.trimEnd();
}

function sumLines(plan: Plan, output: Pick<Output, "colour">): readonly string[] {
  const files = plan.folders.flatMap((folder) => folder.files);
  const rows = files.reduce((sum, file) => sum + file.rowsLeft, 0);
  const last = Math.max(0, ...files.map(({ inMs }) => inMs ?? 0));
  const cap = plan.capRows === null ? "without a cap nobody knows how long" : `at ${formatCount(plan.capRows)} rows/s`;
  const time = plan.capRows === null ? "" : `: all in within ${brief(last)}`;
  const count = files.length === 1 ? "1 file waits" : `${formatCount(files.length)} files wait`;
  const late = files.filter(({ verdict }) => verdict === "late").length;
  const atRisk = files.filter(({ verdict }) => verdict === "at_risk").length;
  return [
    files.length === 0 ? "Nothing waits." : `${count}, about ${formatCount(rows)} rows, ${cap}${time}.`,
    ...(late === 0 ? [] : [alarm(`${formatCount(late)} will be late.`, output.colour)]),
    ...(atRisk === 0 ? [] : [`${formatCount(atRisk)} will be in with less than a fifth of the time to spare.`]),
    ...(late + atRisk === 0 ? [] : [wayOut(plan)]),
    ...(plan.excessRows <= 0 ? [] : [alarm(excessText(plan), output.colour)]),
    ...(plan.withLedger || files.length === 0
      ? []
      : ["No gateway has run on the state folder yet: each file counts whole, from the time it was written."]),
  ];
}

function wayOut({ capNeededRows }: Plan): string {
  return capNeededRows === null
    ? "No cap would do: a deadline is past, or a folder's own cap (cap=) is too low."
    : `All are on time with --files-cap ${capNeededRows}/s.`;
}

function excessText({ coming, capRows }: Plan): string {
  const rate = coming.reduce((sum, { rows, everyMs }) => sum + rows * 1000 / everyMs, 0);
  return `Dumps of this size will pile up: ${formatCount(rate)} rows/s come on average, and the cap is ${
    formatCount(capRows ?? 0)
  }.`;
}

function verdictText(verdict: DeadlineVerdict, colour: boolean): string {
  if (verdict === "none") return "";
  const words = verdict.replace("_", " ");
  return verdict === "on_time" ? words : alarm(words, colour);
}

function brief(ms: number | null): string {
  return ms === null ? "?" : formatDuration(ms < 1000 ? ms : Math.ceil(ms / 1000) * 1000);
}

function alarm(text: string, colour: boolean): string {
  return colour ? `\u001b[1;31m${text}\u001b[0m` : text;
}
