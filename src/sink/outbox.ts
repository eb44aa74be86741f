/**
 * The outbox: every item that the scheduler lets go comes here and leaves with exactly one verdict.
 *
 *     reading --> sink --+- delivered ------------------------------> settle, credit back
 *                        +- rejected --+
 *     misfit --------------------------+-> dead letters (durable) --> settle, credit back
 *     filtered ----------------------------------------------------> settle, credit back
 *
 * Where the sink takes rows of files in chunks, these go through `chunks.ts` instead, to the same verdicts.
 *
 * What waits here is bounded by the scheduler's credits: an item keeps its credit until its verdict is durable. So dead letters that
 * cannot be stored (a full disk, a full store) stop their lane and nothing else, and go on by themselves.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import type { Ending } from "../core/delivery.ts";
import type { Dice } from "../core/dice.ts";
import type { Emit } from "../core/event.ts";
import type { Lane } from "../core/flow.ts";
import type { DeadLetter, Item, Misfit, Reading, Reason } from "../core/reading.ts";
import type { Sink } from "../core/sink.ts";
import type { DeadLetterStore } from "../core/store.ts";
import { byOrigin, type Tally } from "../core/tally.ts";
import { chunkDefaults, createChunks } from "./chunks.ts";
import { createLetterQueue, fileLettersSpacingMs, type LetterQueue } from "./letter_queue.ts";

/** What the outbox works with. */
export interface OutboxParts {
  readonly sink: Sink;
  readonly letters: DeadLetterStore;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** Verdicts are in for so many items: their credits come back. */
  readonly release: (lane: Lane, rows: number, bytes: number) => void;
  /** For a sink that takes rows of files in chunks: most rows in one. */
  readonly chunkRowsMax: () => number;
  /** Listens to what was delivered, before it is settled (the stream's delay is measured so). */
  readonly onDelivered?: (lane: Lane, readings: readonly Reading[]) => void;
  /** Of the lane of streams. Absent: all is settled at its delivery. */
  readonly detour?: Detour;
}

/** Somebody who settles some readings on behalf of their deliveries: those that took the detour over the disk. */
export interface Detour {
  /** The sink answered. */
  answered(): void;
  /** The sink refused a reading: it goes on as another item. */
  replaced(reading: Reading, item: Item): void;
  /** Settles items where they belong. Returns what their credits were, without those that are back already. */
  settle(items: readonly Item[], ending: Ending): Credits;
}

/** Credits of the scheduler. */
export interface Credits {
  readonly rows: number;
  readonly bytes: number;
}

const noDetour: Detour = {
  answered: () => {},
  replaced: () => {},
  settle(items, ending) {
    let bytes = 0;
    for (const item of items) {
      bytes += item.bytes;
      item.delivery.settle(item.index, ending);
    }
    return { rows: items.length, bytes };
  },
};

/** Gives every item its verdict. */
export interface Outbox {
  /**
   * Opens the sink.
   *
   * @throws {WeirError} what the sink's `open` throws.
   */
  open(): Promise<void>;
  /** Takes over items of one lane, in order. */
  accept(lane: Lane, items: readonly Item[]): void;
  /** Resolves when the sink has reported all that it was given. */
  flush(): Promise<void>;
  /** Gives up what has no verdict yet. Never throws. */
  close(): Promise<void>;
}

/** Makes an {@linkcode Outbox}. */
export function createOutbox(parts: OutboxParts): Outbox {
  const { sink, tally, release, clock } = parts;
  const detours: Readonly<Record<Lane, Detour>> = { stream: parts.detour ?? noDetour, files: noDetour };
  const lettersOf: Readonly<Record<Lane, LetterQueue>> = {
    stream: createLetterQueue("stream", parts, settleMisfits),
    files: createLetterQueue("files", parts, settleMisfits, fileLettersSpacingMs),
  };

  function settleAll(lane: Lane, items: readonly Item[], ending: Ending): void {
    byOrigin(items, (origin, count) => tally.settled(origin, ending, count));
    const { rows, bytes } = detours[lane].settle(items, ending);
    if (rows > 0) release(lane, rows, bytes);
  }

  function settleMisfits(lane: Lane, misfits: readonly Misfit[]): void {
    settleAll(lane, misfits, "dead_lettered");
  }

  const chunks = sink.chunks === undefined ? null : createChunks({
    sink: sink.chunks,
    limits: { ...chunkDefaults, rowsMax: parts.chunkRowsMax },
    clock,
    letterQueue: (stored) => createLetterQueue("files", parts, (_lane, misfits) => stored(misfits)),
    misfitOf: (reading, reason, detail) => rejectedMisfit(reading, reason, detail, clock),
    settle: (items, verdict) => settleAll("files", items, verdict),
  });

  return {
    open() {
      return sink.open({
        delivered(lane, readings) {
          detours[lane].answered();
          parts.onDelivered?.(lane, readings);
          settleAll(lane, readings, "delivered");
        },
        rejected(lane, reading, reason, detail) {
          const misfit = rejectedMisfit(reading, reason, detail, clock);
          detours[lane].answered();
          detours[lane].replaced(reading, misfit);
          lettersOf[lane].add([misfit]);
        },
      });
    },
    accept(lane, items) {
      if (lane === "files" && chunks !== null) return chunks.add(items);
      const sorted = sortByKind(items);
      if (sorted.filtered.length > 0) settleAll(lane, sorted.filtered, "filtered");
      if (sorted.misfits.length > 0) lettersOf[lane].add(sorted.misfits);
      if (sorted.readings.length > 0) sink.send(lane, sorted.readings);
    },
    async flush() {
      await Promise.all([chunks?.flush(), sink.flush()]);
    },
    async close() {
      chunks?.close();
      lettersOf.stream.close();
      lettersOf.files.close();
      await sink.close();
    },
  };
}

/** A run of items by what becomes of them; the usual case, all good, costs no copy. */
function sortByKind(items: readonly Item[]): {
  readonly readings: readonly Reading[];
  readonly misfits: readonly Misfit[];
  readonly filtered: readonly Item[];
} {
  if (allReadings(items)) return { readings: items, misfits: [], filtered: [] };
  const readings: Reading[] = [];
  const misfits: Misfit[] = [];
  const filtered: Item[] = [];
  for (const item of items) {
    if (item.kind === "reading") readings.push(item);
    else if (item.kind === "misfit") misfits.push(item);
    else filtered.push(item);
  }
  return { readings, misfits, filtered };
}

function allReadings(items: readonly Item[]): items is readonly Reading[] {
  for (const item of items) if (item.kind !== "reading") return false;
  return true;
}

/** A reading that the sink refused, as a dead letter: its raw bytes are the finished reading. */
function rejectedMisfit(reading: Reading, reason: Reason, detail: string, clock: Clock): Misfit {
  const letter: DeadLetter = {
    id: reading.id,
    reason,
    detail,
    origin: reading.delivery.origin,
    source: reading.delivery.source,
    row: reading.row,
    byte: reading.byte < 0 ? null : reading.byte,
    decoder: "reading",
    header: null,
    raw: new TextEncoder().encode(reading.value),
    arrivedAtMs: clock.wallMs() - (clock.nowMs() - reading.arrivedMs),
  };
  return { kind: "misfit", delivery: reading.delivery, index: reading.index, bytes: reading.bytes, letter };
}
