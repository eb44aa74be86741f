/**
 * Bytes on disk to bytes of rows: gzip and zstd, known by their first bytes whatever the name says, or plain. Several members after each
 * other are one stream. Pulled, and in constant memory: nothing is asked of the disk before what was inflated has been taken.
 *
 * A cut stream is told from an ended one only at the very end, after everything that could be inflated has been given out: the rows so
 * far are good and are sent before the file is refused.
 *
 * Formats: RFC 1952 (gzip), RFC 8878 (zstd).
 *
 * @module
 */
import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import { WeirError } from "../../core/error.ts";
import { formatBytes } from "../../core/text.ts";
import { createZstdFrames } from "./zstd_frames.ts";

/** How a file is compressed. */
export type Compression = "gzip" | "zstd" | "none";

/** A stream of inflated bytes. */
export interface Inflate {
  readonly compression: Compression;
  /** Bytes from the disk that were worked up so far: what `take` gave came out of them. */
  readonly workedBytes: number;
  /**
   * Takes bytes from the disk. Only when `take` gave null: that is the back-pressure. The array must not change until `take` gives null
   * again.
   */
  give(chunk: Uint8Array): void;
  /** No more bytes on disk: what comes out is what there is. */
  end(): void;
  /**
   * The next inflated bytes; null when it needs more (or, after `end`, when all is given out).
   *
   * @throws {WeirError} `bad_file` for bytes that are not what the format says, a stream that is cut, or one that inflates beyond the limit.
   */
  take(): Promise<Uint8Array | null>;
  close(): void;
}

/** Small files may inflate by any ratio: the limit counts from this many inflated bytes on. */
export const freeInflatedBytes = 64 * 1024 ** 2;
/** Inflated bytes that come in one piece. */
const pieceBytes = 64 * 1024;

/** Knows the compression by the first bytes of a file. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  // Any of the skippable frames may come first.
  const skippable = ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  const frame = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  return frame || skippable ? "zstd" : "none";
}

/** Makes an {@linkcode Inflate} for a file that begins with `head`. */
export function createInflate(head: Uint8Array, ratioMax: number): Inflate {
  const compression = compressionOf(head);
  if (compression === "none") return passThrough();
  return limited(compression === "gzip" ? gunzip() : unzstd(), ratioMax);
}

function passThrough(): Inflate {
  let piece: Uint8Array | null = null;
  let workedBytes = 0;
  return {
    compression: "none",
    get workedBytes() {
      return workedBytes;
    },
    give(chunk) {
      workedBytes += chunk.length;
      piece = chunk;
    },
    end() {},
    take() {
      const given = piece;
      piece = null;
      return Promise.resolve(given);
    },
    close() {},
  };
}

/** Refuses what inflates beyond all measure: rows would come for ever out of a few bytes. */
function limited(inner: Inflate, ratioMax: number): Inflate {
  let bytesIn = 0;
  let bytesOut = 0;
  return {
    compression: inner.compression,
    get workedBytes() {
      return inner.workedBytes;
    },
    end: inner.end,
    close: inner.close,
    give(chunk) {
      bytesIn += chunk.length;
      inner.give(chunk);
    },
    async take() {
      const piece = await inner.take();
      bytesOut += piece?.length ?? 0;
      if (bytesOut <= freeInflatedBytes || bytesOut <= bytesIn * ratioMax) return piece;
      throw new WeirError(
        "bad_file",
        `The file inflates to more than ${ratioMax} times its size: ${formatBytes(bytesIn)} gave ${
          formatBytes(bytesOut)
        }`,
        { advice: "if it is genuine, drop it uncompressed" },
      );
    },
  };
}

function gunzip(): Inflate {
  const engine = createEngine(createGunzip({ chunkSize: pieceBytes }));
  return {
    compression: "gzip",
    get workedBytes() {
      return engine.workedBytes;
    },
    give: engine.give,
    end: engine.end,
    take: engine.take,
    close: engine.close,
  };
}

/**
 * zstd, a frame at a time, because the library reads one only; and a block at a time, because an error that the library meets after the
 * first piece of what it was given, it throws past the stream's error listener: the whole program would end. A block is decoded at once
 * and wholly before its first piece comes out; all that is left for later pieces is to hand out what was decoded.
 */
function unzstd(): Inflate {
  const frames = createZstdFrames();
  let engine: Engine | null = null;
  let bytesOfFramesBefore = 0;
  let ended = false;
  return {
    compression: "zstd",
    get workedBytes() {
      return bytesOfFramesBefore + (engine?.workedBytes ?? 0);
    },
    give: frames.give,
    end() {
      ended = true;
    },
    async take() {
      for (;;) {
        const piece = await engine?.take() ?? null;
        if (piece !== null) return piece;
        const part = frames.next();
        if (part === null) {
          if (ended && !frames.whole) throw cutStream("zstd");
          return null;
        }
        if (part.begins) {
          bytesOfFramesBefore += engine?.workedBytes ?? 0;
          engine?.close();
          engine = createEngine(createZstdDecompress({ chunkSize: pieceBytes }));
        }
        engine?.give(part.bytes);
      }
    },
    close() {
      engine?.close();
    },
  };
}

interface Engine {
  readonly workedBytes: number;
  give(chunk: Uint8Array): void;
  end(): void;
  take(): Promise<Uint8Array | null>;
  close(): void;
}

/** Drives a zlib stream by hand: one write at a time, and reading until nothing more comes of it. */
function createEngine(stream: Gunzip | ZstdDecompress): Engine {
  let busy = false;
  let ended = false;
  let failure: Error | null = null;
  let wake: (() => void) | null = null;
  const changed = () => {
    const waiting = wake;
    wake = null;
    waiting?.();
  };
  stream.on("readable", changed);
  stream.on("end", () => {
    busy = false;
    changed();
  });
  stream.on("error", (error: Error) => {
    failure = error;
    changed();
  });
  return {
    get workedBytes() {
      return stream.bytesWritten;
    },
    give(chunk) {
      busy = true;
      stream.write(chunk, () => {
        busy = false;
        changed();
      });
    },
    end() {
      if (ended) return;
      ended = true;
      busy = true;
      stream.end();
    },
    async take() {
      for (;;) {
        const piece: unknown = stream.read();
        if (piece instanceof Uint8Array) return piece;
        if (failure !== null) throw badStream(failure);
        if (!busy) return null;
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
    close() {
      stream.removeAllListeners("readable");
      stream.destroy();
      changed();
    },
  };
}

function badStream(error: Error): WeirError {
  if ("errno" in error && error.errno === constants.Z_BUF_ERROR) return cutStream("gzip");
  return new WeirError("bad_file", `The compressed bytes are damaged: ${error.message}`, {
    advice: "have it written again",
    cause: error,
  });
}

function cutStream(format: string): WeirError {
  return new WeirError("bad_file", `The ${format} stream is cut: it ends in the middle`, {
    advice: "the transfer did not finish; drop the whole file again",
  });
}
