/**
 * The verdicts of the letters of one request, in their order: what the ledger is told next is the finished prefix, so that after a restart a
 * request goes on behind it.
 *
 * @module
 */
import type { Delivery, Verdict } from "../../core/delivery.ts";
import { finishedPrefix } from "../../core/finished_prefix.ts";
import type { ReplayStep } from "../../core/replay.ts";
import type { StoredLetter } from "../../core/store.ts";

/** Letters under way. */
export interface ReplayDeliveries {
  /** The delivery of the next letter: each has its own, since origin and source are the letter's. */
  add(letter: StoredLetter): Delivery;
  /** A letter was handed over. */
  taken(): void;
  /** Letters added whose verdict is not in. */
  readonly unfinished: number;
  /** Letters handed over whose verdict is not in. */
  readonly open: number;
  /** Takes the finished prefix out; null when it is empty. */
  finished(): Omit<ReplayStep, "request" | "done"> | null;
}

interface Entry {
  readonly number: number;
  verdict: Verdict;
}

/** @param settled called after each verdict */
export function replayDeliveries(settled: () => void): ReplayDeliveries {
  const prefix = finishedPrefix();
  /** From the first that was not taken out. */
  let entries: Entry[] = [];
  let takenOut = 0;
  let taken = 0;
  let verdicts = 0;

  function numbersOf(done: readonly Entry[], ...wanted: readonly Verdict[]): number[] {
    return done.filter(({ verdict }) => wanted.includes(verdict)).map(({ number }) => number);
  }

  return {
    add({ number, origin, source }) {
      const at = prefix.start();
      const entry: Entry = { number, verdict: "dropped" };
      entries.push(entry);
      return {
        origin,
        source,
        settle(index, verdict) {
          if (index !== 0) throw new Error(`Cannot settle index ${index}: a letter is one item`);
          prefix.finish(at);
          entry.verdict = verdict;
          verdicts += 1;
          settled();
        },
      };
    },
    taken() {
      taken += 1;
    },
    get unfinished() {
      return prefix.started - verdicts;
    },
    get open() {
      return taken - verdicts;
    },
    finished() {
      const done = entries.slice(0, prefix.length - takenOut);
      const last = done.at(-1);
      if (last === undefined) return null;
      entries = entries.slice(done.length);
      takenOut += done.length;
      return {
        atLetter: last.number,
        delivered: numbersOf(done, "delivered"),
        filtered: numbersOf(done, "filtered"),
        failed: numbersOf(done, "dead_lettered", "dropped"),
      };
    },
  };
}
