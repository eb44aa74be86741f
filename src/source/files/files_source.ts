/**
 * The file source: reads the files that are dropped into folders, slowly on purpose. One flow a folder; a file is one delivery from open
 * to close; its position moves only over rows that have a durable home.
 *
 * @module
 */
import { systemDice } from "../../core/dice.ts";
import type { Source } from "../../core/source.ts";
import { checkFolder } from "./check.ts";
import { createCheckpointer } from "./checkpointer.ts";
import { machineDisk } from "./disk.ts";
import { createFolderReader } from "./folder_reader.ts";
import type { FilesSourceDeps, FilesSourceOptions } from "./options.ts";

/** Makes the file source. Folder paths must be absolute. */
export function createFilesSource(options: FilesSourceOptions, deps: FilesSourceDeps): Source {
  const disk = deps.disk ?? machineDisk;
  const dice = deps.dice ?? systemDice;
  const checkpointer = createCheckpointer({ everyMs: options.checkpointMs }, { ...deps, dice });
  const readers = options.folders.map((folder) =>
    createFolderReader(folder, options, { ...deps, disk, dice, checkpointer })
  );

  return {
    name: "files",
    flows: readers.map((reader) => reader.flow),
    start(wake) {
      for (const reader of readers) reader.start(wake);
      return Promise.resolve();
    },
    stop() {
      for (const reader of readers) reader.stop();
    },
    async drained() {
      await Promise.all(readers.map((reader) => reader.drained()));
    },
    async finished() {
      await Promise.all(readers.map((reader) => reader.finished()));
    },
    async close() {
      // Together: a reader may be waiting for a commit that never comes.
      await Promise.all([checkpointer.close(), ...readers.map((reader) => reader.close())]);
    },
    status() {
      const waiting = readers.flatMap((reader) => reader.waiting);
      return {
        kind: "files",
        active: readers.flatMap((reader) => reader.active),
        waitingFiles: waiting.length,
        waitingBytes: waiting.reduce((sum, file) => sum + file.facts.sizeBytes, 0),
        doneFiles: readers.reduce((sum, reader) => sum + reader.doneFiles, 0),
        quarantinedFiles: readers.reduce((sum, reader) => sum + reader.quarantinedFiles, 0),
      };
    },
    async check() {
      const findings = await Promise.all(options.folders.map((folder) => checkFolder(disk, folder.path, options)));
      return findings.flat();
    },
  };
}
