/**
 * A real file on a disk that can be told to fail: full after so many bytes, or refusing to sync.
 *
 * @module
 */
import type { DiskFile } from "../../src/sink/ndjson/line_file.ts";

/** The disk under a test's control. */
export interface FailingDisk {
  /** Bytes that it still takes; a write that does not fit is cut short, the next one fails. */
  roomBytes: number;
  /** Whether a sync fails. */
  syncFails: boolean;
  /** Whether cutting a file fails. */
  truncateFails: boolean;
  /** Most bytes that one write takes: writes are partial. */
  writeBytesMax: number;
  readonly syncs: number;
  openDisk(path: string): Promise<DiskFile>;
}

/** Makes a disk that works. */
export function failingDisk(): FailingDisk {
  let syncs = 0;
  const disk: FailingDisk = {
    roomBytes: Infinity,
    syncFails: false,
    truncateFails: false,
    writeBytesMax: Infinity,
    get syncs() {
      return syncs;
    },
    async openDisk(path) {
      const file = await Deno.open(path, { create: true, append: true, read: true });
      return {
        read: (into) => file.read(into),
        seek: (offset, whence) => file.seek(offset, whence),
        stat: () => file.stat(),
        ...("tryLock" in file ? { tryLock: (exclusive) => file.tryLock(exclusive) } : {}),
        close: () => file.close(),
        truncate: (length) => disk.truncateFails ? Promise.reject(ioError()) : file.truncate(length),
        async write(bytes) {
          const takes = Math.min(bytes.byteLength, disk.roomBytes, disk.writeBytesMax);
          if (takes === 0) throw new Error("No space left on device (os error 28)");
          disk.roomBytes -= takes;
          return await file.write(bytes.subarray(0, takes));
        },
        async syncData() {
          if (disk.syncFails) throw ioError();
          syncs += 1;
          await file.syncData();
        },
      };
    },
  };
  return disk;
}

function ioError(): Error {
  return new Error("Input/output error (os error 5)");
}
