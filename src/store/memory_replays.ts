/**
 * Requests to replay and marks, in memory: the same answers as the tables on disk.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { openReplaysMax, type ReplayRequest, type ReplayStep, type ReplayWish } from "../core/replay.ts";

/** The letters, as far as requests have to do with them. */
export interface ReplayedLetters {
  remove(numbers: readonly number[]): void;
  failedAgain(numbers: readonly number[]): void;
}

/** Requests, in the order in which they were asked. */
export interface ReplayShelf {
  ask(wish: ReplayWish, lastLetter: number, total: number, askedAtMs: number): ReplayRequest;
  next(): ReplayRequest | null;
  byNumber(number: number): ReplayRequest | null;
  step(step: ReplayStep): void;
}

/** Makes an empty shelf. */
export function replayShelf(letters: ReplayedLetters): ReplayShelf {
  const requests = new Map<number, ReplayRequest>();
  const open = (): ReplayRequest[] => [...requests.values()].filter((request) => !request.done);
  return {
    ask(wish, lastLetter, total, askedAtMs) {
      if (open().length >= openReplaysMax) {
        throw new WeirError("unavailable", `${openReplaysMax} replays are under way or wait already`, {
          retriable: true,
          advice: "Wait until they are done",
        });
      }
      const counts = { total, delivered: 0, filtered: 0, failed: 0 };
      const number = requests.size + 1;
      const request = { ...wish, number, lastLetter, atLetter: 0, ...counts, done: false, askedAtMs };
      requests.set(number, request);
      return request;
    },
    next: () => open()[0] ?? null,
    byNumber: (number) => requests.get(number) ?? null,
    step({ request, atLetter, delivered, filtered, failed, done }) {
      letters.remove(delivered);
      letters.remove(filtered);
      letters.failedAgain(failed);
      const now = requests.get(request);
      if (now === undefined) return;
      requests.set(request, {
        ...now,
        atLetter: Math.max(now.atLetter, atLetter),
        delivered: now.delivered + delivered.length,
        filtered: now.filtered + filtered.length,
        failed: now.failed + failed.length,
        done,
      });
    },
  };
}
