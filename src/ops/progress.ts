/**
 * Whether the data path does its work. It does unless all of these hold for a minute:
 *
 * - something waits: a reading has no verdict yet, or lies in the MQTT inbox;
 * - nothing outside is waited for: the sink is connected and has no trouble to tell, and dead letters can be stored;
 * - no counter has moved: nothing was read, settled, retried, throttled or connected anew.
 *
 * Waiting rows of files do not count, since to hold them back is what the cap is for; once one is let go it counts as having no verdict.
 * Hence a gateway that is idle, capped, throttled, or without broker, Kafka or disk is well; one that lost a verdict or a credit is not.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import type { Event } from "../core/event.ts";
import type { AppStatus } from "../core/status.ts";

/** Longer than a request to Kafka may take before it fails and counts as trouble. */
export const stuckMs = 60_000;

/** Looks at the program now and then. */
export interface ProgressWatch {
  /** Whether it does its work. Call it a few times within {@linkcode stuckMs}. */
  moves(status: AppStatus): boolean;
  /** Listens: dead letters that cannot be stored are waited for. */
  take(event: Event): void;
}

/** Makes a {@linkcode ProgressWatch}. */
export function createProgressWatch(clock: Clock): ProgressWatch {
  const stuckLetters = new Set<unknown>();
  let lastMark = "";
  let movedAtMs = clock.nowMs();

  return {
    moves(status) {
      const mark = markOf(status);
      const excused = !somethingWaits(status) || stuckLetters.size > 0 || !status.sink.connected ||
        status.sink.trouble !== null;
      if (excused || mark !== lastMark) movedAtMs = clock.nowMs();
      lastMark = mark;
      return clock.nowMs() - movedAtMs < stuckMs;
    },
    take({ name, data }) {
      if (name === "letters.stuck") stuckLetters.add(data["lane"]);
      if (name === "letters.recovered") stuckLetters.delete(data["lane"]);
    },
  };
}

function somethingWaits({ sums, sources }: AppStatus): boolean {
  return sums.real_time.open + sums.batch.open > 0 ||
    sources.some((source) => source.kind === "mqtt" && source.inboxReadings > 0);
}

/** Everything that only moves when something happens. */
function markOf({ sums, sources, sink }: AppStatus): string {
  const counters = [sums.real_time, sums.batch].map((
    one,
  ) => [one.read, one.delivered, one.filtered, one.dead_lettered, one.dropped]);
  const connections = sources.map((source) => source.kind === "mqtt" ? source.reconnects : 0);
  return JSON.stringify([counters, connections, sink.retries, sink.throttledMs]);
}
