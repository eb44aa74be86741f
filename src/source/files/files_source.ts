/**
 * The file source: reads the files that are dropped into folders, slowly on purpose. One flow a folder; a file is one delivery from open
 * to close; its position moves only over rows that have a durable home.
 *
 * @module
 */
import { sleep } from "../../core/clock.ts";
import { systemDice } from "../../core/dice.ts";
import { WeirError } from "../../core/error.ts";
import type { Source } from "../../core/source.ts";
import { checkFolder } from "./check.ts";
import { createCheckpointer } from "./checkpointer.ts";
import { machineDisk } from "./disk.ts";
import { createFolderReader, type FolderReader } from "./folder_reader.ts";
import type { FilesSourceDeps, FilesSourceOptions } from "./options.ts";

/** Finished files are known again, as duplicates, for this long. */
export const rememberMs = 90 * 24 * 3_600_000;
const forgetEveryMs = 24 * 3_600_000;

/** Makes the file source. Folder paths must be absolute. */
export function createFilesSource(options: FilesSourceOptions, deps: FilesSourceDeps): Source {
  const disk = deps.disk ?? machineDisk;
  const dice = deps.dice ?? systemDice;
  const checkpointer = createCheckpointer({ everyMs: options.checkpointMs }, { ...deps, dice });
  const weightBusy = (): number => readers.reduce((sum, reader) => sum + (reader.busy ? reader.weight : 0), 0);
  const readers: readonly FolderReader[] = options.folders.map((folder) =>
    createFolderReader(folder, options, { ...deps, disk, dice, checkpointer, weightBusy })
  );

  const closing = new AbortController();
  let forgetting: Promise<void> = Promise.resolve();

  /** Keeps the ledger small. A kept file must be remembered for as long as it lies there, so nothing is forgotten then. */
  async function forgetOld(): Promise<void> {
    while (options.after !== "keep" && !closing.signal.aborted) {
      try {
        await deps.store.forgetFiles(deps.clock.wallMs() - rememberMs);
      } catch (error) {
        // It is tried again tomorrow; a ledger that is broken shows at the next checkpoint.
        if (!(error instanceof WeirError)) throw error;
      }
      await sleep(deps.clock, forgetEveryMs, closing.signal);
    }
  }

  return {
    name: "files",
    flows: readers.map((reader) => reader.flow),
    start(wake) {
      for (const reader of readers) reader.start(wake);
      forgetting = forgetOld();
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
      closing.abort();
      await Promise.all([checkpointer.close(), forgetting, ...readers.map((reader) => reader.close())]);
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
