/**
 * The sums as log lines that add up: read = delivered + filtered + dead-lettered + dropped + open, for each origin.
 *
 * @module
 */
import type { Origin } from "../core/delivery.ts";
import type { Emit } from "../core/event.ts";
import type { AppStatus } from "../core/status.ts";
import type { Sums } from "../core/tally.ts";
import { formatCount } from "../core/text.ts";

/** One line for each origin that has a source. */
export function emitSums(status: AppStatus, emit: Emit): void {
  for (const source of status.sources) {
    const origin: Origin = source.kind === "mqtt" ? "real_time" : "batch";
    emit("info", "app.summed", sumsLine(origin, status.sums[origin]), { origin, ...status.sums[origin] });
  }
}

/** `real_time: 1,005 read = 1,000 delivered + 0 filtered + 2 dead-lettered + 0 dropped + 3 open`. */
export function sumsLine(origin: Origin, sums: Sums): string {
  const { read, delivered, filtered, dead_lettered, dropped, open } = sums;
  return `${origin}: ${formatCount(read)} read = ${formatCount(delivered)} delivered + ${
    formatCount(filtered)
  } filtered + ${formatCount(dead_lettered)} dead-lettered + ${formatCount(dropped)} dropped + ${
    formatCount(open)
  } open`;
}

/** Readings of both origins that have no verdict yet. */
export function openCount(status: AppStatus): number {
  return status.sums.real_time.open + status.sums.batch.open;
}
