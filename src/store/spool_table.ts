/**
 * The table of readings of streams that wait on disk for the sink.
 *
 * @module
 */
import { spooledBytes, type SpooledReading, type SpoolStore, utf8Bytes } from "../core/spool.ts";
import type { Database, SqlRow } from "./database.ts";
import { numberIn, numberOrNullIn, textIn, wholeText } from "./row.ts";

/** The synchronous half of `SpoolStore`. */
export type SpoolTable = {
  readonly [M in keyof SpoolStore]: (...args: Parameters<SpoolStore[M]>) => Awaited<ReturnType<SpoolStore[M]>>;
};

/** The spool. Nobody else changes it: its sums are kept here and not added up each time. */
export function spoolTable(db: Database): SpoolTable {
  const sums = db.prepare("SELECT count(*) AS readings, coalesce(sum(size_bytes), 0) AS bytes FROM spool");
  const insert = db.prepare(
    "INSERT INTO spool (number, id, source, value, row, arrived_at_ms, redelivered, size_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const first = db.prepare("SELECT arrived_at_ms FROM spool ORDER BY number LIMIT 1");
  const remove = db.prepare("DELETE FROM spool WHERE number = ? RETURNING size_bytes");
  const range = db.prepare(
    `SELECT number, ${wholeText("id")}, ${wholeText("source")}, ${wholeText("value")}, row, arrived_at_ms, redelivered,
       size_bytes
     FROM spool WHERE number > ? AND source NOT IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT ?`,
  );
  const oldest = db.prepare(
    `SELECT number, ${wholeText("source")}, size_bytes FROM spool
     WHERE number NOT IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT ?`,
  );
  let known: { readings: number; bytes: number } | null = null;

  function measured(): { readings: number; bytes: number } {
    if (known !== null) return known;
    const row = sums.get() ?? {};
    return { readings: numberIn(row, "readings"), bytes: numberIn(row, "bytes") };
  }

  function totals() {
    const now = known ??= measured();
    const row = now.readings === 0 ? null : first.get();
    return { ...now, oldestAtMs: row === null ? null : numberIn(row, "arrived_at_ms") };
  }

  /** Changes the table and its sums; what is rolled back was never summed. */
  function change<T>(durability: "full" | "normal", work: (now: { readings: number; bytes: number }) => T): T {
    const now = { ...measured() };
    known = null;
    const result = db.write(durability, () => work(now));
    known = now;
    return result;
  }

  function takeOut(now: { readings: number; bytes: number }, number: number): void {
    const row = remove.get(number);
    if (row === null) return;
    now.readings -= 1;
    now.bytes -= numberIn(row, "size_bytes");
  }

  return {
    spoolAppend(readings) {
      change("full", (now) => {
        for (const reading of readings) {
          const { number, id, source, value, row, arrivedAtMs, redelivered } = reading;
          const bytes = spooledBytes(reading, utf8Bytes(value));
          insert.run(number, id, source, value, row, arrivedAtMs, redelivered ? 1 : 0, bytes);
          now.readings += 1;
          now.bytes += bytes;
        }
      });
      return totals();
    },
    spoolRead({ after, limit, bytesMax, except }) {
      const readings: SpooledReading[] = [];
      let bytes = 0;
      for (const row of range.all(after, JSON.stringify(except), limit)) {
        bytes += numberIn(row, "size_bytes");
        if (bytes > bytesMax && readings.length > 0) break;
        readings.push(readingOf(row));
      }
      return readings;
    },
    spoolRemove(numbers) {
      change("normal", (now) => {
        for (const number of numbers) takeOut(now, number);
      });
      return totals();
    },
    spoolDropOldest(bytes, spared) {
      const dropped = change("full", (now) => {
        const gone: { number: number; source: string }[] = [];
        const wanted = now.bytes - bytes;
        while (now.bytes > wanted) {
          const rows = oldest.all(JSON.stringify(spared), dropBatch);
          if (rows.length === 0) break;
          for (const row of rows) {
            if (now.bytes <= wanted) break;
            const number = numberIn(row, "number");
            takeOut(now, number);
            gone.push({ number, source: textIn(row, "source") });
          }
        }
        return gone;
      });
      return { ...totals(), dropped };
    },
    spoolInventory() {
      const ends = db.prepare("SELECT min(number) AS least, max(number) AS greatest FROM spool").get() ?? {};
      const sources = db.prepare(
        `SELECT ${wholeText("source")}, count(*) AS readings FROM spool GROUP BY source`,
      ).all();
      known = null;
      return {
        ...totals(),
        firstNumber: numberOrNullIn(ends, "least") ?? 0,
        lastNumber: numberOrNullIn(ends, "greatest") ?? 0,
        sources: sources.map((row) => ({ source: textIn(row, "source"), readings: numberIn(row, "readings") })),
      };
    },
  };
}

/** Looked at in one query when room is made. */
const dropBatch = 200;

function readingOf(row: SqlRow): SpooledReading {
  return {
    number: numberIn(row, "number"),
    id: textIn(row, "id"),
    source: textIn(row, "source"),
    value: textIn(row, "value"),
    row: numberIn(row, "row"),
    arrivedAtMs: numberIn(row, "arrived_at_ms"),
    redelivered: numberIn(row, "redelivered") === 1,
  };
}
