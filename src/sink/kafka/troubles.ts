/**
 * What is wrong at the moment, said once: an event when a trouble begins, one when it is over, however many partitions, connections and
 * attempts it shows in.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { Emit } from "../../core/event.ts";
import { formatDuration, sentence } from "../../core/text.ts";

/** The board of troubles. A place (a partition, a lane's metadata) has at most one trouble at a time. */
export interface Troubles {
  /** `place` suffers from `trouble`. The first place of a trouble makes an event. */
  suffer(trouble: string, place: string, what: string, advice: string): void;
  /** `place` is well. The last place of a trouble makes an event. */
  recover(place: string): void;
  /** What is wrong, for people; the oldest first; null when all is well. */
  text(): string | null;
}

interface Trouble {
  readonly what: string;
  readonly advice: string;
  readonly sinceMs: number;
  readonly places: Set<string>;
}

/** Makes an empty board. */
export function createTroubles(clock: Clock, emit: Emit): Troubles {
  const troubles = new Map<string, Trouble>();
  const troubleOfPlace = new Map<string, string>();

  return {
    suffer(name, place, what, advice) {
      const before = troubleOfPlace.get(place);
      if (before === name) return;
      let trouble = troubles.get(name);
      if (trouble === undefined) {
        trouble = { what, advice, sinceMs: clock.nowMs(), places: new Set() };
        troubles.set(name, trouble);
        emit("error", "kafka.trouble_began", `${what}. ${sentence(advice)} Trying again until it works`, {
          trouble: name,
          what,
          advice,
        });
      }
      // One trouble that turns into another is not over: nothing is said of its end.
      if (before !== undefined) leave(before, place);
      trouble.places.add(place);
      troubleOfPlace.set(place, name);
    },
    recover(place) {
      const name = troubleOfPlace.get(place);
      if (name === undefined) return;
      troubleOfPlace.delete(place);
      const trouble = leave(name, place);
      if (trouble === null) return;
      const lastedMs = Math.round(clock.nowMs() - trouble.sinceMs);
      emit("info", "kafka.trouble_over", `Over after ${formatDuration(lastedMs)}: ${trouble.what}`, {
        trouble: name,
        lasted_ms: lastedMs,
      });
    },
    text() {
      if (troubles.size === 0) return null;
      return [...troubles.values()].map(({ what, advice }) => `${what}. ${advice}`).join("; ");
    },
  };

  /** Takes a place off a trouble; gives the trouble when that was its last. */
  function leave(name: string, place: string): Trouble | null {
    const trouble = troubles.get(name);
    if (trouble === undefined) return null;
    trouble.places.delete(place);
    if (trouble.places.size > 0) return null;
    troubles.delete(name);
    return trouble;
  }
}
