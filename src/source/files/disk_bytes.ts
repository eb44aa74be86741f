/**
 * The bytes of one file as they lie on the disk, from byte 0 on, whatever becomes of the file meanwhile:
 *
 * - deleted, or another file renamed over it: reading goes on from the open handle to its end;
 * - appended: reading goes on; at the end it waits until the file is complete again;
 * - truncated or rewritten: refused. A shorter file shows at once; changed bytes show when the part that was read is hashed again, which
 *   is done once, at the end, if the file ever changed while it was read, and at once when its first bytes are others.
 *
 * The SHA-256 of everything read is computed on the way. A disk that fails for the moment is tried again with backoff.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { createBackoff } from "../../core/backoff.ts";
import { type Clock, sleep } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { FileIdentity } from "../../core/store.ts";
import { formatBytes, printable, quoted } from "../../core/text.ts";
import { type Disk, errnoOf, isMissing, isRefused, isSystemError, type OpenFile } from "./disk.ts";
import { identityOf, sameIdentity, sameInode } from "./identity.ts";

/** A file's bytes, pulled. */
export interface DiskBytes {
  /**
   * The next bytes, or null at the end of a complete file. The array is used again at the next call.
   *
   * @throws {WeirError} `bad_file` when the file is truncated, rewritten or may not be read.
   */
  next(): Promise<Uint8Array | null>;
  /** Bytes read. */
  readonly position: number;
  /** SHA-256 of the bytes read, in hex. */
  sha256(): string;
  /** What the file is now, as far as was looked. */
  readonly identity: FileIdentity;
  close(): void;
}

/** Which file, and how its end is known. */
export interface DiskBytesOptions {
  readonly fullPath: string;
  /** What was complete when the file was chosen. */
  readonly identity: FileIdentity;
  /** A file that changed while it was read is complete when it stood still for this long. */
  readonly quietMs: number;
}

/** What it needs. */
export interface DiskBytesDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Bytes read at once. */
export const chunkBytes = 64 * 1024;
const retry = { firstMs: 200, maxMs: 30_000 };
/** While bytes come, the file is looked at no more often than this: a look costs as much as reading a chunk. At the end it is looked at in any case. */
const lookEveryMs = 50;

/** Opens a file. Rejects with a `bad_file` {@linkcode WeirError} when it may not be read, with the system's own error when it is gone. */
export async function openDiskBytes(options: DiskBytesOptions, deps: DiskBytesDeps): Promise<DiskBytes> {
  const { disk, clock, signal } = deps;
  const shown = quoted(options.fullPath);
  const buffer = new Uint8Array(chunkBytes);
  const backoff = createBackoff(retry, deps.dice);
  const hash = createHash("sha256");
  const file = await persistent(() => disk.open(options.fullPath));
  let position = 0;
  let identity = options.identity;
  let changed = false;
  let lookedMs = -Infinity;
  /** The first chunk, by which a rewrite shows before the end. */
  let firstBytes = 0;
  let firstHash: string | null = null;

  /** Does something that the disk may refuse for the moment (too many open files, an I/O error). */
  async function persistent<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await act();
        if (backoff.failures > 0) deps.emit("info", "files.read_recovered", `File ${shown} can be read again`);
        backoff.reset();
        return result;
      } catch (error) {
        if (isRefused(error)) throw unreadable(shown, error);
        if (!isSystemError(error) || isMissing(error) || signal.aborted) throw error;
        if (backoff.failures === 0) {
          const why = printable(messageOf(error));
          deps.emit("error", "files.read_failed", `Cannot read ${shown}: ${why}; trying again`, {
            code: errnoOf(error),
          });
        }
        await sleep(clock, backoff.nextMs(), signal);
      }
    }
  }

  /** Looks whether the file changed under the handle, and refuses it when what was read is not there any more. */
  async function look(): Promise<void> {
    lookedMs = clock.nowMs();
    const now = identityOf(await persistent(() => file.facts()));
    if (now.sizeBytes < position) throw truncated(shown, position, now.sizeBytes);
    if (sameIdentity(now, identity)) return;
    if (!changed) {
      deps.emit("warn", "files.file_changed", `File ${shown} changes while it is read; waiting until it is complete`);
    }
    changed = true;
    identity = now;
    const again = await withFile((other) => hashUpTo(other, firstBytes, () => signal.aborted));
    if (firstHash !== null && again !== null && again !== firstHash && !signal.aborted) throw rewritten(shown);
  }

  /** A second handle on the same file, or null when the path is not this file any more. */
  async function withFile<T>(use: (file: OpenFile) => Promise<T>): Promise<T | null> {
    const other = await persistent(() => disk.open(options.fullPath)).catch(goneIsNull);
    if (other === null) return null;
    try {
      const same = sameInode(identityOf(await other.facts()), identity);
      return same ? await use(other) : null;
    } finally {
      other.close();
    }
  }

  /** Whether the file stands still: nothing can be appended to one that nobody can reach any more. */
  async function isAtRest(): Promise<boolean> {
    const there = await persistent(() => disk.facts(options.fullPath));
    if (there === null || !sameInode(identityOf(there), identity)) return true;
    if (!changed) return true;
    const before = identity;
    await sleep(clock, options.quietMs, signal);
    await look();
    return sameIdentity(before, identity);
  }

  /** Hashes the part that was read once more. */
  async function verify(): Promise<void> {
    const again = await withFile((other) => hashUpTo(other, position, () => signal.aborted));
    if (again !== null && again !== hash.copy().digest("hex") && !signal.aborted) throw rewritten(shown);
    changed = false;
  }

  return {
    get position() {
      return position;
    },
    get identity() {
      return identity;
    },
    sha256: () => hash.copy().digest("hex"),
    async next() {
      for (let atEnd = false;;) {
        if (atEnd || clock.nowMs() - lookedMs >= lookEveryMs) await look();
        const read = await persistent(() => file.read(buffer)) ?? 0;
        if (read > 0) {
          position += read;
          const chunk = buffer.subarray(0, read);
          hash.update(chunk);
          if (firstHash === null) {
            firstBytes = read;
            firstHash = hash.copy().digest("hex");
          }
          return chunk;
        }
        if (signal.aborted) return null;
        if (!atEnd) {
          atEnd = true;
          continue;
        }
        if (!await isAtRest() || signal.aborted || identity.sizeBytes > position) continue;
        if (changed) await verify();
        return null;
      }
    },
    close: () => file.close(),
  };
}

/** SHA-256 in hex of the first `bytes` bytes of a file, read in chunks. */
export async function hashUpTo(file: OpenFile, bytes: number, stopped: () => boolean): Promise<string> {
  const hash: Hash = createHash("sha256");
  const buffer = new Uint8Array(chunkBytes);
  for (let left = bytes; left > 0 && !stopped();) {
    const read = await file.read(buffer.subarray(0, Math.min(left, chunkBytes)));
    if (read === null) break;
    hash.update(buffer.subarray(0, read));
    left -= read;
  }
  return hash.digest("hex");
}

function goneIsNull(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

function unreadable(shown: string, cause: unknown): WeirError {
  return new WeirError("bad_file", `File ${shown} may not be read: ${printable(messageOf(cause))}`, {
    advice: "give the user that Weir runs as the right to read it, then move it back",
    cause,
  });
}

function truncated(shown: string, position: number, sizeBytes: number): WeirError {
  return new WeirError(
    "bad_file",
    `File ${shown} was truncated while it was read: ${formatBytes(position)} were read and ${
      formatBytes(sizeBytes)
    } are left`,
    { advice: "write files beside and rename them into the folder when they are whole" },
  );
}

function rewritten(shown: string): WeirError {
  return new WeirError("bad_file", `File ${shown} was rewritten while it was read`, {
    advice: "write files beside and rename them into the folder when they are whole",
  });
}
