/**
 * The file source: reads the files that are dropped into folders, slowly on purpose. One flow a folder; a file is one delivery from open
 * to close; its position moves only over rows that have a durable home.
 *
 * @module
 */
import { createBackoff } from "../../core/backoff.ts";
import { sleep } from "../../core/clock.ts";
import { systemDice } from "../../core/dice.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { Source } from "../../core/source.ts";
import type { FileRecord } from "../../core/store.ts";
import { printable } from "../../core/text.ts";
import { checkFolder } from "./check.ts";
import { createCheckpointer } from "./checkpointer.ts";
import { machineDisk } from "./disk.ts";
import { byUrgency } from "./file_status.ts";
import { createFolderReader, type FolderReader } from "./folder_reader.ts";
import { knownMax } from "./known_files.ts";
import type { FilesSourceDeps, FilesSourceOptions, KeptPlaces } from "./options.ts";
import { restore } from "./place.ts";

/** Finished files are known again, as duplicates, for this long. */
export const rememberMs = 90 * 24 * 3_600_000;
const forgetEveryMs = 24 * 3_600_000;

/** Dead letters that are taken back in one transaction. */
const takenBackAtOnce = 1000;
const retry = { firstMs: 200, maxMs: 30_000 } as const;

/** Makes the file source. Folder paths must be absolute. */
export function createFilesSource(options: FilesSourceOptions, deps: FilesSourceDeps): Source {
  const disk = deps.disk ?? machineDisk;
  const dice = deps.dice ?? systemDice;
  const checkpointer = createCheckpointer({ everyMs: options.checkpointMs }, { ...deps, dice });
  const weightBusy = (): number => readers.reduce((sum, reader) => sum + (reader.busy ? reader.weight : 0), 0);
  const readers: readonly FolderReader[] = options.folders.map((folder) =>
    createFolderReader(folder, options, { ...deps, disk, dice, checkpointer, weightBusy, takeBack })
  );

  const closing = new AbortController();
  const stopping = new AbortController();
  let beginning: Promise<void> = Promise.resolve();
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

  async function takeBack({ fileId, checkpoint }: FileRecord): Promise<void> {
    if (deps.kept === undefined) return;
    const behind = { idPrefix: `${deps.gateway}/${fileId}/`, fromByte: checkpoint?.byte ?? 0 };
    while (await deps.kept.letters.removeLetters(behind, takenBackAtOnce) === takenBackAtOnce);
  }

  /**
   * Brings the ledger to the places that the sink keeps, however long these take, and takes back the letters behind them: of files that
   * wait for their turn too, since letters may be replayed meanwhile. False when it was told to stop before.
   */
  async function restored({ places, known }: KeptPlaces): Promise<boolean> {
    const kept = await Promise.race([places().catch(onlyFenced), aborted(stopping.signal)]);
    const backoff = createBackoff(retry, dice);
    while (kept !== null && !stopping.signal.aborted) {
      try {
        const files = await restore(kept, deps.store);
        for (const { path } of options.folders) {
          for (const record of await deps.store.files(path, knownMax)) {
            if (record.state === "reading") await takeBack(record);
          }
        }
        known();
        if (files > 0) {
          deps.emit("info", "files.restored", `${files} files go on from checkpoints that Kafka keeps`, { files });
        }
        return true;
      } catch (thrown) {
        if (!(thrown instanceof WeirError)) throw thrown;
        if (backoff.failures === 0) {
          deps.emit("error", "files.restore_failed", `Files wait: ${printable(messageOf(thrown))}; trying again`);
        }
        await sleep(deps.clock, backoff.nextMs(), stopping.signal);
      }
    }
    return false;
  }

  return {
    name: "files",
    flows: readers.map((reader) => reader.flow),
    start(wake) {
      const begin = () => {
        for (const reader of readers) reader.start(wake);
      };
      if (deps.kept === undefined) begin();
      else beginning = restored(deps.kept).then((known) => known ? begin() : undefined);
      forgetting = forgetOld();
      return Promise.resolve();
    },
    stop() {
      stopping.abort();
      for (const reader of readers) reader.stop();
    },
    async drained() {
      await beginning;
      await Promise.all(readers.map((reader) => reader.drained()));
    },
    async finished() {
      await Promise.all(readers.map((reader) => reader.finished()));
    },
    async close() {
      // Together: a reader may be waiting for a commit that never comes.
      closing.abort();
      stopping.abort();
      await beginning;
      await Promise.all([checkpointer.close(), forgetting, ...readers.map((reader) => reader.close())]);
    },
    status() {
      const waiting = readers.flatMap((reader) => reader.waiting);
      return {
        kind: "files",
        active: byUrgency(readers.flatMap((reader) => reader.active)),
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

/** Another instance has taken over: the program ends, and no file is begun. */
function onlyFenced(thrown: unknown): null {
  if (thrown instanceof WeirError && thrown.code === "fenced") return null;
  throw thrown;
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}
