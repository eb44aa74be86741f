/**
 * Dead letters in the state file, within a limit. When it is reached, a letter of a file is refused (the file waits) and a letter of a
 * stream takes the place of the oldest letters of streams.
 *
 * @module
 */
import type { Origin } from "../core/delivery.ts";
import { type DeadLetter, reasons } from "../core/reading.ts";
import type { AppendResult, LetterFilter, StoredLetter } from "../core/store.ts";
import type { LetterRange } from "../core/replay.ts";
import type { Database, SqlRow, SqlValue } from "./database.ts";
import { letterBytes } from "./letter_size.ts";
import { newestVersion } from "./schema.ts";
import {
  bytesIn,
  isTextList,
  jsonOrNullIn,
  numberIn,
  numberOrNullIn,
  textIn,
  textOrNullIn,
  wholeText,
  wordIn,
} from "./row.ts";

/** The reading half of `DeadLetterStore`, synchronous. */
export interface LetterReader {
  list(filter: LetterFilter, limit: number): readonly StoredLetter[];
  letter(number: number): StoredLetter | null;
  letterCount(filter: LetterFilter): { readonly letters: number; readonly bytes: number };
  lettersInRange(filter: LetterFilter, range: LetterRange): readonly StoredLetter[];
}

/** The writing half. */
export interface LetterWriter {
  append(letters: readonly DeadLetter[], storedAtMs: number): AppendResult;
  removeLetters(filter: LetterFilter, limit: number): number;
  /** Deletes these, inside a transaction of the caller. */
  removeNumbers(numbers: readonly number[]): void;
}

const origins = ["real_time", "batch"] as const;

/**
 * Reads letters; prepares nothing until asked.
 *
 * @param version of the tables: a command may look into the file of an older gateway that still runs
 */
export function letterReader(db: Database, version: number = newestVersion): LetterReader {
  const fromOutside: readonly string[] = ["id", "detail", "source"];
  const newer: Readonly<Record<string, string>> = version < 2
    ? { delimiter: "NULL AS delimiter", tries: "0 AS tries" }
    : {};
  const selected = ["number", ...columns].map((column) =>
    fromOutside.includes(column) ? wholeText(column) : newer[column] ?? column
  );
  const select = `SELECT ${selected.join(", ")} FROM letters`;
  return {
    list(filter, limit) {
      const { where, values } = conditionOf(filter);
      return db.prepare(`${select} ${where} ORDER BY number DESC LIMIT ?`).all(...values, limit)
        .map(letterOf);
    },
    letter(number) {
      const row = db.prepare(`${select} WHERE number = ?`).get(number);
      return row === null ? null : letterOf(row);
    },
    letterCount(filter) {
      const { where, values } = conditionOf(filter);
      const row = db.prepare(`SELECT count(*) AS letters, coalesce(sum(size_bytes), 0) AS bytes FROM letters ${where}`)
        .get(...values);
      return row === null
        ? { letters: 0, bytes: 0 }
        : { letters: numberIn(row, "letters"), bytes: numberIn(row, "bytes") };
    },
    lettersInRange(filter, { after, upTo, limit, bytesMax }) {
      const { where, values } = conditionOf(filter, [["number > ?", after], ["number <= ?", upTo]]);
      const sizes = db.prepare(`SELECT number, size_bytes FROM letters ${where} ORDER BY number LIMIT ?`)
        .all(...values, limit);
      let bytes = 0;
      const fitting = sizes.filter((row, index) => (bytes += numberIn(row, "size_bytes")) <= bytesMax || index === 0);
      return db.prepare(`${select} ${where} ORDER BY number LIMIT ?`).all(...values, fitting.length).map(letterOf);
    },
  };
}

/** Writes letters, holding them within `bytesMax`. A batch is one transaction, synced to the disk. */
export function letterWriter(db: Database, bytesMax: number): LetterWriter {
  const sum = db.prepare("SELECT coalesce(sum(size_bytes), 0) AS bytes FROM letters WHERE origin = ?");
  const sameId = db.prepare("SELECT number, origin, size_bytes, tries FROM letters WHERE id = ?");
  const oldestOfStreams = db.prepare(
    "SELECT number, size_bytes FROM letters WHERE origin = 'real_time' AND number != ? ORDER BY number LIMIT 1",
  );
  const remove = db.prepare("DELETE FROM letters WHERE number = ?");
  // A letter that is replaced gives its number; without one (null) it gets the next.
  const store = db.prepare(
    `INSERT OR REPLACE INTO letters (number, ${columns.join(", ")}) VALUES (?, ${columns.map(() => "?").join(", ")})`,
  );

  const dataVersion = db.prepare("SELECT data_version AS version FROM pragma_data_version");
  /** Sums as of the last commit; they hold while nobody else changes the file (its `data_version` says so). */
  let known: Known | null = null;

  function used(origin: Origin): number {
    const row = sum.get(origin);
    return row === null ? 0 : numberIn(row, "bytes");
  }

  /** Bytes of the letters now, inside the transaction. Summing up is slow where there are many. */
  function measured(): Known {
    const row = dataVersion.get();
    const version = row === null ? -1 : numberIn(row, "version");
    if (known?.version === version) return known;
    return { version, bytesOf: { real_time: used("real_time"), batch: used("batch") } };
  }

  /** The letter that has this id already: its room is free for the new one. */
  function former(id: string): Former | null {
    const row = sameId.get(id);
    if (row === null) return null;
    return {
      number: numberIn(row, "number"),
      origin: wordIn(row, "origin", origins),
      bytes: numberIn(row, "size_bytes"),
      tries: numberIn(row, "tries"),
    };
  }

  /** Deletes the oldest letters of streams, sparing one number, until so many bytes are free. */
  function evict(bytes: number, spared: number): { readonly letters: number; readonly bytes: number } {
    let letters = 0;
    let freed = 0;
    while (freed < bytes) {
      const oldest = oldestOfStreams.get(spared);
      if (oldest === null) throw new Error("The letters of streams are fewer than their sum says");
      remove.run(numberIn(oldest, "number"));
      freed += numberIn(oldest, "size_bytes");
      letters += 1;
    }
    return { letters, bytes: freed };
  }

  function appendAll({ bytesOf }: Known, letters: readonly DeadLetter[], storedAtMs: number): AppendResult {
    let dropped = 0;
    for (const [index, letter] of letters.entries()) {
      const size = letterBytes(letter);
      const old = former(letter.id);
      if (old !== null) bytesOf[old.origin] -= old.bytes;
      const missing = bytesOf.real_time + bytesOf.batch + size - bytesMax;
      if (missing > 0 && letter.origin === "batch") {
        if (old === null) return { accepted: index, droppedStreamLetters: dropped };
        // What is stored under this id holds the same bytes; refused, it would be tried for ever.
        bytesOf[old.origin] += old.bytes;
        continue;
      }
      if (missing > bytesOf.real_time) {
        // Not even without all others: this one is dropped, and what had its id stays.
        if (old !== null) bytesOf[old.origin] += old.bytes;
        dropped += 1;
        continue;
      }
      const evicted = evict(missing, old?.number ?? -1);
      dropped += evicted.letters;
      bytesOf.real_time -= evicted.bytes;
      store.run(old?.number ?? null, ...valuesOf(letter, storedAtMs, size, old?.tries ?? 0));
      bytesOf[letter.origin] += size;
    }
    return { accepted: letters.length, droppedStreamLetters: dropped };
  }

  return {
    append(letters, storedAtMs) {
      const { sums, result } = db.write("full", () => {
        const sums = measured();
        // What is rolled back was never summed.
        known = null;
        return { sums, result: appendAll(sums, letters, storedAtMs) };
      });
      known = sums;
      return result;
    },
    removeLetters(filter, limit) {
      const { where, values } = conditionOf(filter);
      const oldest = `SELECT number FROM letters ${where} ORDER BY number LIMIT ?`;
      // Changes of one's own do not change the file's `data_version`.
      known = null;
      return db.write(
        "full",
        () => db.prepare(`DELETE FROM letters WHERE number IN (${oldest})`).run(...values, limit).changes,
      );
    },
    removeNumbers(numbers) {
      known = null;
      for (const number of numbers) remove.run(number);
    },
  };
}

interface Former {
  readonly number: number;
  readonly origin: Origin;
  readonly bytes: number;
  readonly tries: number;
}

/** What the letters of each origin come to, as of a version of the file. */
interface Known {
  readonly version: number;
  readonly bytesOf: Record<Origin, number>;
}

/** In the order of {@linkcode valuesOf}. */
const columns = [
  "id",
  "reason",
  "detail",
  "origin",
  "source",
  '"row"',
  '"byte"',
  "decoder",
  "header",
  "raw",
  "arrived_at_ms",
  "stored_at_ms",
  "size_bytes",
  "delimiter",
  "tries",
] as const;

function valuesOf(letter: DeadLetter, storedAtMs: number, size: number, tries: number): SqlValue[] {
  const { id, reason, detail, origin, source, row, byte, decoder, header, raw, arrivedAtMs } = letter;
  const headerText = header === null ? null : JSON.stringify(header);
  const delimiter = letter.delimiter ?? null;
  return [
    ...[id, reason, detail, origin, source, row, byte, decoder, headerText, raw, arrivedAtMs, storedAtMs, size],
    ...[delimiter, tries],
  ];
}

function letterOf(row: SqlRow): StoredLetter {
  const delimiter = textOrNullIn(row, "delimiter");
  return {
    number: numberIn(row, "number"),
    id: textIn(row, "id"),
    reason: wordIn(row, "reason", reasons),
    detail: textIn(row, "detail"),
    origin: wordIn(row, "origin", origins),
    source: textIn(row, "source"),
    row: numberOrNullIn(row, "row"),
    byte: numberOrNullIn(row, "byte"),
    decoder: textIn(row, "decoder"),
    header: jsonOrNullIn(row, "header", isTextList),
    ...(delimiter === null ? {} : { delimiter }),
    raw: bytesIn(row, "raw"),
    arrivedAtMs: numberIn(row, "arrived_at_ms"),
    storedAtMs: numberIn(row, "stored_at_ms"),
    tries: numberIn(row, "tries"),
  };
}

/** Every value is bound, never written into the SQL. */
function conditionOf(
  filter: LetterFilter,
  more: readonly (readonly [condition: string, value: SqlValue])[] = [],
): { readonly where: string; readonly values: readonly SqlValue[] } {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  function add(condition: string, value: SqlValue | undefined): void {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  }
  add("reason = ?", filter.reason);
  add("origin = ?", filter.origin);
  add("source = ?", filter.source);
  add("arrived_at_ms >= ?", filter.sinceMs);
  add("arrived_at_ms <= ?", filter.untilMs);
  add("id >= ?", filter.idPrefix);
  add("id < ?", filter.idPrefix === undefined ? undefined : behindPrefix(filter.idPrefix));
  add('"byte" >= ?', filter.fromByte);
  for (const [condition, value] of more) add(condition, value);
  return { where: conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`, values };
}

/** The first text behind all that begin with a prefix that ends in `/`: `0` is the next character. */
function behindPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
