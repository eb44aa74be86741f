/**
 * Finds where the frames of a zstd stream and their blocks end, from the sizes that stand before each block, without decompressing: the
 * library reads one frame only, does not tell when it is cut, and must never be given more than one block at once (see `unzstd` in
 * inflate.ts).
 *
 * Format: RFC 8878, section 3.1.1 (frames and blocks) and 3.1.2 (skippable frames).
 *
 * @module
 */
import { WeirError } from "../../core/error.ts";

/** Bytes of one frame, and of no more than one of its blocks. */
export interface FramePart {
  /** The frame's header may stand before its first block; the checksum comes by itself. */
  readonly bytes: Uint8Array;
  /** A frame begins with these bytes. */
  readonly begins: boolean;
}

/** Cuts what it is given at the ends of blocks and of frames. */
export interface ZstdFrames {
  /** Adds bytes. Only after `next` gave null. */
  give(chunk: Uint8Array): void;
  /**
   * The next bytes, of one block, or null when it needs more.
   *
   * @throws {WeirError} `bad_file` when what follows a frame is not a frame.
   */
  next(): FramePart | null;
  /** Whether all bytes so far were whole frames. */
  readonly whole: boolean;
}

/** What comes next: a field to be understood, or bytes to be passed over. */
type Place = "magic" | "descriptor" | "header" | "block" | "content" | "checksum" | "skipSize" | "skip";

const frameMagic = 0xfd2fb528;
/** The low four bits are free. */
const skippableMagic = 0x184d2a50;

/** Makes a {@linkcode ZstdFrames}. */
export function createZstdFrames(): ZstdFrames {
  let chunk = new Uint8Array(0);
  let at = 0;
  let place: Place = "magic";
  let left = 4;
  let value = 0;
  let fieldBytes = 0;
  let lastBlock = false;
  let hasChecksum = false;

  function expect(next: Place, bytes: number): void {
    place = next;
    left = bytes;
    value = 0;
    fieldBytes = 0;
  }

  /** The present place is over. Returns whether a block or the frame is. */
  function step(): boolean {
    if (place === "magic") {
      if (value === frameMagic) expect("descriptor", 1);
      else if (value >= skippableMagic && value < skippableMagic + 16) expect("skipSize", 4);
      else throw notZstd();
    } else if (place === "descriptor") {
      hasChecksum = (value & 4) !== 0;
      expect("header", headerBytes(value));
    } else if (place === "header") expect("block", 3);
    else if (place === "block") {
      lastBlock = (value & 1) === 1;
      // A block of type 1 is one byte that is repeated.
      expect("content", ((value >> 1) & 3) === 1 ? 1 : value >> 3);
    } else if (place === "skipSize") expect("skip", value);
    else {
      if (place === "content" && !lastBlock) expect("block", 3);
      else if (place === "content" && hasChecksum) expect("checksum", 4);
      else expect("magic", 4);
      return true;
    }
    return false;
  }

  /** Goes on to the end of the block, of the frame or of the chunk, whichever comes first. */
  function walk(): void {
    while (at < chunk.length || left === 0) {
      if (left === 0) {
        if (step()) return;
      } else if (place === "content" || place === "checksum" || place === "skip" || place === "header") {
        const bytes = Math.min(left, chunk.length - at);
        at += bytes;
        left -= bytes;
      } else {
        value += (chunk[at] ?? 0) * 2 ** (8 * fieldBytes);
        fieldBytes += 1;
        at += 1;
        left -= 1;
      }
    }
  }

  return {
    get whole() {
      return place === "magic" && left === 4 && at === chunk.length;
    },
    give(bytes) {
      chunk = bytes.slice();
      at = 0;
    },
    next() {
      if (at === chunk.length) return null;
      const start = at;
      const begins = place === "magic" && left === 4;
      walk();
      return { bytes: chunk.subarray(start, at), begins };
    },
  };
}

/** Bytes of the frame header after its first one. */
function headerBytes(descriptor: number): number {
  const single = (descriptor & 0x20) !== 0;
  const window = single ? 0 : 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return window + dictionary + contentSize;
}

function notZstd(): WeirError {
  return new WeirError("bad_file", "Something that is not zstd follows a zstd frame", {
    advice: "have it written again",
  });
}
