/**
 * What waits for one partition, in order: pieces of a batch that was split, then the queue; and the one batch that is made and not yet
 * acknowledged. The queue has no limit of its own: the credits of the scheduler bound all that is in here.
 *
 * @module
 */
import type { Backoff } from "../../core/backoff.ts";
import type { Changing } from "../../core/changing.ts";
import type { Reading } from "../../core/reading.ts";

/** Readings with their keys, side by side. */
export interface Records {
  readonly readings: Reading[];
  readonly keys: (string | null)[];
}

/** A producer id with its epoch. */
export interface Identity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A batch that is made. Its bytes never change: they are what is sent again. */
export interface Batch extends Records {
  readonly bytes: Uint8Array;
  /** Whether an attempt may have arrived without our knowing. */
  inDoubt: boolean;
  attempts: number;
}

/** A partition of a topic, as one producer sees it. */
export interface Partition {
  readonly topic: string;
  readonly index: number;
  /** For the board of troubles. */
  readonly place: string;
  /** Node that leads it; -1: none known. */
  leader: number;
  /** The one batch that is made. While it is, nothing else of this partition is sent. */
  batch: Batch | null;
  /** Node in whose list of ready partitions it is; -1: in none. */
  readyAt: number;
  /** The batch is in a request without an answer. */
  onWire: boolean;
  /** Nothing is sent before its backoff or its new producer id is there. */
  waiting: boolean;
  /** Its own producer id, after a reset; null: the producer's. */
  identity: Identity | null;
  /** Sequence number of the next record. */
  sequence: number;
  /** Offset behind the last record that Kafka acknowledged to us; -1: none yet. */
  logEnd: number;
  /** Failures in a row, and how long to wait after each. */
  readonly backoff: Backoff;
  readonly queue: RecordQueue;
}

/** Records waiting in order, with pieces that go first. */
export interface RecordQueue {
  /** Readings in it. */
  readonly length: number;
  /** Bytes of the values in it. */
  readonly bytes: number;
  push(reading: Reading, key: string | null): void;
  /** Puts records back before all others, to be one batch (or less) again. */
  putBack(records: Records): void;
  /** What the next batch may be made of: `count` records from `from`. */
  front(): {
    readonly readings: Reading[];
    readonly keys: (string | null)[];
    readonly from: number;
    readonly count: number;
  };
  /** Takes `count` records of what `front` gave. */
  take(count: number): Records;
  /** Takes all. */
  drain(): Records;
  /**
   * Gives back those of `wanted` that were never in a batch, behind `ahead`: the reading that stays before them. Null: the first of the queue.
   */
  takeBack(wanted: ReadonlySet<Reading>, ahead: Reading | null): ReadonlyMap<Reading, Reading>;
  /** All readings, in order. */
  values(): IterableIterator<Reading>;
}

/** Taken records stay in the arrays until there are this many, so that taking does not move the rest each time. */
const takenKeptMax = 4096;

/** Makes an empty queue. */
export function createRecordQueue(): RecordQueue {
  const pieces: Records[] = [];
  let main: Records = { readings: [], keys: [] };
  let from = 0;

  const queue: Changing<RecordQueue> = {
    length: 0,
    bytes: 0,
    push(reading, key) {
      main.readings.push(reading);
      main.keys.push(key);
      queue.length += 1;
      queue.bytes += reading.bytes;
    },
    putBack(records) {
      if (records.readings.length === 0) return;
      pieces.unshift({ readings: [...records.readings], keys: [...records.keys] });
      queue.length += records.readings.length;
      queue.bytes += bytesOf(records.readings);
    },
    front() {
      const [piece] = pieces;
      if (piece !== undefined) return { ...piece, from: 0, count: piece.readings.length };
      return { ...main, from, count: main.readings.length - from };
    },
    take(count) {
      const [piece] = pieces;
      const taken = piece === undefined ? takeMain(count) : takePiece(piece, count);
      queue.length -= count;
      queue.bytes -= bytesOf(taken.readings);
      return taken;
    },
    drain() {
      const all: Records = { readings: [], keys: [] };
      while (queue.length > 0) {
        const { readings, keys } = queue.take(queue.front().count);
        for (let i = 0; i < readings.length; i++) {
          const reading = readings[i];
          if (reading === undefined) continue;
          all.readings.push(reading);
          all.keys.push(keys[i] ?? null);
        }
      }
      return all;
    },
    takeBack(wanted, before) {
      const given = new Map<Reading, Reading>();
      const kept: Records = { readings: [], keys: [] };
      let ahead = before ?? pieces[0]?.readings[0] ?? null;
      for (let i = from; i < main.readings.length; i++) {
        const reading = main.readings[i];
        if (reading === undefined) continue;
        if (ahead !== null && wanted.has(reading)) given.set(reading, ahead);
        else {
          ahead ??= reading;
          kept.readings.push(reading);
          kept.keys.push(main.keys[i] ?? null);
        }
      }
      main = kept;
      from = 0;
      queue.length -= given.size;
      queue.bytes -= bytesOf([...given.keys()]);
      return given;
    },
    *values() {
      for (const { readings } of pieces) yield* readings;
      yield* main.readings.slice(from);
    },
  };
  return queue;

  function takePiece(piece: Records, count: number): Records {
    const taken = { readings: piece.readings.splice(0, count), keys: piece.keys.splice(0, count) };
    if (piece.readings.length === 0) pieces.shift();
    return taken;
  }

  function takeMain(count: number): Records {
    const taken = { readings: main.readings.slice(from, from + count), keys: main.keys.slice(from, from + count) };
    from += count;
    if (from === main.readings.length) {
      main = { readings: [], keys: [] };
      from = 0;
    } else if (from >= takenKeptMax && from * 2 > main.readings.length) {
      main = { readings: main.readings.slice(from), keys: main.keys.slice(from) };
      from = 0;
    }
    return taken;
  }
}

function bytesOf(readings: readonly Reading[]): number {
  let bytes = 0;
  for (const reading of readings) bytes += reading.bytes;
  return bytes;
}
