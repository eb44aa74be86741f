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
const stringBytesMax = 0x7fff;
/** Small fields stand side by side in pages of this size, or as large as a text needs. */
const pageBytes = 256;
/** Most bytes that a UTF-16 unit becomes in UTF-8. */
const bytesPerUnitMax = 3;

/** A writer that does not copy blobs. */
export function wireWriter(): WireWriter {
  const parts: Uint8Array[] = [];
  let page = new DataView(new ArrayBuffer(pageBytes));
  /** From here to `end` the page holds what is in no part yet. */
  let begin = 0;
  let end = 0;

  /** Where the next `bytes` go, perhaps in a new page. */
  function place(bytes: number): number {
    if (end + bytes > page.byteLength) {
      endPart();
      page = new DataView(new ArrayBuffer(Math.max(pageBytes, bytes)));
      begin = end = 0;
    }
    const at = end;
    end += bytes;
    return at;
  }

  function putInt16(value: number): void {
    const at = place(2);
    page.setInt16(at, value);
  }

  function putInt32(value: number): void {
    const at = place(4);
    page.setInt32(at, value);
  }

  function endPart(): void {
    if (end > begin) parts.push(new Uint8Array(page.buffer, begin, end - begin));
    begin = end;
  }

  /** Writes a text behind `sizeBytes` left for its length, which it gives back with where that goes. */
  function putText(value: string, sizeBytes: number): { readonly at: number; readonly length: number } {
    const at = place(sizeBytes + value.length * bytesPerUnitMax);
    const { written } = encoder.encodeInto(value, new Uint8Array(page.buffer, at + sizeBytes));
    end = at + sizeBytes + written;
    return { at, length: written };
  }

  return {
    int8(value) {
      const at = place(1);
      page.setInt8(at, value);
    },
    int16: putInt16,
    int32: putInt32,
    int64(value) {
      const at = place(8);
      page.setBigInt64(at, value);
    },
    shortString(value) {
      const { at, length } = putText(value, 1);
      if (length > shortStringBytesMax) throw new Error(`A short string has ${length} bytes`);
      page.setUint8(at, length + 1);
    },
    string(value) {
      if (value === null) return putInt16(-1);
      const { at, length } = putText(value, 2);
      if (length > stringBytesMax) throw new Error(`A string has ${length} bytes`);
      page.setInt16(at, length);
    },
    blob(value) {
      putInt32(value.length);
      endPart();
      parts.push(value);
    },
    parts() {
      endPart();
      return parts;
    },
  };
}

const encoder = new TextEncoder();
