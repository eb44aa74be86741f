/**
 * Murmur2 as Kafka's Java client computes it, so that a key lands in the same partition whoever produces it.
 *
 * Source: `org.apache.kafka.common.utils.Utils.murmur2` of Apache Kafka (seed 0x9747b28c).
 *
 * @module
 */

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** The hash of `bytes[0..length)` as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array, length: number = bytes.length): number {
  let h = seed ^ length;
  const tail = length & ~3;
  for (let i = 0; i < tail; i += 4) {
    let k = (bytes[i] ?? 0) | (bytes[i + 1] ?? 0) << 8 | (bytes[i + 2] ?? 0) << 16 | (bytes[i + 3] ?? 0) << 24;
    k = Math.imul(k, multiplier);
    k ^= k >>> 24;
    k = Math.imul(k, multiplier);
    h = Math.imul(h, multiplier) ^ k;
  }
  const rest = length - tail;
  if (rest === 3) h ^= (bytes[tail + 2] ?? 0) << 16;
  if (rest >= 2) h ^= (bytes[tail + 1] ?? 0) << 8;
  if (rest >= 1) {
    h ^= bytes[tail] ?? 0;
    h = Math.imul(h, multiplier);
  }
  h ^= h >>> 13;
  h = Math.imul(h, multiplier);
  return h ^ h >>> 15;
}
