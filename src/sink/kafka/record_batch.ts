/**
 * Kafka's record batch, version 2: what a produce request carries for one partition.
 *
 *     base offset i64 | length i32 | leader epoch i32 | magic i8 = 2 | crc32c u32 |
 *     attributes i16 | last offset delta i32 | base timestamp i64 | max timestamp i64 |
 *     producer id i64 | producer epoch i16 | base sequence i32 | count i32 | records
 *     record: length, attributes i8, timestamp delta, offset delta, key, value, headers (lengths and deltas are zigzag varints)
 *
 * Everything is written once into one buffer. A small batch is copied out in its exact size and the buffer is used again; a large one
 * leaves in the buffer itself, which comes back (`release`) when nobody reads the batch any more. A batch is kept until it is
 * acknowledged, and sent again unchanged. Text goes in as UTF-8, with a fast path for ASCII.
 *
 * Source: https://kafka.apache.org/documentation/#recordbatch
 *
 * @module
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { PackedReading } from "../../core/reading.ts";
import { crc32c } from "./crc32c.ts";
import { createTextRecords } from "./text_records.ts";
import { varintBytes, writeVarint } from "./varint.ts";

/** How the records of a batch are compressed. */
export type Compression = "none" | "gzip" | "zstd";

/** What a record is made of, as functions of the thing that is sent, so that no record object is made. */
export interface RecordShape<T> {
  /** The value as text; null: no value. */
  readonly value: (item: T) => string | null;
  /** Size of the value in UTF-8; asked for only when there is one. */
  readonly valueBytes: (item: T) => number;
  /** What has its value and the text of the first header as bytes; then `value` and that header are not asked for. */
  readonly packed?: (item: T) => PackedReading | undefined;
  /** In place of `value`: bytes that need not be text. Default: the values are texts. */
  readonly raw?: (item: T) => Uint8Array;
  /** A header whose text is null is left out of that record. */
  readonly headers: readonly { readonly name: string; readonly text: (item: T) => string | null }[];
}

/** What the whole batch is stamped with. */
export interface BatchStamp {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence number of the first record. */
  readonly sequence: number;
  /** Wall-clock ms that every record carries. */
  readonly timestampMs: number;
  /** Part of a transaction. Default: not. */
  readonly transactional?: boolean;
}

/** A finished batch. */
export interface EncodedBatch {
  /** Records in it, from the first one given. */
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Encodes batches. */
export interface RecordBatchEncoder<T> {
  /**
   * Encodes items from `from` on, at least one, at most `countMax`, and no more than fit in `bytesMax` before compression (a first
   * one that does not fit alone is encoded all the same). `keys[i]` belongs to `items[i]`; null: no key.
   */
  encode(
    items: readonly T[],
    keys: readonly (string | null)[],
    from: number,
    countMax: number,
    bytesMax: number,
    stamp: BatchStamp,
  ): EncodedBatch;
  /**
   * Nobody reads the bytes of this batch any more: they may be written over. Who does not know that leaves them to the garbage collector.
   * Anything else than a batch that was given out and is not back yet is ignored.
   */
  release(bytes: Uint8Array): void;
}

/** Bytes of a batch before its records. */
export const batchHeaderBytes = 61;

/** Where the part that the checksum covers begins. */
const checkedFrom = 21;

const compressionBits: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, zstd: 4 };

const transactionalBit = 0x10;

/** Up to this many UTF-16 units a loop over an ASCII text is faster than TextEncoder. */
const shortTextMax = 64;

/** The working buffer goes back to its first size after a batch with a huge record. */
const workingBytesKeptMax = 4 << 20;

/** Batches up to this size are copied out: less than a page of the system's tables, and of no weight. */
const copiedBytesMax = 64 << 10;

/** Buffers that are kept for the batches to come. */
const spareBuffersMax = 8;

const noPage = new Uint8Array(0);

/** Makes a {@linkcode RecordBatchEncoder}. */
export function createRecordBatchEncoder<T>(shape: RecordShape<T>, compression: Compression): RecordBatchEncoder<T> {
  const firstBytes = 64 << 10;
  const utf8 = new TextEncoder();
  const together = createTextRecords(shape);
  const headerNames = shape.headers.map(({ name }) => encodedText(utf8.encode(name)));
  let buffer = new Uint8Array(firstBytes);
  let bufferWords = new DataView(buffer.buffer);
  /** The page copied from last, let go after each batch. */
  let page: Uint8Array = noPage;
  let pageWords: DataView = new DataView(noPage.buffer);
  let position = 0;
  const spare: Uint8Array<ArrayBuffer>[] = [];
  const givenOut = new WeakSet<ArrayBufferLike>();

  return {
    encode(items, keys, from, countMax, bytesMax, stamp) {
      const end = from + Math.min(countMax, items.length - from);
      position = batchHeaderBytes;
      const count = shape.raw === undefined && !isAnyPacked(items, from, end)
        ? writeTogether(items, keys, from, end, bytesMax)
        : writeOneByOne(items, keys, from, end, bytesMax);
      const bytes = compression === "none" ? finished() : compressed();
      writeBatchHeader(bytes, count, stamp);
      page = noPage;
      if (buffer.length > workingBytesKeptMax) workIn(new Uint8Array(firstBytes));
      return { count, bytes };
    },
    release({ buffer: back }) {
      if (!(back instanceof ArrayBuffer) || !givenOut.delete(back)) return;
      if (spare.length < spareBuffersMax && back.byteLength <= workingBytesKeptMax) spare.push(new Uint8Array(back));
    },
  };

  /** The batch as it stands in the buffer, or a copy of it. */
  function finished(): Uint8Array<ArrayBuffer> {
    if (position <= copiedBytesMax) return buffer.slice(0, position);
    const bytes = buffer.subarray(0, position);
    givenOut.add(buffer.buffer);
    workIn(spare.pop() ?? new Uint8Array(buffer.length));
    return bytes;
  }

  /** One is enough: what is packed is copied, and cannot be put together with texts. Files give the first one away. */
  function isAnyPacked(items: readonly T[], from: number, end: number): boolean {
    if (shape.packed === undefined) return false;
    for (let i = from; i < end; i++) {
      const item = items[i];
      if (item !== undefined && shape.packed(item) !== undefined) return true;
    }
    return false;
  }

  /** Writes records as one text, where that is possible; returns how many. */
  function writeTogether(
    items: readonly T[],
    keys: readonly (string | null)[],
    from: number,
    end: number,
    bytesMax: number,
  ): number {
    const count = together.gather(items, keys, from, end, bytesMax - batchHeaderBytes);
    reserve(together.bytes);
    if (!together.write(buffer, position)) return writeOneByOne(items, keys, from, end, bytesMax);
    position += together.bytes;
    return count;
  }

  /** Writes records text by text, whatever is in them; returns how many. */
  function writeOneByOne(
    items: readonly T[],
    keys: readonly (string | null)[],
    from: number,
    end: number,
    bytesMax: number,
  ): number {
    let count = 0;
    for (; from + count < end; count++) {
      const item = items[from + count];
      if (item === undefined) break;
      const start = position;
      writeRecord(item, keys[from + count] ?? null, count);
      if (position > bytesMax && count > 0) {
        position = start;
        break;
      }
    }
    return count;
  }

  function writeRecord(item: T, key: string | null, offsetDelta: number): void {
    reserve(32);
    const start = position;
    // Two bytes hold the length of any record from 64 B to 8 KiB; another length moves the record by a byte or two.
    position += 2;
    buffer[position++] = 0;
    buffer[position++] = 0;
    position = writeVarint(buffer, position, offsetDelta);
    writeText(key);
    const packed = shape.packed?.(item);
    if (packed !== undefined) writeSpan(packed.page, packed.from, packed.valueEnd);
    else if (shape.raw === undefined) writeText(shape.value(item));
    else writeBytes(shape.raw(item));
    writeHeaders(item, packed);
    closeLength(start, 2);
  }

  function writeHeaders(item: T, packed: PackedReading | undefined): void {
    const countAt = position;
    // A count below 64 is one byte; no record has more headers than the shape, which is of that size.
    position += 1;
    let count = 0;
    for (let i = 0; i < headerNames.length; i++) {
      const isId = i === 0 && packed !== undefined;
      const text = isId ? "" : shape.headers[i]?.text(item) ?? null;
      const name = headerNames[i];
      if (text === null || name === undefined) continue;
      reserve(name.length + 8);
      for (let at = 0; at < name.length; at++) buffer[position + at] = name[at] ?? 0;
      position += name.length;
      if (isId) writeSpan(packed.page, packed.valueEnd, packed.idEnd);
      else writeText(text);
      count += 1;
    }
    buffer[countAt] = count << 1;
  }

  /** Bytes `[from, to)` of a page with their length before them: by words of four bytes, in half the time that a loop over bytes takes. */
  function writeSpan(of: Uint8Array, from: number, to: number): void {
    reserve(to - from + 8);
    if (of !== page) {
      page = of;
      pageWords = new DataView(of.buffer, of.byteOffset, of.byteLength);
    }
    // Local names: the loop is the hottest place of the program.
    const into = bufferWords;
    const source = pageWords;
    let at = writeVarint(buffer, position, to - from);
    let i = from;
    for (const lastWord = to - 4; i <= lastWord; i += 4, at += 4) into.setInt32(at, source.getInt32(i));
    for (; i < to; i++, at++) into.setUint8(at, source.getUint8(i));
    position = at;
  }

  function writeBytes(bytes: Uint8Array): void {
    reserve(bytes.length + 8);
    position = writeVarint(buffer, position, bytes.length);
    buffer.set(bytes, position);
    position += bytes.length;
  }

  /** Text with its length in bytes before it; null has the length -1. */
  function writeText(text: string | null): void {
    if (text === null) {
      reserve(8);
      buffer[position++] = 1;
      return;
    }
    reserve(text.length * 3 + 16);
    const start = position;
    const lengthBytes = varintBytes(text.length);
    position += lengthBytes;
    position += text.length <= shortTextMax
      ? writeShortText(text)
      : utf8.encodeInto(text, buffer.subarray(position)).written;
    closeLength(start, lengthBytes);
  }

  function writeShortText(text: string): number {
    // Local names: the loop is the hottest place of the program.
    const into = buffer;
    const at = position;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return i + utf8.encodeInto(text.slice(i), into.subarray(at + i)).written;
      into[at + i] = unit;
    }
    return text.length;
  }

  /** Writes the length of what stands after `start + reserved`, moving it when its length needs another number of bytes. */
  function closeLength(start: number, reserved: number): void {
    const bodyBytes = position - start - reserved;
    const needed = varintBytes(bodyBytes);
    if (needed !== reserved) {
      reserve(8);
      buffer.copyWithin(start + needed, start + reserved, position);
    }
    position = start;
    writeVarint(buffer, position, bodyBytes);
    position = start + needed + bodyBytes;
  }

  function reserve(bytes: number): void {
    if (position + bytes <= buffer.length) return;
    const larger = new Uint8Array(Math.max(buffer.length * 2, position + bytes));
    larger.set(buffer.subarray(0, position));
    workIn(larger);
  }

  function workIn(bytes: Uint8Array<ArrayBuffer>): void {
    buffer = bytes;
    bufferWords = new DataView(bytes.buffer);
  }

  function compressed(): Uint8Array {
    const records = buffer.subarray(batchHeaderBytes, position);
    // Level 1: a gateway's processor is dearer than the last tenth of the size.
    const packed = compression === "gzip" ? gzipSync(records, { level: 1 }) : zstdCompressSync(records);
    const bytes = new Uint8Array(batchHeaderBytes + packed.length);
    bytes.set(packed, batchHeaderBytes);
    return bytes;
  }

  function writeBatchHeader(bytes: Uint8Array, count: number, stamp: BatchStamp): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setBigInt64(0, 0n);
    view.setInt32(8, bytes.length - 12);
    view.setInt32(12, -1);
    view.setInt8(16, 2);
    view.setInt16(21, compressionBits[compression] | (stamp.transactional === true ? transactionalBit : 0));
    view.setInt32(23, count - 1);
    view.setBigInt64(27, BigInt(Math.floor(stamp.timestampMs)));
    view.setBigInt64(35, BigInt(Math.floor(stamp.timestampMs)));
    view.setBigInt64(43, stamp.producerId);
    view.setInt16(51, stamp.producerEpoch);
    view.setInt32(53, stamp.sequence);
    view.setInt32(57, count);
    view.setUint32(17, crc32c(bytes, checkedFrom));
  }
}

/** Bytes with their length before them. */
function encodedText(text: Uint8Array): Uint8Array {
  if (text.length >= 64) throw new Error(`A header name has ${text.length} bytes; at most 63 are provided for`);
  const bytes = new Uint8Array(1 + text.length);
  bytes[0] = text.length << 1;
  bytes.set(text, 1);
  return bytes;
}
