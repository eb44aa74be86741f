/**
 * Figures for people out of a sequence of statuses: rates, curves and the texts that stand for them.
 *
 * @module
 */
import type { Origin } from "../core/delivery.ts";
import type { AppStatus, FileStatus, SpoolStatus } from "../core/status.ts";
import { formatBytes, formatCount, formatDuration } from "../core/text.ts";
import type { Glyphs } from "./screen_text.ts";

/** Rates are means over this time: long enough to be readable, short enough to follow. */
const rateWindowMs = 2000;

/** Readings of an origin that left their flow, a second, over the last `rateWindowMs`. */
export function rateOf(history: readonly AppStatus[], origin: Origin): number {
  return rate(history, (status) => status.sums[origin].read);
}

/** Readings of both origins that found their home, a second. */
export function deliveredRate(history: readonly AppStatus[]): number {
  return rate(history, ({ sums }) => sums.real_time.delivered + sums.batch.delivered);
}

function rate(history: readonly AppStatus[], count: (status: AppStatus) => number): number {
  const now = history.at(-1);
  if (now === undefined) return 0;
  const before = history.findLast((status) => status.upMs <= now.upMs - rateWindowMs) ?? history[0] ?? now;
  const ms = now.upMs - before.upMs;
  return ms <= 0 ? 0 : Math.max(0, (count(now) - count(before)) * 1000 / ms);
}

/** The rates of the last whole seconds as curves on one common scale, so that the rivers can be compared. */
export function curvesOf(
  history: readonly AppStatus[],
  columns: number,
  scaleMin: number,
  glyphs: Glyphs,
): Readonly<Record<Origin, string>> {
  const lastOfSecond = new Map<number, AppStatus>();
  for (const status of history) lastOfSecond.set(Math.floor(status.upMs / 1000), status);
  // The second that is not over yet would make the last column twitch.
  const ends = [...lastOfSecond.values()].slice(0, -1).slice(-columns - 1);
  const rates = (origin: Origin) =>
    ends.slice(1).map((end, i) => {
      const start = ends[i] ?? end;
      return (end.sums[origin].read - start.sums[origin].read) * 1000 / Math.max(1, end.upMs - start.upMs);
    });
  const both = { real_time: rates("real_time"), batch: rates("batch") };
  const scale = Math.max(1, scaleMin, ...both.real_time, ...both.batch);
  const curve = (values: readonly number[]) => {
    const levels = values.map((value) =>
      value <= 0
        ? " "
        : glyphs.levels[Math.min(glyphs.levels.length - 1, Math.floor(value / scale * glyphs.levels.length))]
    );
    return levels.join("").padStart(columns);
  };
  return { real_time: curve(both.real_time), batch: curve(both.batch) };
}

/** Share of the file that is read, 0 to 1; null when its size says nothing. */
export function progressOf(file: FileStatus): number | null {
  return file.sizeBytes <= 0 ? null : Math.min(1, Math.max(0, file.readBytes / file.sizeBytes));
}

/** Of files that are being read and are not shown: how many, and how many of them need attention. */
export function moreFilesText(hidden: readonly FileStatus[]): string {
  const troubled = hidden.filter(({ verdict }) => verdict === "late" || verdict === "at_risk").length;
  const of = troubled === 0 ? "" : `, ${formatCount(troubled)} of them late or at risk`;
  return `${formatCount(hidden.length)} more ${hidden.length === 1 ? "file is" : "files are"} being read${of}`;
}

/** `12 s left`, or that nobody knows. */
export function etaText(file: FileStatus): string {
  return file.etaMs === null || !Number.isFinite(file.etaMs) ? "ETA unknown" : `${wholeSeconds(file.etaMs)} left`;
}

/** A duration that does not twitch: whole seconds, rounded up. */
export function wholeSeconds(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : formatDuration(Math.ceil(ms / 1000) * 1000);
}

/** A bar of exactly `columns` characters. */
export function bar(share: number, columns: number, glyphs: Glyphs): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * columns);
  return glyphs.barFull.repeat(full) + glyphs.barEmpty.repeat(Math.max(0, columns - full));
}

/** `57 %`, or `? %` when it is not known. */
export function percentText(share: number | null): string {
  return share === null ? "? %" : `${Math.floor(share * 100 + 0.5)} %`;
}

/** `1,234/s`. */
export function rateText(rate: number): string {
  return `${formatCount(rate)}/s`;
}

/** The cap, or that there is none. */
export function capText(now: AppStatus): string {
  return now.capRows === null ? "no cap" : `cap ${formatCount(now.capRows)}/s`;
}

/** The delay of the live stream over the last ten seconds. */
export function delayText(now: AppStatus, separator: string): string {
  const { count, p50Ms, p99Ms } = now.streamDelay;
  if (count === 0) return "no delay measured";
  const ms = (value: number) => value < 100 ? `${value.toFixed(1)} ms` : formatDuration(value);
  return `delay p50 ${ms(p50Ms)}${separator}p99 ${ms(p99Ms)}`;
}

/** What waits on disk, and what is wrong with that; null where nothing waits and nothing was dropped. */
export function spoolTexts(
  spool: SpoolStatus | undefined,
): { readonly holds: string; readonly troubles: readonly string[] } | null {
  if (spool === undefined || (spool.readings === 0 && spool.droppedReadings === 0 && spool.stuck === null)) return null;
  const most = spool.bytesMax === 0 ? "" : ` of ${formatBytes(spool.bytesMax)}`;
  const oldest = spool.oldestAgeMs === null ? "" : `, oldest ${formatDuration(spool.oldestAgeMs)}`;
  return {
    holds: `${formatCount(spool.readings)} readings on disk (${formatBytes(spool.bytes)}${most})${oldest}`,
    troubles: [
      ...(spool.stuck === null ? [] : [spool.stuck === "full" ? "full" : "the disk fails"]),
      ...(spool.droppedReadings === 0 ? [] : [`${formatCount(spool.droppedReadings)} dropped`]),
    ],
  };
}
