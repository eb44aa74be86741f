import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type WireReader, wireReader, type WireWriter, wireWriter } from "../../../src/sink/kafka/wire.ts";

/** A field: its bytes as the protocol has them, how it is written, how it is read back. */
interface Field {
  readonly bytes: Uint8Array;
  readonly write: (writer: WireWriter) => void;
  readonly isReadBy: (reader: WireReader) => void;
}

function bytesOf(length: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  fill(bytes);
  return bytes;
}

const ints = fc.integer({ min: -128, max: 127 }).map((value): Field => ({
  bytes: Buffer.concat([
    bytesOf(1, (bytes) => bytes.writeInt8(value)),
    bytesOf(2, (bytes) => bytes.writeInt16BE(value * 251)),
    bytesOf(4, (bytes) => bytes.writeInt32BE(value * 16_000_001)),
    bytesOf(8, (bytes) => bytes.writeBigInt64BE(BigInt(value) * 65_000_000_000_000_001n)),
  ]),
  write(writer) {
    writer.int8(value);
    writer.int16(value * 251);
    writer.int32(value * 16_000_001);
    writer.int64(BigInt(value) * 65_000_000_000_000_001n);
  },
  isReadBy(reader) {
    assert.equal(reader.int8(), value);
    assert.equal(reader.int16(), value * 251);
    assert.equal(reader.int32(), value * 16_000_001);
    assert.equal(reader.int64(), BigInt(value) * 65_000_000_000_000_001n);
  },
}));

const strings = fc.option(fc.string({ unit: "grapheme", maxLength: 400, size: "max" })).map((value): Field => ({
  bytes: value === null
    ? bytesOf(2, (bytes) => bytes.writeInt16BE(-1))
    : Buffer.concat([bytesOf(2, (bytes) => bytes.writeInt16BE(Buffer.byteLength(value))), Buffer.from(value)]),
  write: (writer) => writer.string(value),
  isReadBy: (reader) => assert.equal(reader.string(), value),
}));

const blobs = fc.uint8Array({ maxLength: 300, size: "max" }).map((value): Field => ({
  bytes: Buffer.concat([bytesOf(4, (bytes) => bytes.writeInt32BE(value.length)), value]),
  write: (writer) => writer.blob(value),
  isReadBy: (reader) => assert.deepEqual(Buffer.from(reader.blob()), Buffer.from(value)),
}));

Deno.test("any fields are written as the protocol says, whatever pages they come to lie on, and read back", () => {
  fc.assert(fc.property(fc.array(fc.oneof(ints, strings, blobs), { maxLength: 60, size: "max" }), (fields) => {
    const writer = wireWriter();
    for (const field of fields) field.write(writer);
    const written = Buffer.concat(writer.parts());
    assert.deepEqual(written, Buffer.concat(fields.map(({ bytes }) => bytes)));
    const reader = wireReader(written);
    for (const field of fields) field.isReadBy(reader);
  }));
});

Deno.test("a blob is a part of its own, not a copy", () => {
  const blob = new Uint8Array(10);
  const writer = wireWriter();
  writer.int8(1);
  writer.blob(blob);
  writer.int8(2);
  const parts = writer.parts();
  assert.equal(parts.length, 3);
  assert.equal(parts[1], blob);
});

Deno.test("texts longer than the field for their length are refused, not cut", () => {
  assert.throws(() => wireWriter().string("\u20ac".repeat(11_000)), /A string has 33000 bytes/);
  assert.throws(() => wireWriter().shortString("x".repeat(127)), /A short string has 127 bytes/);
  const writer = wireWriter();
  writer.shortString("x".repeat(126));
  assert.equal(wireReader(Buffer.concat(writer.parts())).compactString(), "x".repeat(126));
});
