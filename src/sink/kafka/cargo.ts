/**
 * What a transaction carries to one partition: records of one kind, and how they become batches.
 *
 * @module
 */
import type { Reason } from "../../core/reading.ts";
import type { TopicPartition } from "./transaction_requests.ts";
import type { BatchStamp, EncodedBatch, RecordBatchEncoder } from "./record_batch.ts";
import type { MappedTopic } from "./topic_map.ts";

/** Records for one partition. */
export interface Cargo extends TopicPartition {
  /** Where it goes, as it was when it was placed. */
  readonly to: MappedTopic;
  /** Records in it, at least one. */
  readonly length: number;
  /** Encodes at least one and at most `count` records from `from` on. */
  encode(from: number, count: number, stamp: BatchStamp): EncodedBatch;
  /** Record `index` can never be sent. */
  refuse(index: number, reason: Reason, detail: string): void;
}

/** A batch of a cargo. Its bytes never change: they are what is sent again. */
export interface CargoBatch {
  readonly cargo: Cargo;
  readonly from: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Sequence number of its first record. */
  readonly sequence: number;
  /** Whether an attempt may have arrived without our knowing. */
  inDoubt: boolean;
}

/** Makes a {@linkcode Cargo} of items with their keys. */
export function cargoOf<T>(
  to: MappedTopic,
  partition: number,
  { items, keys }: { readonly items: readonly T[]; readonly keys: readonly (string | null)[] },
  encoder: RecordBatchEncoder<T>,
  refuse: (item: T, reason: Reason, detail: string) => void,
): Cargo {
  return {
    to,
    topic: to.name,
    partition,
    length: items.length,
    encode: (from, count, stamp) => encoder.encode(items, keys, from, count, to.batchBytesMax, stamp),
    refuse(index, reason, detail) {
      const item = items[index];
      if (item !== undefined) refuse(item, reason, detail);
    },
  };
}

/** What a batch is stamped with, besides its sequence. */
export type CargoStamp = Omit<BatchStamp, "sequence">;

/** All of a cargo, or a part of it, as batches in order; the first has the sequence `sequence`. */
export function batchesOf(
  cargo: Cargo,
  stamp: CargoStamp,
  sequence: number,
  from = 0,
  end: number = cargo.length,
): readonly CargoBatch[] {
  const batches: CargoBatch[] = [];
  for (let at = from; at < end;) {
    const first = nextSequence(sequence, at - from);
    const { count, bytes } = cargo.encode(at, end - at, { ...stamp, sequence: first });
    batches.push({ cargo, from: at, count, bytes, sequence: first, inDoubt: false });
    at += count;
  }
  return batches;
}

/** The sequence number behind `count` records. Kafka's are non-negative int32 and wrap. */
export function nextSequence(sequence: number, count: number): number {
  return (sequence + count) % 0x80000000;
}
