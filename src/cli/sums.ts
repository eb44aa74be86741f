/**
 * The sums as log lines that add up: read = delivered + filtered + dead-lettered + dropped + open, for each origin.
 *
 * @module
 */
import type { Origin } from "../core/delivery.ts";
import type { Emit } from "../core/event.ts";
import type { AppStatus, LetterSums } from "../core/status.ts";
import type { Sums } from "../core/tally.ts";
import { formatCount } from "../core/text.ts";

const kindOf = { real_time: "mqtt", batch: "files" } as const;

/** One line for each origin that has a source or readings, and one for dead letters that were acted on. */
export function emitSums(status: AppStatus, emit: Emit): void {
  for (const origin of ["real_time", "batch"] as const satisfies readonly Origin[]) {
    const sums = status.sums[origin];
    if (sums.read === 0 && !status.sources.some((source) => source.kind === kindOf[origin])) continue;
    emit("info", "app.summed", sumsLine(origin, sums), { origin, ...sums });
  }
  const { letters } = status;
  if (letters === undefined || Object.values(letters).every((count) => count === 0)) return;
  emit("info", "letters.summed", lettersLine(letters), { ...letters });
}

/** `dead letters: 12 replayed = 9 delivered + 1 filtered + 2 failed again; 5 expired; 20 sent to the topic`. */
function lettersLine({ delivered, filtered, failed, expired, forwarded }: LetterSums): string {
  const replayed = `${formatCount(delivered + filtered + failed)} replayed = ${formatCount(delivered)} delivered + ${
    formatCount(filtered)
  } filtered + ${formatCount(failed)} failed again`;
  return `dead letters: ${replayed}; ${formatCount(expired)} expired; ${formatCount(forwarded)} sent to the topic`;
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
