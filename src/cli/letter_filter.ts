/**
 * Which dead letters a command is about: the flags that `dlq list`, `dlq replay` and `dlq purge` share.
 *
 * @module
 */
import type { Gathered } from "../config/gather.ts";
import type { Moment } from "../config/kinds.ts";
import { options } from "../config/options.ts";
import type { LetterFilter } from "../core/store.ts";

/** The filter that the flags make. Times ago are counted from `nowMs`, the wall clock. */
export function filterOf({ value }: Gathered, nowMs: number): LetterFilter {
  const { letters } = options;
  const reason = value(letters.reason);
  const origin = value(letters.origin);
  const source = value(letters.source);
  const since = value(letters.since);
  const until = value(letters.until);
  return {
    ...(reason === null ? {} : { reason }),
    ...(origin === null ? {} : { origin }),
    ...(source === null ? {} : { source }),
    ...(since === null ? {} : { sinceMs: wallMsOf(since, nowMs) }),
    ...(until === null ? {} : { untilMs: wallMsOf(until, nowMs) }),
  };
}

function wallMsOf(moment: Moment, nowMs: number): number {
  return "agoMs" in moment ? nowMs - moment.agoMs : moment.atMs;
}
