/**
 * The live view: what flows, as a picture of two rivers that join before the sink.
 *
 *     real_time       183/s  ..=:=+=  =============+
 *       delay p50 1.9 ms | p99 6.2 ms              |
 *                                                  +==> ndjson      681/s
 *       cap 500/s  ##########  99 %                |    8,911 delivered
 *     batch           498/s  #######  =============+
 *
 * Drawn from a sequence of statuses and nothing else: the same statuses give the same lines.
 *
 * @module
 */
import type { AppStatus, FilesStatus, FileStatus, MqttStatus } from "../core/status.ts";
import { formatBytes, formatCount, formatDuration, printable } from "../core/text.ts";
import {
  bar,
  capText,
  delayText,
  etaText,
  moreFilesText,
  percentText,
  progressOf,
  rateOf,
  rateText,
  spoolTexts,
  wholeSeconds,
} from "./live_figures.ts";
import { riverLines } from "./live_rivers.ts";
import { asciiGlyphs, drawLine, fit, type Glyphs, type Span, unicodeGlyphs, widthOf } from "./screen_text.ts";

/** What the view is drawn on. */
export interface LiveOptions {
  /** Size of the terminal, in characters. */
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
  /** Whether box and block characters can be shown; else ASCII stands in. */
  readonly unicode: boolean;
  /** When the show ends, on the scale of `upMs`; null: it is stopped by hand. */
  readonly endsAtMs: number | null;
}

/** What a file's line shows only when the terminal is at least this wide. */
const longEtaColumnsMin = 50;
const verdictColumnsMin = 60;
/** From here on they are shown when one of them is not good. */
const warningColumnsMin = 40;
const rowsColumnsMin = 90;
const badColumnsMin = 100;
/** Files in a line for a log. */
const plainFilesMax = 5;

/**
 * Draws the view.
 *
 * @param history statuses in order of time, the newest last; half a minute of them fills the curves
 * @returns at most `rows - 1` lines of at most `columns` columns; empty for an empty history
 */
export function renderLive(history: readonly AppStatus[], options: LiveOptions): readonly string[] {
  const now = history.at(-1);
  if (now === undefined) return [];
  const { columns, rows, colour } = options;
  const glyphs = options.unicode ? unicodeGlyphs : asciiGlyphs;
  const width = Math.max(1, columns - 2);

  const head = [titleLine(now, width, options, glyphs), [], ...riverLines(history, now, width, glyphs), []];
  const active = filesOf(now)?.active ?? [];
  const withVerdicts = active.some(({ verdict }) =>
    width >= verdictColumnsMin
      ? verdict !== "none"
      : width >= warningColumnsMin && !["none", "on_time"].includes(verdict)
  );
  const files = active.map((file) => fileLine(file, width, withVerdicts, glyphs));
  const foot = [
    ...waitingLines(now, glyphs),
    ...spoolLines(now, glyphs),
    ...sumLines(now, glyphs),
    ...troubleLines(now),
  ];

  const room = Math.max(0, rows - 1 - head.length - foot.length);
  const shown = files.length <= room ? files : [
    ...files.slice(0, Math.max(0, room - 1)),
    [dim(moreFilesText(active.slice(Math.max(0, room - 1))))],
  ];
  return [...head, ...shown, ...foot]
    .slice(0, Math.max(0, rows - 1))
    .map((spans) => drawLine([plain(columns > 2 ? "  " : ""), ...spans], columns, { colour, glyphs }));
}

/** One line that says the same, for a log file or a pipe. */
export function renderPlain(history: readonly AppStatus[]): string {
  const now = history.at(-1);
  if (now === undefined) return "";
  const { real_time: stream, batch } = now.sums;
  const parts = [
    `up ${formatDuration(now.upMs)}`,
    `real_time ${rateText(rateOf(history, "real_time"))} (${delayText(now, ", ")})`,
    `batch ${rateText(rateOf(history, "batch"))} (${capText(now)})`,
    `delivered ${formatCount(stream.delivered + batch.delivered)}`,
    `dead letters ${formatCount(stream.dead_lettered + batch.dead_lettered)}`,
  ];
  const active = filesOf(now)?.active ?? [];
  for (const file of active.slice(0, plainFilesMax)) {
    parts.push(`${printable(file.name, 80)} ${percentText(progressOf(file))} (${etaText(file)})`);
  }
  if (active.length > plainFilesMax) parts.push(moreFilesText(active.slice(plainFilesMax)));
  const spool = spoolTexts(now.spool);
  if (spool !== null) parts.push([`spool ${spool.holds}`, ...spool.troubles].join(", "));
  for (const [trouble] of troubleLines(now)) parts.push(trouble?.text ?? "");
  return parts.join("; ");
}

function titleLine(now: AppStatus, width: number, options: LiveOptions, glyphs: Glyphs): Span[] {
  const title = "Weir";
  const { endsAtMs } = options;
  const left = endsAtMs === null ? null : Math.max(0, endsAtMs - now.upMs);
  const time = left === null
    ? `up ${formatDuration(now.upMs)}`
    : left === 0
    ? "draining"
    : `${wholeSeconds(left)} left`;
  const gateway = fit(
    ` ${glyphs.dot} ${printable(now.gateway)}`,
    Math.max(0, width - widthOf(title) - widthOf(time)),
    glyphs,
  );
  return [{ text: title, style: "bold" }, dim(gateway), dim(time)];
}

/** A file; the columns of all files stand under each other. */
function fileLine(file: FileStatus, width: number, withVerdicts: boolean, glyphs: Glyphs): Span[] {
  const share = progressOf(file);
  const tail = ` ${percentText(share).padStart(5)}`;
  const rows = width < rowsColumnsMin ? "" : `  ${`${formatCount(file.rowsRead)} rows`.padStart(14)}`;
  const eta = `  ${etaText(file).padEnd(width < longEtaColumnsMin ? 11 : 15)}`;
  const bad = width < badColumnsMin
    ? ""
    : `  ${file.badRows === 0 ? "" : `${formatCount(file.badRows)} bad`}`.padEnd(10);
  const verdict = withVerdicts ? `  ${file.verdict === "none" ? "" : file.verdict.replace("_", " ")}`.padEnd(9) : "";
  const flexible = Math.max(0, width - widthOf(tail + rows + eta + bad + verdict));
  // Where there is no room for both, what goes wrong is worth more than a bar.
  const barColumns = withVerdicts && width < verdictColumnsMin ? 0 : Math.min(30, Math.floor(flexible * 0.3));
  const name = fit(printable(file.name), Math.min(44, Math.max(0, flexible - barColumns - 2)), glyphs);
  return [
    plain(`${name}  `),
    { text: bar(share ?? 0, barColumns, glyphs), style: "files" },
    plain(tail),
    dim(rows + eta),
    { text: bad, style: "trouble" },
    { text: verdict, style: file.verdict === "on_time" ? "sink" : "trouble" },
  ];
}

function waitingLines(now: AppStatus, glyphs: Glyphs): Span[][] {
  const files = filesOf(now);
  if (files === null) return [];
  const parts = [`${formatCount(files.doneFiles)} ${files.doneFiles === 1 ? "file" : "files"} done`];
  if (files.waitingFiles > 0) {
    parts.push(`${formatCount(files.waitingFiles)} waiting (${formatBytes(files.waitingBytes)})`);
  }
  if (files.quarantinedFiles > 0) parts.push(`${formatCount(files.quarantinedFiles)} in quarantine`);
  return [[dim(parts.join(` ${glyphs.dot} `))]];
}

/** Only where readings of streams are or were put aside on disk. */
function spoolLines(now: AppStatus, glyphs: Glyphs): Span[][] {
  const spool = spoolTexts(now.spool);
  if (spool === null) return [];
  const troubles = spool.troubles.map((text): Span => ({ text: ` ${glyphs.dot} ${text}`, style: "trouble" }));
  return [[{ text: `spool ${spool.holds}`, style: "stream" }, ...troubles]];
}

function sumLines(now: AppStatus, glyphs: Glyphs): Span[][] {
  const { real_time: stream, batch } = now.sums;
  const deadLetters = stream.dead_lettered + batch.dead_lettered;
  const dropped = stream.dropped + batch.dropped;
  const spans: Span[] = [
    dim(`in flight ${formatCount(now.sink.inFlightReadings)} ${glyphs.dot} `),
    { text: `dead letters ${formatCount(deadLetters)}`, style: deadLetters > 0 ? "filesBright" : "dim" },
    dim(` ${glyphs.dot} filtered ${formatCount(stream.filtered + batch.filtered)}`),
  ];
  if (dropped > 0) spans.push({ text: ` ${glyphs.dot} dropped ${formatCount(dropped)}`, style: "trouble" });
  return [spans];
}

function troubleLines(now: AppStatus): Span[][] {
  const lines: Span[][] = [];
  const mqtt = now.sources.find((source): source is MqttStatus => source.kind === "mqtt");
  if (mqtt !== undefined && !mqtt.connected) lines.push([{ text: "MQTT is not connected", style: "trouble" }]);
  if (now.sink.trouble !== null) {
    lines.push([{ text: `Sink ${printable(now.sink.kind)}: ${printable(now.sink.trouble)}`, style: "trouble" }]);
  }
  return lines;
}

function filesOf(now: AppStatus): FilesStatus | null {
  return now.sources.find((source): source is FilesStatus => source.kind === "files") ?? null;
}

function plain(text: string): Span {
  return { text, style: "plain" };
}

function dim(text: string): Span {
  return { text, style: "dim" };
}
