/**
 * Readings on their way to the disk: they gather for a moment and are written together, one write at a time. What finds no room goes by
 * the rule (`block`, `drop_oldest`, `drop_newest`); a disk that fails is tried again, and nothing counts as written before it is.
 *
 * @module
 */
import { createBackoff } from "../core/backoff.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { Dice } from "../core/dice.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { Emit } from "../core/event.ts";
import { spooledBytes, type SpooledReading, type SpoolTotals } from "../core/spool.ts";
import { formatBytes, printable } from "../core/text.ts";
import type { Entry } from "./entry.ts";

/** What becomes of readings when the spool is full. */
export type WhenFull = "block" | "drop_oldest" | "drop_newest";

/** What a writer works with. */
export interface WriterParts {
  /** Most bytes in the spool; 0: nothing is written. */
  readonly bytesMax: number;
  readonly whenFull: WhenFull;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** Bytes that are in the spool now. */
  readonly bytesUsed: () => number;
  readonly append: (readings: readonly SpooledReading[]) => Promise<SpoolTotals>;
  /** Drops the oldest until so many bytes are free; resolves when it is done, with or without success. */
  readonly makeRoom: (bytes: number) => Promise<void>;
  /** These are on disk. */
  readonly onWritten: (entries: readonly Entry[]) => void;
  /** These found no room and are to be dropped (`drop_newest`). */
  readonly onRefused: (entries: readonly Entry[]) => void;
  /** Nothing can be written for now. */
  readonly onStuck: () => void;
}

/** Writes entries that are `wanted`. */
export interface Writer {
  /** Why nothing can be written now; null when all is well. */
  readonly stuck: "full" | "failing" | null;
  /** Takes an entry; an `older` one goes before all that are not. */
  add(entry: Entry, isOlder: boolean): void;
  /** There may be room where there was none. */
  roomFreed(): void;
  /** Nothing is written any more. */
  close(): void;
}

/** Readings gather for so long. It is a part of the time that a PUBACK takes while the sink is away. */
const lingerMs = 50;
const batchRowsMax = 500;
const batchBytesMax = 1024 * 1024;
const backoffLimits = { firstMs: 250, maxMs: 30_000 } as const;
/** New readings leave this share of the room to those that are stuck in memory before them, so that acknowledgements go on. */
const keptShare = 1 / 16;

/** Makes a {@linkcode Writer}. */
export function createWriter(parts: WriterParts): Writer {
  const { clock, emit } = parts;
  const backoff = createBackoff(backoffLimits, parts.dice);
  let older: Entry[] = [];
  let newer: Entry[] = [];
  let stuck: Writer["stuck"] = parts.bytesMax === 0 ? "full" : null;
  let fullSaid = parts.bytesMax === 0;
  let busy = false;
  let closed = false;
  let timer: Timer | null = null;

  function workAfter(delayMs: number): void {
    if (closed || busy || timer !== null) return;
    timer = clock.after(delayMs, () => {
      timer = null;
      if (stuck === "failing") stuck = null;
      void work();
    });
  }

  async function work(): Promise<void> {
    if (busy || closed || stuck !== null) return;
    busy = true;
    try {
      do {
        if (!await writeNext()) break;
      } while (!closed && stuck === null && (older.length > 0 || newer.length >= batchRowsMax));
    } finally {
      busy = false;
    }
    if (stuck === "failing") workAfter(backoff.nextMs());
    else if (stuck === null && older.length + newer.length > 0) workAfter(lingerMs);
  }

  /** Writes a batch. False: there is nothing to write, or it cannot be written now. */
  async function writeNext(): Promise<boolean> {
    older = older.filter((entry) => entry.wanted);
    newer = newer.filter((entry) => entry.wanted);
    const olderFirst = older.length > 0;
    const from = olderFirst ? older : newer;
    if (from.length === 0) return false;
    const limit = olderFirst ? parts.bytesMax : Math.floor(parts.bytesMax * (1 - keptShare));
    const batch = fitting(from, limit - parts.bytesUsed());
    if (batch.length === 0) return await findRoom(from, limit, olderFirst);
    return await write(batch);
  }

  async function write(batch: readonly Entry[]): Promise<boolean> {
    for (const entry of batch) entry.writing = true;
    const failure = await failureOf(() => parts.append(batch.map((entry) => storedForm(entry, clock))));
    for (const entry of batch) entry.writing = false;
    if (closed) return false;
    if (failure !== null) {
      fail(failure);
      return false;
    }
    for (const entry of batch) entry.wanted = false;
    older = older.filter((entry) => entry.wanted);
    newer = newer.filter((entry) => entry.wanted);
    recover();
    parts.onWritten(batch);
    return true;
  }

  /** Nothing of these fits. True: go on. */
  async function findRoom(from: readonly Entry[], limit: number, olderFirst: boolean): Promise<boolean> {
    if (parts.whenFull === "drop_newest" && !olderFirst) {
      const refused = from.slice(0, batchRowsMax);
      for (const entry of refused) entry.wanted = false;
      parts.onRefused(refused);
      return true;
    }
    if (parts.whenFull === "drop_oldest") {
      const wanted = Math.min(bytesOf(from.slice(0, batchRowsMax)), batchBytesMax, limit);
      const failure = await failureOf(() => parts.makeRoom(parts.bytesUsed() + wanted - limit));
      if (closed) return false;
      if (failure !== null) {
        fail(failure);
        return false;
      }
      if (fitting(from, limit - parts.bytesUsed()).length > 0) return true;
    }
    stuck = "full";
    if (!fullSaid) {
      fullSaid = true;
      emit(
        "warn",
        "spool.full",
        `The spool is full (--spool-max ${
          formatBytes(parts.bytesMax)
        }): streams are not acknowledged until there is room`,
        { bytes: parts.bytesUsed(), bytes_max: parts.bytesMax },
      );
    }
    parts.onStuck();
    return false;
  }

  function fail(failure: string): void {
    stuck = "failing";
    if (backoff.failures === 0) {
      emit(
        "error",
        "spool.stuck",
        `Readings of streams cannot be put aside on disk: ${
          printable(failure)
        }; they wait in memory, unacknowledged, and nothing is lost`,
        {},
      );
    }
    parts.onStuck();
  }

  function recover(): void {
    if (backoff.failures === 0) return;
    emit("info", "spool.recovered", "Readings of streams are put aside on disk again", { failures: backoff.failures });
    backoff.reset();
  }

  return {
    get stuck() {
      return stuck;
    },
    add(entry, isOlder) {
      entry.wanted = true;
      (isOlder ? older : newer).push(entry);
      if (stuck === null) workAfter(lingerMs);
    },
    roomFreed() {
      if (stuck !== "full" || parts.bytesMax === 0) return;
      stuck = null;
      if (parts.bytesUsed() < parts.bytesMax / 2) fullSaid = false;
      void work();
    },
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

/** How many from the front fit into the room and into a write. */
function fitting(entries: readonly Entry[], roomBytes: number): readonly Entry[] {
  let bytes = 0;
  let count = 0;
  for (const entry of entries) {
    bytes += sizeOf(entry);
    if (count === batchRowsMax || bytes > roomBytes || (bytes > batchBytesMax && count > 0)) break;
    count += 1;
  }
  return entries.slice(0, count);
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
}

function sizeOf({ item, source }: Entry): number {
  return item.kind === "reading" ? spooledBytes({ id: item.id, source }, item.bytes) : 0;
}

function storedForm({ item, number, source }: Entry, clock: Clock): SpooledReading {
  if (item.kind !== "reading") throw new Error(`A ${item.kind} item was to be spooled`);
  const { id, value, row, redelivered } = item;
  return {
    number,
    id,
    source,
    value,
    row,
    redelivered,
    arrivedAtMs: clock.wallMs() - (clock.nowMs() - item.arrivedMs),
  };
}

/** Only a store that cannot write is waited for; anything else is a defect and must end the program. */
async function failureOf(act: () => Promise<unknown>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown;
    return messageOf(thrown);
  }
}
