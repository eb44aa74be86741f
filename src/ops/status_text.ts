/**
 * The whole status as text, for `weir status`: wide enough to be read, narrow enough for 80 columns.
 *
 * @module
 */
import type { Origin } from "../core/delivery.ts";
import type { AppStatus, FilesStatus, FileStatus, LettersStatus, MqttStatus, SourceStatus } from "../core/status.ts";
import { formatBytes, formatCount, formatDuration, printable } from "../core/text.ts";
import { delayText, etaText, moreFilesText, percentText, progressOf, spoolTexts } from "./live_figures.ts";
import { asciiGlyphs, fit } from "./screen_text.ts";

/** What it is written to. */
export interface StatusTextOptions {
  readonly colour: boolean;
  readonly columns: number;
}

const nameColumnsMax = 44;
/** Files shown, the most urgent first. */
const filesShownMax = 20;

/** Renders a status. Ends with a line break. */
export function statusText(now: AppStatus, options: StatusTextOptions): string {
  return [
    `${printable(now.gateway)}, up ${formatDuration(now.upMs)}`,
    "",
    ...sumLines(now),
    "",
    ...now.sources.flatMap((source) => sourceLines(source, now, options)),
    ...spoolLines(now, options),
    ...sinkLines(now, options),
    "",
  ].join("\n");
}

const verdicts = ["read", "delivered", "filtered", "dead_lettered", "dropped", "open"] as const;

function sumLines({ sums }: AppStatus): readonly string[] {
  const cells = (origin: Origin) => verdicts.map((verdict) => formatCount(sums[origin][verdict]));
  const rows = [
    ["", ...verdicts.map((verdict) => verdict.replace("_", "-"))],
    ...(["real_time", "batch"] as const)
      .map((origin) => [origin, ...cells(origin)]),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(i === 0 ? 9 : 0, ...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join("  ")
  );
}

function sourceLines(source: SourceStatus, now: AppStatus, options: StatusTextOptions): readonly string[] {
  if (source.kind === "letters") return letterLines(source);
  return source.kind === "mqtt" ? mqttLines(source, now, options) : filesLines(source, now, options);
}

/** Only where dead letters are or were replayed. */
function letterLines({ replaying, delivered, filtered, failed }: LettersStatus): readonly string[] {
  const replayed = delivered + filtered + failed;
  if (replaying === null && replayed === 0) return [];
  const now = replaying === null ? "" : `, replaying ${formatCount(replaying.letters)}`;
  return [
    `Letters  ${formatCount(replayed)} replayed: ${formatCount(delivered)} delivered, ${
      formatCount(filtered)
    } filtered, ${formatCount(failed)} failed again${now}`,
  ];
}

function mqttLines(mqtt: MqttStatus, now: AppStatus, { colour }: StatusTextOptions): readonly string[] {
  const version = mqtt.protocolVersion === 5 ? "MQTT 5" : mqtt.protocolVersion === 4 ? "MQTT 3.1.1" : "MQTT";
  return [
    `Streams  ${mqtt.connected ? `${version}, connected` : alarm("not connected", colour)}${
      mqtt.reconnects > 0 ? `, ${formatCount(mqtt.reconnects)} reconnects` : ""
    }; ${delayText(now, ", ")}`,
    `         ${formatCount(mqtt.pendingMessages)} messages not yet acknowledged (${formatBytes(mqtt.pendingBytes)}), ${
      formatCount(mqtt.inboxReadings)
    } in the inbox`,
  ];
}

function filesLines(files: FilesStatus, now: AppStatus, options: StatusTextOptions): readonly string[] {
  const cap = now.capRows === null ? "no cap" : `cap ${formatCount(now.capRows)} rows/s`;
  const parts = [
    `${formatCount(files.active.length)} being read`,
    `${formatCount(files.waitingFiles)} waiting${
      files.waitingFiles === 0 ? "" : ` (${formatBytes(files.waitingBytes)})`
    }`,
    `${formatCount(files.doneFiles)} done`,
    ...(files.quarantinedFiles === 0
      ? []
      : [alarm(`${formatCount(files.quarantinedFiles)} in quarantine`, options.colour)]),
  ];
  return [
    `Files    ${cap}, ${formatCount(now.floorRows)} promised`,
    `         ${parts.join(", ")}`,
    ...files.active.slice(0, filesShownMax).flatMap((file) => fileLines(file, options)),
    ...(files.active.length <= filesShownMax
      ? []
      : [`         ${moreFilesText(files.active.slice(filesShownMax))}; --json has all`]),
  ];
}

function fileLines(file: FileStatus, { columns, colour }: StatusTextOptions): readonly string[] {
  const rows = file.rowsEstimated === null
    ? `${formatCount(file.rowsRead)} rows`
    : `${formatCount(file.rowsRead)} of about ${formatCount(file.rowsEstimated)} rows`;
  const bad = file.badRows === 0 ? "" : `, ${formatCount(file.badRows)} bad`;
  const name = printable(file.name);
  const shown = fit(name, Math.min(nameColumnsMax, Math.max(20, columns - 46)), asciiGlyphs);
  const first = `         ${shown} ${percentText(progressOf(file)).padStart(5)}  ${etaText(file)}${
    verdictText(file, colour)
  }`;
  return [
    first,
    ...[`${rows}${bad}`, deadlineText(file)].filter((text) => text !== "").map((text) => `           ${text}`),
  ];
}

function verdictText({ verdict }: FileStatus, colour: boolean): string {
  if (verdict === "none") return "";
  const words = verdict.replace("_", " ");
  return `  ${verdict === "on_time" ? words : alarm(words, colour)}`;
}

function deadlineText({ timeLeftMs = null, capNeededRows = null }: FileStatus): string {
  if (timeLeftMs === null) return "";
  const deadline = timeLeftMs < 0
    ? `its deadline was ${formatDuration(-timeLeftMs)} ago`
    : `its deadline is in ${formatDuration(timeLeftMs)}`;
  return `${deadline}${capNeededRows === null ? "" : `: --files-cap ${capNeededRows}/s would do`}`;
}

/** Only where readings are or were put aside. */
function spoolLines({ spool }: AppStatus, { colour }: StatusTextOptions): readonly string[] {
  const texts = spoolTexts(spool);
  if (texts === null) return [];
  return [`Spool    ${texts.holds}`, ...texts.troubles.map((text) => `         ${alarm(text, colour)}`)];
}

function sinkLines({ sink }: AppStatus, { colour }: StatusTextOptions): readonly string[] {
  const state = sink.connected ? "connected" : alarm("not connected", colour);
  const first = `Sink     ${printable(sink.kind)}, ${state}; ${formatCount(sink.inFlightReadings)} in flight, ${
    formatCount(sink.retries)
  } retries`;
  return [
    first,
    ...(sink.throttledMs > 0 ? [`         throttled by it for ${formatDuration(sink.throttledMs)} in all`] : []),
    ...(sink.trouble === null ? [] : [`         ${alarm(printable(sink.trouble, 1000), colour)}`]),
  ];
}

function alarm(text: string, colour: boolean): string {
  return colour ? `\u001b[1;31m${text}\u001b[0m` : text;
}
