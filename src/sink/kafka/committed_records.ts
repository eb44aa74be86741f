/**
 * Reads record batches as a `read_committed` consumer does: what an aborted transaction wrote is left out, and so are the markers that
 * end transactions.
 *
 * Source: https://kafka.apache.org/documentation/#recordbatch
 *
 * @module
 */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { PathError } from "./path_error.ts";
import type { FetchAnswer } from "./read_requests.ts";
import { batchHeaderBytes } from "./record_batch.ts";

/** Takes a record. Null: none. */
export type OnRecord = (key: string | null, value: string | null) => void;

const controlBit = 0x20;
const transactionalBit = 0x10;
const compressionMask = 0x07;

/**
 * Gives the records at `from` and behind it, in order; returns the offset to go on at, which is `from` when there was no whole batch.
 *
 * @throws {PathError} `garbled` when the bytes are no batches, `unsupported` for a compression that is not known here
 */
export function readCommitted(
  { batches, aborted }: Pick<FetchAnswer, "batches" | "aborted">,
  from: bigint,
  onRecord: OnRecord,
): bigint {
  const view = new DataView(batches.buffer, batches.byteOffset, batches.byteLength);
  const waiting = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const skipped = new Set<bigint>();
  let next = from;
  let at = 0;
  // The last batch of an answer may be cut.
  while (at + batchHeaderBytes <= batches.length && at + 12 + view.getInt32(at + 8) <= batches.length) {
    const length = view.getInt32(at + 8);
    if (length < batchHeaderBytes - 12 || view.getInt8(at + 16) !== 2) throw garbled();
    const baseOffset = view.getBigInt64(at);
    const lastOffset = baseOffset + BigInt(view.getInt32(at + 23));
    const attributes = view.getInt16(at + 21);
    const producerId = view.getBigInt64(at + 43);
    while (waiting[0] !== undefined && waiting[0].firstOffset <= lastOffset) {
      skipped.add(waiting[0].producerId);
      waiting.shift();
    }
    if ((attributes & controlBit) !== 0) skipped.delete(producerId);
    else if ((attributes & transactionalBit) === 0 || !skipped.has(producerId)) {
      const packed = batches.subarray(at + batchHeaderBytes, at + 12 + length);
      readRecords(unpacked(packed, attributes & compressionMask), view.getInt32(at + 57), (delta, key, value) => {
        if (baseOffset + BigInt(delta) >= from) onRecord(key, value);
      });
    }
    if (lastOffset >= next) next = lastOffset + 1n;
    at += 12 + length;
  }
  return next;
}

function unpacked(packed: Uint8Array, compression: number): Uint8Array {
  try {
    if (compression === 0) return packed;
    if (compression === 1) return gunzipSync(packed);
    if (compression === 4) return zstdDecompressSync(packed);
  } catch (thrown) {
    throw garbled(thrown);
  }
  throw new PathError(
    "unsupported",
    "A batch is compressed with snappy or lz4, which Weir does not read",
    undefined,
    "Set compression.type of the topic to producer, and delete the records that were written before",
  );
}

function readRecords(
  bytes: Uint8Array,
  count: number,
  onRecord: (offsetDelta: number, key: string | null, value: string | null) => void,
): void {
  const utf8 = new TextDecoder();
  let position = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[position++];
      if (byte === undefined) throw garbled();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
    throw garbled();
  };
  const text = (): string | null => {
    const length = varint();
    if (length < 0) return null;
    position += length;
    if (position > bytes.length) throw garbled();
    return utf8.decode(bytes.subarray(position - length, position));
  };
  for (let i = 0; i < count; i++) {
    const length = varint();
    const end = position + length;
    if (length < 0 || end > bytes.length) throw garbled();
    position += 1; // attributes
    varint(); // timestamp delta
    const offsetDelta = varint();
    const key = text();
    const value = text();
    onRecord(offsetDelta, key, value);
    position = end; // headers
  }
}

function garbled(cause?: unknown): PathError {
  return new PathError("garbled", "What Kafka sent are not record batches", cause);
}
