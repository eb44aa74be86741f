/**
 * A file of lines in memory, for the NDJSON sink: a crash leaves some of the bytes that were not synced, torn anywhere.
 *
 * @module
 */
import type { Dice } from "../../src/core/dice.ts";
import type { DiskFile } from "../../src/sink/ndjson/line_file.ts";
import { keyIn } from "./books.ts";
import type { FarSide } from "./far_side.ts";
import type { Life } from "./life.ts";

/** The file. */
export interface LineDisk {
  openFor(life: Life): Promise<DiskFile>;
  /** Error number of every write from now on, or null. */
  trouble: string | null;
  /** The life is over: of what was not synced a part stays. */
  tear(dice: Dice): void;
}

/** Makes an empty file; each line that is synced counts as arrived at the far side. */
export function lineDisk(far: FarSide): LineDisk {
  let bytes = new Uint8Array();
  let syncedBytes = 0;
  /** Up to here lines have arrived. */
  let readBytes = 0;

  function grow(added: Uint8Array): void {
    const longer = new Uint8Array(bytes.length + added.length);
    longer.set(bytes);
    longer.set(added, bytes.length);
    bytes = longer;
  }

  function cut(length: number): void {
    if (length < readBytes) throw new Error(`Lines that were synced are cut off: ${length} of ${readBytes} bytes stay`);
    bytes = bytes.slice(0, length);
    syncedBytes = Math.min(syncedBytes, length);
  }

  function sync(): void {
    syncedBytes = bytes.length;
    const end = bytes.lastIndexOf(10) + 1;
    const lines = new TextDecoder().decode(bytes.subarray(readBytes, end)).split("\n").slice(0, -1);
    for (const line of lines) {
      JSON.parse(line);
      far.accept({ lane: "stream", id: null, redelivered: false, key: keyIn(line) ?? "" });
    }
    readBytes = Math.max(readBytes, end);
  }

  const disk: LineDisk = {
    trouble: null,
    tear(dice) {
      cut(syncedBytes + Math.floor(dice() * (bytes.length - syncedBytes + 1)));
      // Lines that are whole stay, whoever knows of it.
      sync();
    },
    openFor(life) {
      let position = 0;
      const written = (site: string, act: () => void) =>
        life.step(site, () => {
          if (disk.trouble === null) return Promise.try(act);
          return Promise.reject(Object.assign(new Error(disk.trouble), { code: disk.trouble }));
        });
      return life.ask(() =>
        Promise.resolve<DiskFile>({
          read: (into) =>
            life.ask(() => {
              const rest = bytes.subarray(position, position + into.length);
              into.set(rest);
              position += rest.length;
              return Promise.resolve(rest.length === 0 ? null : rest.length);
            }),
          write: async (from) => {
            // In two pieces, as a file system may.
            const half = from.subarray(0, Math.ceil(from.length / 2));
            await written("line", () => grow(half));
            return half.length;
          },
          seek: (offset) => {
            position = Number(offset);
            return Promise.resolve(position);
          },
          stat: () => life.ask(() => Promise.resolve(statOf(bytes.length))),
          truncate: (length) => written("line, cut", () => cut(length ?? 0)),
          syncData: () => written("line, sync", sync),
          close() {},
        })
      );
    },
  };
  return disk;
}

function statOf(size: number): Deno.FileInfo {
  return {
    isFile: true,
    isDirectory: false,
    isSymlink: false,
    size,
    mtime: null,
    atime: null,
    birthtime: null,
    ctime: null,
    dev: 1,
    ino: 1,
    mode: null,
    nlink: 1,
    uid: null,
    gid: null,
    rdev: null,
    blksize: null,
    blocks: null,
    isBlockDevice: false,
    isCharDevice: false,
    isFifo: false,
    isSocket: false,
  };
}
