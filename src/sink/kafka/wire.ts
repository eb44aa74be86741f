/**
 * Kafka's wire types, as far as the requests of a producer need them: big-endian integers, strings with an i16 length, arrays with an i32 count.
 *
 * Source: https://kafka.apache.org/protocol#protocol_types
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { PathError } from "./path_error.ts";

/** Reads an answer. Every method throws {@linkcode PathError} `garbled` when the bytes end too early. */
export interface WireReader {
  int8(): number;
  int16(): number;
  int32(): number;
  int64(): bigint;
  /** Null for the length -1. */
  string(): string | null;
  /** With an i32 length before them; nothing for the length -1. A view, no copy. */
  blob(): Uint8Array;
  array<T>(element: () => T): T[];
  float64(): number;
  /** As the flexible versions write it: a text with its length plus one as a varint before it; null for 0. */
  compactString(): string | null;
  /** As the flexible versions write it: elements with their count plus one as a varint before them. */
  compactArray<T>(element: () => T): T[];
  /** Reads past tagged fields, which end each structure of a flexible version. */
  skipTags(): void;
}

/** A varint of a 32-bit length has so many bytes at most. */
const varintBytesMax = 5;

/** Reads `bytes` from the front. */
export function wireReader(bytes: Uint8Array): WireReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  const advance = (length: number): number => {
    const start = position;
    if (length < 0 || start + length > buffer.length) {
      throw new PathError("garbled", `Kafka's answer ends after ${buffer.length} bytes, in the middle of a field`);
    }
    position += length;
    return start;
  };
  const varint = (): number => {
    let value = 0;
    for (let index = 0; index < varintBytesMax; index++) {
      const byte = buffer.readUInt8(advance(1));
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new PathError("garbled", `Kafka's answer has a length of more than ${varintBytesMax} bytes`);
  };
  // Each element has at least a byte: a count past that is not an answer, and must not become an allocation.
  const elements = <T>(count: number, element: () => T): T[] => {
    if (count > buffer.length - position) throw new PathError("garbled", `Kafka's answer promises ${count} elements`);
    return Array.from({ length: Math.max(0, count) }, element);
  };
  const text = (length: number): string => {
    const start = advance(length);
    return buffer.toString("utf8", start, start + length);
  };
  const reader: WireReader = {
    int8: () => buffer.readInt8(advance(1)),
    int16: () => buffer.readInt16BE(advance(2)),
    int32: () => buffer.readInt32BE(advance(4)),
    int64: () => buffer.readBigInt64BE(advance(8)),
    string() {
      const length = reader.int16();
      return length === -1 ? null : text(length);
    },
    blob() {
      const length = Math.max(0, reader.int32());
      const start = advance(length);
      return buffer.subarray(start, start + length);
    },
    array: (element) => elements(reader.int32(), element),
    float64: () => buffer.readDoubleBE(advance(8)),
    compactString() {
      const length = varint() - 1;
      return length === -1 ? null : text(length);
    },
    compactArray: (element) => elements(varint() - 1, element),
    skipTags() {
      const count = varint();
      for (let index = 0; index < count; index++) {
        varint(); // which tag
        advance(varint());
      }
    },
  };
  return reader;
}

/** Collects the parts of a request body. */
export interface WireWriter {
  int8(value: number): void;
  int16(value: number): void;
  int32(value: number): void;
  int64(value: bigint): void;
  /** Null becomes the length -1. */
  string(value: string | null): void;
  /** With an i32 length before them. The bytes must not change before they are sent. */
  blob(value: Uint8Array): void;
  /** As the flexible versions write a text: of at most 126 bytes, its length plus one in a byte. */
  shortString(value: string): void;
  /** What was written, piece by piece. */
  parts(): readonly Uint8Array[];
}

/** Its length plus one is a varint of one byte up to here. */
const shortStringBytesMax = 126;

/** A writer that does not copy blobs. */
export function wireWriter(): WireWriter {
  const parts: Uint8Array[] = [];
  const push = (length: number, fill: (part: Buffer) => void) => {
    const part = Buffer.alloc(length);
    fill(part);
    parts.push(part);
  };
  return {
    int8: (value) => push(1, (part) => part.writeInt8(value)),
    int16: (value) => push(2, (part) => part.writeInt16BE(value)),
    int32: (value) => push(4, (part) => part.writeInt32BE(value)),
    int64: (value) => push(8, (part) => part.writeBigInt64BE(value)),
    shortString(value) {
      const text = Buffer.from(value, "utf8");
      if (text.length > shortStringBytesMax) throw new Error(`A short string has ${text.length} bytes`);
      push(1, (part) => part.writeUInt8(text.length + 1));
      parts.push(text);
    },
    string(value) {
      const text = value === null ? null : Buffer.from(value, "utf8");
      push(2, (part) => part.writeInt16BE(text?.length ?? -1));
      if (text !== null) parts.push(text);
    },
    blob(value) {
      push(4, (part) => part.writeInt32BE(value.length));
      parts.push(value);
    },
    parts: () => parts,
  };
}
