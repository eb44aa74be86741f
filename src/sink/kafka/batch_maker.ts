/**
 * Makes the next batch of a partition: encoded and stamped once. A record that is known to be too large for its topic never gets that
 * far.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { Reading, Reason } from "../../core/reading.ts";
import { formatBytes, quoted } from "../../core/text.ts";
import type { Batch, Identity, Partition } from "./partition.ts";
import { batchHeaderBytes, type RecordBatchEncoder } from "./record_batch.ts";
import type { Topic } from "./topics.ts";

/** What the maker works with. */
export interface BatchMakerDeps {
  readonly clock: Clock;
  readonly encoder: RecordBatchEncoder<Reading>;
  readonly rejectAll: (readings: readonly Reading[], reason: Reason, detail: string) => void;
}

/** Takes records off the partition's queue into a batch; null when nothing was left but what had to be rejected. */
export type MakeBatch = (partition: Partition, topic: Topic, stamp: Identity) => Batch | null;

/** Makes a {@linkcode MakeBatch}. */
export function batchMaker({ clock, encoder, rejectAll }: BatchMakerDeps): MakeBatch {
  return (partition, topic, stamp) => {
    while (partition.queue.length > 0) {
      const { readings, keys, from, count } = partition.queue.front();
      const encoded = encoder.encode(readings, keys, from, count, topic.batchBytesMax, {
        ...stamp,
        sequence: partition.sequence,
        timestampMs: clock.wallMs(),
      });
      const records = partition.queue.take(encoded.count);
      if (encoded.count > 1 || topic.bytesMax === null || encoded.bytes.length <= topic.bytesMax) {
        return { ...records, bytes: encoded.bytes, inDoubt: false, attempts: 0 };
      }
      rejectAll(records.readings, "too_large", tooLarge(topic, encoded.bytes.length));
    }
    return null;
  };
}

/** Says that a record is too large for its topic, with the sizes. */
export function tooLarge(topic: Pick<Topic, "name" | "bytesMax">, batchBytes: number): string {
  const size = formatBytes(batchBytes - batchHeaderBytes);
  const most = topic.bytesMax === null ? "less" : `at most ${formatBytes(topic.bytesMax)}`;
  return `The record has ${size} on the wire; Kafka topic ${quoted(topic.name)} takes ${most} (max.message.bytes)`;
}
