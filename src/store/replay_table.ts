/**
 * Requests to replay dead letters, and the marks of those who follow the letters. A command writes a request into the file; the gateway
 * finds it there, works it off, and writes how far it is, which the command reads.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { openReplaysMax, type ReplayRequest, type ReplayStep, type ReplayWish } from "../core/replay.ts";
import type { LetterFilter } from "../core/store.ts";
import type { Database, SqlRow } from "./database.ts";
import type { LetterReader, LetterWriter } from "./letter_table.ts";
import { jsonOrNullIn, numberIn } from "./row.ts";

/** The synchronous half of `LetterActions`, without reading and removing letters. */
export interface ReplayTable {
  askReplay(wish: ReplayWish, askedAtMs: number): ReplayRequest;
  nextReplay(): ReplayRequest | null;
  replay(number: number): ReplayRequest | null;
  stepReplay(step: ReplayStep): void;
  mark(name: string): number;
  saveMark(name: string, number: number): void;
}

/** Requests that are done and still told about. */
const donesKeptMax = 20;

/** Requests and marks. Prepares nothing until asked. */
export function replayTable(
  db: Database,
  letters: Pick<LetterReader, "letterCount"> & Pick<LetterWriter, "removeNumbers">,
): ReplayTable {
  function replay(number: number): ReplayRequest | null {
    const row = db.prepare("SELECT * FROM requests WHERE number = ?").get(number);
    return row === null ? null : requestOf(row);
  }

  function numberFrom(sql: string): number {
    const row = db.prepare(sql).get();
    return row === null ? 0 : numberIn(row, "n");
  }

  function ask({ filter, ratePerSecond }: ReplayWish, askedAtMs: number): ReplayRequest {
    if (numberFrom("SELECT count(*) AS n FROM requests WHERE done = 0") >= openReplaysMax) {
      throw new WeirError("unavailable", `${openReplaysMax} replays are under way or wait already`, {
        retriable: true,
        advice: "Wait until they are done",
      });
    }
    const lastLetter = numberFrom("SELECT coalesce(max(number), 0) AS n FROM letters");
    db.prepare(
      "INSERT INTO requests (filter, rate_per_second, last_letter, at_letter, total, asked_at_ms) VALUES (?, ?, ?, 0, ?, ?)",
    ).run(JSON.stringify(filter), ratePerSecond, lastLetter, letters.letterCount(filter).letters, askedAtMs);
    const request = replay(numberFrom("SELECT last_insert_rowid() AS n"));
    if (request === null) throw new Error("A request that was written is not there");
    db.prepare(
      "DELETE FROM requests WHERE done = 1 AND number NOT IN (SELECT number FROM requests WHERE done = 1 ORDER BY number DESC LIMIT ?)",
    ).run(donesKeptMax);
    return request;
  }

  return {
    askReplay: (wish, askedAtMs) => db.write("full", () => ask(wish, askedAtMs)),
    nextReplay() {
      const row = db.prepare("SELECT * FROM requests WHERE done = 0 ORDER BY number LIMIT 1").get();
      return row === null ? null : requestOf(row);
    },
    replay,
    stepReplay({ request, atLetter, delivered, filtered, failed, done }) {
      db.write("full", () => {
        letters.removeNumbers(delivered);
        letters.removeNumbers(filtered);
        const tried = db.prepare("UPDATE letters SET tries = tries + 1 WHERE number = ?");
        for (const number of failed) tried.run(number);
        db.prepare(
          `UPDATE requests SET at_letter = max(at_letter, ?), delivered = delivered + ?, filtered = filtered + ?,
             failed = failed + ?, done = ? WHERE number = ?`,
        ).run(atLetter, delivered.length, filtered.length, failed.length, done ? 1 : 0, request);
      });
    },
    mark(name) {
      const row = db.prepare("SELECT number FROM marks WHERE name = ?").get(name);
      return row === null ? 0 : numberIn(row, "number");
    },
    // Its loss only sends letters once more.
    saveMark(name, number) {
      db.write(
        "normal",
        () => db.prepare("INSERT OR REPLACE INTO marks (name, number) VALUES (?, ?)").run(name, number),
      );
    },
  };
}

function requestOf(row: SqlRow): ReplayRequest {
  return {
    number: numberIn(row, "number"),
    filter: jsonOrNullIn(row, "filter", isFilter) ?? {},
    ratePerSecond: numberIn(row, "rate_per_second"),
    lastLetter: numberIn(row, "last_letter"),
    atLetter: numberIn(row, "at_letter"),
    total: numberIn(row, "total"),
    delivered: numberIn(row, "delivered"),
    filtered: numberIn(row, "filtered"),
    failed: numberIn(row, "failed"),
    done: numberIn(row, "done") === 1,
    askedAtMs: numberIn(row, "asked_at_ms"),
  };
}

const kindOf: Readonly<Record<keyof LetterFilter, string>> = {
  reason: "string",
  origin: "string",
  source: "string",
  sinceMs: "number",
  untilMs: "number",
  idPrefix: "string",
  fromByte: "number",
};

function isFilter(value: unknown): value is LetterFilter {
  if (typeof value !== "object" || value === null) return false;
  const kinds: Readonly<Record<string, string>> = kindOf;
  return Object.entries(value).every(([name, entry]) => Object.hasOwn(kinds, name) && typeof entry === kinds[name]);
}
