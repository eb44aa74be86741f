/**
 * Key to partition, equal to the default partitioner of Kafka's Java client: `(murmur2(key) & 0x7fffffff) % partitions`.
 *
 * The hashes of recent keys are kept: a gateway sends thousands of readings of the same few hundred devices.
 *
 * @module
 */
import { murmur2 } from "./murmur2.ts";

/** Most keys whose hash is kept; past it the memory starts anew. */
const keysKeptMax = 10_000;

/** Finds the partition of a key. */
export type Partitioner = (key: string, partitions: number) => number;

/** Makes a {@linkcode Partitioner}. */
export function createPartitioner(): Partitioner {
  const encoder = new TextEncoder();
  const hashes = new Map<string, number>();
  return (key, partitions) => {
    let hash = hashes.get(key);
    if (hash === undefined) {
      hash = murmur2(encoder.encode(key)) & 0x7fffffff;
      if (hashes.size >= keysKeptMax) hashes.clear();
      hashes.set(key, hash);
    }
    return hash % partitions;
  };
}
