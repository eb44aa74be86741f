/**
 * The bytes of a file that a decoder holds at the moment, addressed by their offset in the file. Chunks are copied in at the end and let
 * go at the front; the memory is one buffer that is reused.
 *
 * @module
 */
import { Buffer, isAscii } from "node:buffer";
import type { Changing } from "../core/changing.ts";

/** A window that slides over a file. All offsets are those of the file. */
export interface ByteWindow {
  /** First byte held, and first byte after the last one held. */
  readonly start: number;
  readonly end: number;
  /** Copies a chunk in behind `end`. */
  push(chunk: Uint8Array): void;
  /** Lets go of the bytes before `offset`; they may still be read until the next `push`. */
  release(offset: number): void;
  /** A view (no copy) of what is held of `[from, to)`. */
  view(from: number, to: number): Uint8Array;
  byteAt(offset: number): number;
  /** First or last offset of `byte` in `[from, to)`, or -1. */
  indexOf(byte: number, from: number, to: number): number;
  lastIndexOf(byte: number, from: number, to: number): number;
  /** One character for each byte. */
  latin1(from: number, to: number): string;
  /** The text, or null when the bytes are not UTF-8. */
  utf8(from: number, to: number): string | null;
  isAscii(from: number, to: number): boolean;
}

const capacityMin = 64 * 1024;

/** Makes an empty {@linkcode ByteWindow} that begins at `firstByte`. */
export function createByteWindow(firstByte: number): ByteWindow {
  const fatalDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let buffer = Buffer.alloc(0);
  /** File offset of buffer[0], and the used part of the buffer. */
  let base = firstByte;
  let head = 0;
  let tail = 0;

  /** Position in the buffer of a file offset, held inside the bytes that are there. */
  const place = (offset: number): number => Math.min(Math.max(offset - base, 0), tail);

  const window: Changing<ByteWindow> = {
    start: firstByte,
    end: firstByte,
    push(chunk) {
      if (tail + chunk.length > buffer.length) {
        const used = tail - head;
        const target = used + chunk.length > buffer.length / 2
          ? Buffer.alloc(Math.max(capacityMin, buffer.length === 0 ? chunk.length : 2 * (used + chunk.length)))
          : buffer;
        buffer.copy(target, 0, head, tail);
        buffer = target;
        base += head;
        head = 0;
        tail = used;
      }
      buffer.set(chunk, tail);
      tail += chunk.length;
      window.end = base + tail;
    },
    release(offset) {
      head = Math.max(head, place(offset));
      window.start = base + head;
    },
    // A plain Uint8Array: the `slice` of a Buffer would not copy.
    view: (from, to) =>
      new Uint8Array(buffer.buffer, buffer.byteOffset + place(from), Math.max(0, place(to) - place(from))),
    byteAt: (offset) => buffer[offset - base] ?? -1,
    indexOf(byte, from, to) {
      const found = buffer.indexOf(byte, place(from));
      return found < 0 || found >= place(to) ? -1 : base + found;
    },
    lastIndexOf(byte, from, to) {
      if (place(to) <= place(from)) return -1;
      const found = buffer.lastIndexOf(byte, place(to) - 1);
      return found < place(from) ? -1 : base + found;
    },
    latin1: (from, to) => buffer.toString("latin1", place(from), place(to)),
    utf8(from, to) {
      const bytes = buffer.subarray(place(from), place(to));
      try {
        return fatalDecoder.decode(bytes);
      } catch {
        return null;
      }
    },
    isAscii: (from, to) => isAscii(buffer.subarray(place(from), place(to))),
  };
  return window;
}
