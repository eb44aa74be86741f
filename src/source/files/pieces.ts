/**
 * The bytes of a file, inflated, in pieces.
 *
 * @module
 */
import { WeirError } from "../../core/error.ts";
import type { DiskBytes } from "./disk_bytes.ts";
import { createInflate, type Inflate } from "./inflate.ts";

/** Bytes of the (inflated) file that a decoder is chosen by. */
const decoderHeadBytes = 64 * 1024;

/** Inflated bytes, pulled. */
export interface Pieces {
  readonly workedBytes: number;
  /** The next ones, or null at the end and when reading is stopped. */
  next(): Promise<Uint8Array | null>;
  close(): void;
}

/** The bytes of a file that may be compressed. */
export function inflated(disk: DiskBytes, ratioMax: number, signal: AbortSignal): Pieces {
  let inflate: Inflate | null = null;
  let ended = false;
  return {
    get workedBytes() {
      return inflate?.workedBytes ?? 0;
    },
    async next() {
      while (!signal.aborted) {
        const piece = await inflate?.take() ?? null;
        if (piece !== null || ended) return piece;
        const chunk = await disk.next();
        if (chunk !== null) {
          inflate ??= createInflate(chunk, ratioMax);
          inflate.give(chunk);
        } else if (!signal.aborted) {
          ended = true;
          inflate?.end();
        }
      }
      return null;
    },
    close: () => inflate?.close(),
  };
}

/** The first bytes, about {@linkcode decoderHeadBytes}. */
export async function readHead(pieces: Pieces): Promise<Uint8Array> {
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < decoderHeadBytes) {
    const piece = await pieces.next().catch((error) => {
      // What came before a cut is read first; who asks for more is told again.
      if (length > 0 && isBadFile(error)) return null;
      throw error;
    });
    if (piece === null) break;
    head.push(piece.slice());
    length += piece.length;
  }
  const [only] = head;
  if (only !== undefined && head.length === 1) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of head) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Whether the file itself is to blame. */
export function isBadFile(error: unknown): error is WeirError {
  return error instanceof WeirError && error.code === "bad_file";
}
