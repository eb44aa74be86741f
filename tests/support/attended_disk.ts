/**
 * A disk whose work can be waited for. Under a virtual clock time costs nothing, and a file costs what the machine takes for it: time that
 * went on meanwhile would make a test's outcome depend on how fast that is.
 *
 * @module
 */
import type { Disk, OpenFile } from "../../src/source/files/disk.ts";

/** A disk, and whether it is at work. */
export interface AttendedDisk {
  readonly disk: Disk;
  /** Lets pending input and output go on, and resolves when the disk has nothing to do any more. */
  idle(): Promise<void>;
}

/** Attends to a disk. */
export function attendedDisk(disk: Disk): AttendedDisk {
  let underWay = 0;

  async function attended<T>(act: () => Promise<T>): Promise<T> {
    underWay += 1;
    try {
      return await act();
    } finally {
      underWay -= 1;
    }
  }

  function attendedFile(file: OpenFile): OpenFile {
    return {
      read: (buffer) => attended(() => file.read(buffer)),
      facts: () => attended(() => file.facts()),
      close: () => file.close(),
    };
  }

  return {
    disk: {
      list: (folder) => attended(() => disk.list(folder)),
      facts: (path) => attended(() => disk.facts(path)),
      open: (path) => attended(async () => attendedFile(await disk.open(path))),
      lastByte: (path) => attended(() => disk.lastByte(path)),
      makeFolder: (path) => attended(() => disk.makeFolder(path)),
      rename: (from, to) => attended(() => disk.rename(from, to)),
      remove: (path) => attended(() => disk.remove(path)),
      copySynced: (from, to, mtimeMs) => attended(() => disk.copySynced(from, to, mtimeMs)),
      writeWhole: (path, text) => attended(() => disk.writeWhole(path, text)),
      freeBytes: (path) => attended(() => disk.freeBytes(path)),
      watch: (folder, changed) => disk.watch(folder, changed),
    },
    async idle() {
      // What ends in a turn of the event loop begins what follows it in the same turn.
      do await new Promise((resolve) => setTimeout(resolve, 1)); while (underWay > 0);
    },
  };
}
