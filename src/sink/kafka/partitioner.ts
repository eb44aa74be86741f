/**
 * Key to partition, equal to the default partitioner of Kafka's Java client: `(murmur2(key) & 0x7fffffff) % partitions`.
 *
 * @module
 */
import { murmur2 } from "./murmur2.ts";

/** Finds the partition of a key. */
export type Partitioner = (key: string, partitions: number) => number;

/** Keys up to this many UTF-16 units are turned into bytes here: half the cost of TextEncoder, or of looking a hash up by its key. */
const shortKeyMax = 64;

/** Makes a {@linkcode Partitioner}. */
export function createPartitioner(): Partitioner {
  const encoder = new TextEncoder();
  const scratch = new Uint8Array(shortKeyMax);

  function hashOf(key: string): number {
    if (key.length > shortKeyMax) return murmur2(encoder.encode(key));
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i);
      if (unit > 0x7f) return murmur2(encoder.encode(key));
      scratch[i] = unit;
    }
    return murmur2(scratch, key.length);
  }

  return (key, partitions) => (hashOf(key) & 0x7fffffff) % partitions;
}
