/**
 * Reads record batches the slow and plain way, to check the encoder with code that shares nothing with it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

export interface ReadRecord {
  readonly offsetDelta: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

export interface ReadBatch {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly timestampMs: number;
  readonly compression: number;
  readonly records: readonly ReadRecord[];
}

/** Reads one batch that fills `bytes`; fails when anything about it is not as the format says. */
export function readBatch(bytes: Uint8Array): ReadBatch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.equal(view.getBigInt64(0), 0n, "base offset");
  assert.equal(view.getInt32(8), bytes.length - 12, "length");
  assert.equal(view.getInt8(16), 2, "magic");
  assert.equal(view.getUint32(17), bitwiseCrc32c(bytes.subarray(21)), "crc");
  const compression = view.getInt16(21);
  const count = view.getInt32(57);
  assert.equal(view.getInt32(23), count - 1, "last offset delta");
  assert.equal(view.getBigInt64(27), view.getBigInt64(35), "base and max timestamp");
  const packed = bytes.subarray(61);
  const body = compression === 1 ? gunzipSync(packed) : compression === 4 ? zstdDecompressSync(packed) : packed;
  const records = readRecords(body);
  assert.equal(records.length, count, "count");
  return {
    producerId: view.getBigInt64(43),
    producerEpoch: view.getInt16(51),
    sequence: view.getInt32(53),
    timestampMs: Number(view.getBigInt64(27)),
    compression,
    records,
  };
}

function readRecords(body: Uint8Array): ReadRecord[] {
  let position = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = body[position++];
      assert.notEqual(byte, undefined, "a varint ends with the batch");
      value |= BigInt((byte ?? 0) & 0x7f) << shift;
      if (((byte ?? 0) & 0x80) === 0) break;
    }
    return Number((value >> 1n) ^ -(value & 1n));
  };
  const text = () => {
    const length = varint();
    if (length === -1) return null;
    position += length;
    assert.ok(position <= body.length, "a text ends with the batch");
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      body.subarray(position - length, position),
    );
  };
  const records: ReadRecord[] = [];
  while (position < body.length) {
    const end = varint() + position;
    assert.equal(body[position++], 0, "attributes");
    assert.equal(varint(), 0, "timestamp delta");
    const offsetDelta = varint();
    assert.equal(offsetDelta, records.length, "offset delta");
    const key = text();
    const value = text();
    const headers = Array.from({ length: varint() }, () => [text() ?? "", text()] as const);
    assert.equal(position, end, "length of the record");
    records.push({ offsetDelta, key, value, headers });
  }
  return records;
}

/** CRC-32C, bit by bit. */
export function bitwiseCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
