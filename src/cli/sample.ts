/**
 * Reads the beginning of a file the way the gateway would, and touches nothing: for `schema --sample` and `plan`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import type { Decoder, DecoderState, FileEncoding, OpenDecoder, Row } from "../core/decoder.ts";
import { messageOf, WeirError } from "../core/error.ts";
import { printable, quoted } from "../core/text.ts";
import { isRefused, machineDisk, type OpenFile } from "../source/files/disk.ts";
import { encodingOf, type EncodingSetting } from "../source/files/encoding.ts";
import { type Compression, createInflate, type Inflate } from "../source/files/inflate.ts";
import { filesDefaults } from "../source/files/options.ts";
import { createTranscode } from "../source/files/transcode.ts";

/** What the beginning of a file says. */
export interface FileSample {
  readonly sizeBytes: number;
  readonly compression: Compression;
  readonly encoding: FileEncoding;
  /** Rows of the beginning, in order; empty for a file without rows. */
  readonly rows: readonly Row[];
  /** How it is read; null for an empty file, or one that cannot be read. */
  readonly decoder: DecoderState | null;
  /** These are all its rows. */
  readonly whole: boolean;
  /** Rows in the whole file, estimated by the mean bytes of a row; exact when `whole`. */
  readonly rowsEstimated: number;
  /** Inflated bytes of the whole file, estimated; and of a row. */
  readonly inflatedBytes: number;
  readonly rowBytes: number;
  /** Why the file as a whole could not be read on: it would go to `error/`. */
  readonly refusal: WeirError | null;
}

/** How files are read. */
export interface SampleHow {
  readonly openDecoder: OpenDecoder;
  readonly encoding: EncodingSetting;
}

/** How much is looked at. */
export interface SampleLimits {
  readonly rowsMax: number;
  readonly inflatedBytesMax: number;
}

const chunkBytes = 64 * 1024;
/** Decoders choose by so many bytes, as in the gateway. */
const headBytes = 64 * 1024;
const pullRowsMax = 64;

/**
 * Samples a file.
 *
 * @throws {WeirError} `unavailable` or `permission` when it cannot be opened.
 */
export async function sampleFile(path: string, how: SampleHow, limits: SampleLimits): Promise<FileSample> {
  const file = await machineDisk.open(path).catch((thrown) => {
    throw unreadable(path, thrown);
  });
  const pieces = piecesOf(file);
  const rows: Row[] = [];
  let decoder: Decoder | null = null;
  let encoding: FileEncoding = "utf-8";
  let inflated = 0;
  let whole = false;
  let refusal: WeirError | null = null;
  try {
    const { sizeBytes } = await file.facts();
    try {
      const head = await headOf(pieces);
      whole = head.length === 0;
      if (!whole) {
        encoding = encodingOf(head, how.encoding);
        const transcode = createTranscode(encoding);
        const textHead = transcode.push(head).slice();
        inflated = textHead.length;
        decoder = how.openDecoder(basename(path).replace(/\.(gz|zst)$/i, ""), textHead, null);
        decoder.push(textHead);
        let flushed = false;
        whole = await pullRows(decoder, rows, limits, async () => {
          if (flushed) return "end";
          if (inflated >= limits.inflatedBytesMax) return "enough";
          const piece = await pieces.next();
          flushed = piece === null;
          const text = piece === null ? transcode.end() : transcode.push(piece);
          inflated += text.length;
          return text;
        });
      }
    } catch (thrown) {
      if (!(thrown instanceof WeirError) || thrown.code !== "bad_file") throw thrown;
      refusal = thrown;
    }
    const { workedBytes, compression } = pieces;
    const end = rows.at(-1)?.end ?? 0;
    const inflatedBytes = whole ? end : workedBytes === 0 ? 0 : sizeBytes * (inflated / workedBytes);
    return {
      sizeBytes,
      compression,
      encoding,
      rows,
      decoder: decoder?.stateAfter(rows.at(-1) ?? { row: 0, end: 0 }) ?? null,
      whole,
      rowsEstimated: whole || end === 0 ? rows.length : Math.round(inflatedBytes * rows.length / end),
      inflatedBytes,
      rowBytes: rows.length === 0 ? 0 : end / rows.length,
      refusal,
    };
  } finally {
    pieces.close();
    file.close();
  }
}

/** Pulls rows until there are enough, or no more. Returns whether these are all. */
async function pullRows(
  decoder: Decoder,
  rows: Row[],
  limits: SampleLimits,
  next: () => Promise<Uint8Array | "end" | "enough">,
): Promise<boolean> {
  let ended = false;
  while (rows.length < limits.rowsMax) {
    if (decoder.pull(Math.min(pullRowsMax, limits.rowsMax - rows.length), rows) > 0) continue;
    if (ended) return true;
    const piece = await next();
    if (piece === "enough") return false;
    ended = piece === "end";
    if (piece === "end") decoder.end();
    else decoder.push(piece);
  }
  return false;
}

/** Inflated bytes, pulled. */
interface Pieces {
  /** The next ones, or null at the end. */
  next(): Promise<Uint8Array | null>;
  readonly workedBytes: number;
  readonly compression: Compression;
  close(): void;
}

function piecesOf(file: OpenFile): Pieces {
  let inflate: Inflate | null = null;
  let ended = false;
  return {
    get workedBytes() {
      return inflate?.workedBytes ?? 0;
    },
    get compression() {
      return inflate?.compression ?? "none";
    },
    async next() {
      for (;;) {
        const piece = await inflate?.take() ?? null;
        if (piece !== null || ended) return piece;
        const buffer = new Uint8Array(chunkBytes);
        const read = await file.read(buffer);
        if (read === null) {
          ended = true;
          inflate?.end();
          continue;
        }
        const chunk = buffer.subarray(0, read);
        inflate ??= createInflate(chunk, filesDefaults.inflationRatioMax);
        inflate.give(chunk);
      }
    },
    close: () => inflate?.close(),
  };
}

async function headOf(pieces: Pieces): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < headBytes) {
    const piece = await pieces.next();
    if (piece === null) break;
    parts.push(piece.slice());
    length += piece.length;
  }
  return new Uint8Array(Buffer.concat(parts));
}

function unreadable(path: string, thrown: unknown): WeirError {
  const code = isRefused(thrown) ? "permission" : "unavailable";
  const why = thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT"
    ? "it does not exist"
    : printable(messageOf(thrown));
  return new WeirError(code, `Cannot read ${quoted(path)}: ${why}`, { cause: thrown });
}
