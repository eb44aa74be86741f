/**
 * Everything that happens with one drop folder: files come out of the scan in order, one after the other is read into the folder's flow,
 * and each leaves when its last row is home. The next file is read while the last rows of the one before are still under way, so that
 * many small files do not cost a round trip each.
 *
 *     scan -> recognise -> read (one at a time) -> all rows settled -> done -> moved, receipt
 *                                              \-> rows so far settled -> quarantine
 *
 * @module
 */
import { join } from "node:path";
import { createBackoff } from "../../core/backoff.ts";
import { sleep } from "../../core/clock.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { FileStatus } from "../../core/status.ts";
import { printable, quoted } from "../../core/text.ts";
import type { AfterResult } from "./after.ts";
import { createArchiveWatch } from "./archive_watch.ts";
import { createBell } from "./bell.ts";
import type { Checkpointer } from "./checkpointer.ts";
import { isMissing, isSystemError, noFacts } from "./disk.ts";
import { createFileReader, type ReadOutcome } from "./file_reader.ts";
import { fileStatus, isHandedOver, verdictAtEnd } from "./file_status.ts";
import { createFileTask, type FileTask } from "./file_task.ts";
import type { ListedFile } from "./folder.ts";
import { createFolderScan } from "./folder_scan.ts";
import { identityOf } from "./identity.ts";
import { createKnownFiles, knownMax } from "./known_files.ts";
import { removeMarkers } from "./markers.ts";
import type { FilesSourceDeps, FilesSourceOptions, FolderOptions } from "./options.ts";
import { recognise, type Recognised } from "./recognise.ts";
import { trimArchive } from "./retention.ts";
import { createRowBuffer, type RowBuffer } from "./row_buffer.ts";
import { createSettling, noReceipt } from "./settling.ts";
import { tellBegun, tellDuplicate, tellFinished, tellGone, tellTrimFailed, tellTrimmed } from "./tell.ts";

/** Reads one folder. */
export interface FolderReader {
  readonly flow: RowBuffer;
  start(wake: () => void): void;
  /** Reads nothing more and forgets what was not taken. */
  stop(): void;
  /** After `stop`: resolves when every taken row is settled and what follows from it is done and committed. */
  drained(): Promise<void>;
  /** Resolves when there is nothing left to do without new input. */
  finished(): Promise<void>;
  close(): Promise<void>;
  readonly active: readonly FileStatus[];
  /** In force now. */
  readonly weight: number;
  /** Has rows that were not handed over yet. */
  readonly busy: boolean;
  readonly waiting: readonly ListedFile[];
  readonly doneFiles: number;
  readonly quarantinedFiles: number;
}

/** What it needs besides. */
export type FolderReaderDeps =
  & Required<Omit<FilesSourceDeps, "forecast" | "folderInForce" | "kept">>
  & Pick<FilesSourceDeps, "forecast" | "folderInForce">
  & {
    readonly checkpointer: Checkpointer;
    /** Weight of all folders that have rows now. */
    readonly weightBusy: () => number;
    /** Takes back what is left of rows that never arrived, before a file is read from its checkpoint on. */
    readonly takeBack: (record: FileTask["begun"]) => Promise<void>;
  };

/** Files whose last rows are under way while the next one is read. */
export const leavingMax = 16;
/** Finished files that could not be moved yet; beyond it no further file is begun. */
export const unmovedMax = 1000;
const trimEveryMs = 3_600_000;
const retry = { firstMs: 500, maxMs: 30_000 };

/** Makes a {@linkcode FolderReader}. */
export function createFolderReader(
  folder: FolderOptions,
  options: FilesSourceOptions,
  deps: FolderReaderDeps,
): FolderReader {
  const { clock, emit, store, disk, checkpointer } = deps;
  const stopping = new AbortController();
  const closing = new AbortController();
  /** Something happened that a loop may wait for: a file to read, a verdict, room. */
  const news = createBell(clock);
  const taken = createBell(clock);
  const idle = createBell(clock);
  const known = createKnownFiles();
  const archiveWatch = createArchiveWatch(disk, options.quietMs);
  /** Files outside the listing that are to be read on: archived ones that grew. */
  const extra: ListedFile[] = [];
  const tasks = new Set<FileTask>();
  const leaving = new Set<Promise<void>>();
  const inFolder = (path: string): string => join(folder.path, path);
  let wake = () => {};
  let handling = true;
  let doneFiles = 0;
  let quarantinedFiles = 0;
  let running: Promise<unknown> = Promise.resolve();

  const flow = createRowBuffer({
    name: folder.path,
    weight: folder.weight,
    capRows: folder.capRows,
    rowsMax: options.readAheadRows,
    bytesMax: options.readAheadBytesMax,
    taken: taken.ring,
  });
  const scan = createFolderScan(folder.path, options, {
    disk,
    clock,
    emit,
    signal: stopping.signal,
    scanned: news.ring,
    begun: (file) => known.byInode(identityOf(file.facts))?.state === "reading",
  });
  const settling = createSettling(folder.path, options, {
    ...deps,
    signal: closing.signal,
    ended: (file, result) => {
      const task = [...tasks].find((one) => one === file);
      if (task !== undefined) left(task, result);
    },
  });

  async function run(): Promise<void> {
    await remember();
    const scanning = scan.run();
    while (!stopping.signal.aborted) {
      extra.push(...await archiveWatch.look(clock.nowMs()));
      const file = extra.shift() ?? (settling.pending < unmovedMax ? scan.next() : null);
      handling = file !== null;
      if (file !== null) await handle(file);
      else {
        idle.ring();
        await news.heard();
      }
    }
    handling = false;
    await scanning;
  }

  /** Learns what the ledger knows of the folder, and finishes what a crash left half done. */
  async function remember(): Promise<void> {
    const records = await patiently(() => store.files(folder.path, knownMax)) ?? [];
    for (const record of records.toReversed()) known.put(record);
    for (const record of records) {
      const fullPath = inFolder(record.path);
      if (record.state === "done") {
        const facts = await patiently(() => disk.facts(fullPath));
        const listed = { path: record.path, fullPath, facts: facts ?? noFacts, mtimeMs: record.identity.mtimeMs };
        const task = begin(listed, record);
        left(task, await settling.again(task));
      } else if (record.state === "reading" && record.movedTo !== null && record.movedTo !== fullPath) {
        const facts = await patiently(() => disk.facts(record.movedTo ?? ""));
        if (facts?.kind === "file") {
          extra.push({ path: record.path, fullPath: record.movedTo, facts, mtimeMs: facts.mtimeMs });
        }
      }
    }
  }

  async function handle(file: ListedFile): Promise<void> {
    // What leaves with the same size may turn out to be a twin: then its hash must be in the ledger before this one is judged.
    const twins = () => [...tasks].some((task) => task.listed.facts.sizeBytes === file.facts.sizeBytes);
    while ((leaving.size >= leavingMax || leaving.size > 0 && twins()) && !stopping.signal.aborted) {
      await news.heard();
    }
    const found = await patiently(() =>
      recognise(file, { disk, store, known, folder: folder.path, wallMs: clock.wallMs(), signal: stopping.signal })
    );
    if (found === null || stopping.signal.aborted) return scan.leave(file.path, null);
    if (found.kind === "ignore") return scan.leave(file.path, identityOf(file.facts));
    const task = begin(file, found.record);
    if (found.kind === "read") await read(task, found);
    else if (found.kind === "finish") left(task, await settling.again(task));
    else await duplicate(task, found);
  }

  function begin(listed: ListedFile, record: FileTask["begun"]): FileTask {
    const task = createFileTask(listed, record, clock, (changed) => {
      known.put(changed.record());
      checkpointer.mark(changed);
    });
    tasks.add(task);
    return task;
  }

  async function read(task: FileTask, found: Recognised & { readonly kind: "read" }): Promise<void> {
    // Before its first row leaves: after a crash it is known to be begun, and goes on before an older twin of it.
    checkpointer.mark(task);
    await checkpointer.flush();
    const { fullPath, listed } = task;
    const reader = createFileReader(
      { ...options, fullPath, record: found.record, identity: identityOf(listed.facts), gateway: deps.gateway },
      {
        ...deps,
        signal: stopping.signal,
        buffer: flow,
        room,
        wake,
        settled: (one) => {
          if (task.reader !== one) return;
          checkpointer.mark(task);
          if (one.delivery.openRows === 0) news.ring();
        },
      },
    );
    await patiently(() => deps.takeBack(found.record));
    task.readBy(reader);
    known.put(found.record);
    tellBegun(emit, folder.path, found, listed);
    const outcome = await reader.run();
    if (outcome.kind === "vanished") {
      // Of a new one nothing was read: nobody waits for it, and it is forgotten like those that were archived.
      if (found.why === "new") task.become({ state: "archived" });
      tasks.delete(task);
      return scan.leave(listed.path, null);
    }
    const promise = conclude(task, outcome).finally(() => {
      leaving.delete(promise);
      news.ring();
    });
    leaving.add(promise);
  }

  /** Waits for the verdicts of a file's rows, then lets it go. */
  async function conclude(task: FileTask, outcome: ReadOutcome): Promise<void> {
    const delivery = task.reader?.delivery;
    if (delivery === undefined) throw new Error("A file cannot leave twice");
    while (delivery.openRows > 0 || flow.waiting(delivery) > 0) {
      if (closing.signal.aborted) return;
      await news.heard();
    }
    // Rows that were read ahead and forgotten by a stop are not home: the file is gone on with after the next start.
    const whole = delivery.counts().read - task.begun.counts.read === delivery.addedRows;
    if (outcome.kind === "stopped" || !whole) {
      checkpointer.mark(task);
      tasks.delete(task);
    } else if (outcome.kind === "refused") {
      const movedTo = await settling.refuse(task, outcome.error);
      quarantinedFiles += 1;
      tasks.delete(task);
      scan.leave(task.listed.path, movedTo === null ? task.record().identity : null);
    } else if (outcome.kind === "read") await finish(task, outcome);
  }

  async function finish(task: FileTask, { sha256, identity }: ReadOutcome & { readonly kind: "read" }): Promise<void> {
    const end = verdictAtEnd(inForce().everyMs, ageOf(task));
    const receipt = { verdict: end.verdict, firstByte: task.reader?.progress().firstByte ?? null };
    const result = await settling.finish(task, { change: { sha256, identity }, duplicate: false, receipt });
    if (result === null) return;
    doneFiles += 1;
    tellFinished(emit, task.record(), clock.wallMs(), end);
    left(task, result);
  }

  async function duplicate(task: FileTask, found: Recognised & { readonly kind: "duplicate" }): Promise<void> {
    tellDuplicate(emit, folder.path, task.listed, found.of);
    const result = await settling.finish(task, { change: {}, duplicate: true, receipt: noReceipt });
    if (result !== null) left(task, result);
  }

  /** The step after a file is over, or is being tried again. */
  function left(task: FileTask, result: AfterResult | "later"): void {
    if (result === "later") return;
    tasks.delete(task);
    const record = task.record();
    const { movedTo } = record;
    const archived = movedTo !== null && movedTo !== inFolder(record.path);
    scan.leave(record.path, result === "done" && !archived && movedTo !== null ? record.identity : null);
    if (result === "gone") tellGone(emit, record);
    // One that grew inside the archive is not listed: only the watch sees it.
    const watch = result === "done" || movedTo === task.fullPath;
    if (archived && watch && options.ready === "quiet" && !options.once) {
      archiveWatch.add(record, movedTo, clock.nowMs());
    }
    if (result === "done" && options.after !== "keep" && options.ready === "marker") {
      patiently(() => removeMarkers(disk, task.listed, scan.listing));
    }
    news.ring();
  }

  async function room(): Promise<void> {
    await checkpointer.writable();
    const enough = Math.max(1, Math.floor(options.readAheadRows / 2));
    while (!stopping.signal.aborted && flow.room() < enough) await taken.heard();
  }

  /** Does what the disk or the ledger may refuse for the moment, again and again; null when stopped or when the file is gone. */
  async function patiently<T>(act: () => Promise<T>): Promise<T | null> {
    const backoff = createBackoff(retry, deps.dice);
    while (!stopping.signal.aborted) {
      try {
        const result = await act();
        if (backoff.failures > 0) emit("info", "files.read_recovered", `Folder ${quoted(folder.path)} goes on`);
        return result;
      } catch (error) {
        if (isMissing(error)) return null;
        const passing = error instanceof WeirError && error.code === "storage" || isSystemError(error);
        if (!passing) throw error;
        if (backoff.failures === 0) {
          const why = printable(messageOf(error));
          emit("error", "files.read_failed", `Folder ${quoted(folder.path)} cannot go on: ${why}; trying again`);
        }
        await sleep(clock, backoff.nextMs(), stopping.signal);
      }
    }
    return null;
  }

  /** Trims the archive now and then. What cannot be removed is tried again the next time. */
  async function trim(): Promise<void> {
    let failing = false;
    while (options.after === "archive" && !stopping.signal.aborted) {
      try {
        const trimmed = await trimArchive(disk, folder.path, options, clock.wallMs());
        if (trimmed.files > 0) tellTrimmed(emit, folder.path, trimmed);
        failing = false;
      } catch (error) {
        if (!isSystemError(error)) throw error;
        if (!failing) tellTrimFailed(emit, folder.path, error);
        failing = true;
      }
      await sleep(clock, trimEveryMs, stopping.signal);
    }
  }

  function statusOf(task: FileTask): FileStatus | null {
    const { reader, begun, listed } = task;
    if (reader === null) return null;
    const weightBusy = Math.max(deps.weightBusy(), inForce().weight);
    const rowsBefore = begun.counts.read;
    return fileStatus(
      { folder: inForce(), weightBusy, reader, name: listed.path, rowsBefore, ageMs: ageOf(task) },
      deps.forecast,
    );
  }

  function inForce(): FolderOptions {
    return deps.folderInForce?.(folder.path) ?? folder;
  }

  /** Ms since its arrival, from which its deadline counts: however long it waited for its turn, or for a gateway to run. */
  function ageOf({ begun, listed }: FileTask): number {
    return clock.wallMs() - Math.min(begun.firstSeenAtMs, listed.facts.arrivedMs ?? Infinity);
  }

  return {
    flow,
    start(wakeScheduler) {
      wake = wakeScheduler;
      running = Promise.all([run(), trim()]);
    },
    stop() {
      stopping.abort();
      flow.forget();
      taken.ring();
      news.ring();
    },
    async drained() {
      await running;
      await Promise.all(leaving);
      await checkpointer.flush();
    },
    async finished() {
      const isIdle = () => !handling && extra.length === 0 && scan.idle && leaving.size === 0 && settling.waiting === 0;
      while (!stopping.signal.aborted && !isIdle()) await idle.heard();
    },
    async close() {
      stopping.abort();
      closing.abort();
      flow.forget();
      taken.ring();
      news.ring();
      idle.ring();
      await Promise.all([running, ...leaving]);
    },
    get active() {
      return [...tasks].map(statusOf).filter((status) => status !== null);
    },
    get weight() {
      return inForce().weight;
    },
    get busy() {
      return [...tasks].some(({ reader }) => reader !== null && !isHandedOver(reader.progress()));
    },
    get waiting() {
      return scan.waiting;
    },
    get doneFiles() {
      return doneFiles;
    },
    get quarantinedFiles() {
      return quarantinedFiles;
    },
  };
}
