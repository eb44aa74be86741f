/**
 * Feeds bytes to a decoder the way a file source does, in pieces and pulls of any size, and keeps what came out in a form that can be
 * compared.
 *
 * @module
 */
import type { Decoder, DecoderState, Row } from "../../src/core/decoder.ts";
import { WeirError } from "../../src/core/error.ts";

/** A row with the bytes it came from. */
export interface DrainedRow {
  readonly row: Row;
  readonly raw: string;
  /** State after this row. */
  readonly state: DecoderState;
}

/** All that a decoder said about a file. */
export interface Drained {
  readonly rows: readonly DrainedRow[];
  /** The `bad_file` that ended it, or null. */
  readonly error: string | null;
}

const encoder = new TextEncoder();

/** UTF-8 bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes as text with one character each: exact, and readable in a failing assertion. */
export function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/**
 * Drains a file. `sizes` are the lengths of the pieces, used in turn; `maxRows` is asked for at each pull. Errors other than `bad_file` are
 * thrown on.
 */
export function drain(
  open: () => Decoder,
  bytes: Uint8Array,
  sizes: readonly number[] = [1 << 16],
  maxRows = 7,
): Drained {
  const rows: DrainedRow[] = [];
  try {
    const decoder = open();
    const pullAll = (): void => {
      for (;;) {
        const into: Row[] = [];
        const given = decoder.pull(maxRows, into);
        if (given !== into.length) throw new Error(`pull said ${given} and gave ${into.length}`);
        if (given === 0) return;
        for (const row of into) rows.push({ row, raw: latin1(decoder.raw(row)), state: decoder.stateAfter(row) });
      }
    };
    // One buffer for all pieces: a decoder must not hold on to what it was given.
    const reused = new Uint8Array(Math.max(1, ...sizes));
    let at = 0;
    for (let turn = 0; at < bytes.length; turn++) {
      const piece = bytes.subarray(at, at + Math.max(1, sizes[turn % sizes.length] ?? 1));
      reused.set(piece);
      decoder.push(reused.subarray(0, piece.length));
      reused.fill(0x21);
      at += piece.length;
      pullAll();
    }
    decoder.end();
    pullAll();
    return { rows, error: null };
  } catch (error) {
    if (!(error instanceof WeirError) || error.code !== "bad_file") throw error;
    return { rows, error: error.message };
  }
}

/** The rows alone, without object identities, for comparison. */
export function plain(drained: Drained): unknown {
  return JSON.parse(JSON.stringify({ rows: drained.rows, error: drained.error }));
}
