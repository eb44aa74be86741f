/**
 * The ledger on disk: the side that the program talks to. Each call becomes a numbered request to a worker and resolves with its answer;
 * the worker does them one by one, in order, so that a slow disk never holds up the event loop.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { Emit } from "../core/event.ts";
import type { DeadLetter } from "../core/reading.ts";
import type { ReplayRequest } from "../core/replay.ts";
import type { SpoolDrop, SpooledReading, SpoolInventory, SpoolTotals } from "../core/spool.ts";
import type { AppendResult, FileRecord, Ledger, StoredLetter } from "../core/store.ts";
import { formatBytes, printable, quoted } from "../core/text.ts";
import { type Call, fromWire, type Request, type Response } from "./ledger_protocol.ts";
import { databasePath, ensurePrivateFile, ensureStateDir } from "./state_dir.ts";

/** How to open the ledger. */
export interface LedgerOptions {
  readonly stateDir: string;
  /** Room for dead letters, in bytes (`--dead-letter-max`). */
  readonly deadLetterBytesMax: number;
  /** Hard limit of the state file, in bytes; past it writes fail as on a full disk. Default: none but the disk's. */
  readonly databaseBytesMax?: number;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Requests that may wait for the worker. One more is refused as on a full disk: its caller keeps it and tries again. */
export const requestsWaitingMax = 256;

/**
 * Opens the ledger of a state folder, which is made when it is missing. The caller holds the folder's lock (`lockState`).
 *
 * @throws {WeirError} `configuration` when the file is of a newer Weir or of another program, `permission`, `storage`.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const path = databasePath(options.stateDir);
  // First of all: to begin takes it a while.
  const line = workerLine(options.clock, (reason, movedTo) => {
    options.emit(
      "error",
      "ledger.set_aside",
      `The state file was damaged and is kept as ${
        quoted(movedTo)
      }; a new one is begun. Files that were not finished are read again from their start; dead letters, and readings of ` +
        `streams that were put aside on disk, are only there. What was wrong: ${printable(reason)}`,
      { path: movedTo },
    );
  });
  const { deadLetterBytesMax, databaseBytesMax = null } = options;
  try {
    await ensureStateDir(options.stateDir);
    await ensurePrivateFile(path);
    await line.ask({ kind: "open", options: { path, deadLetterBytesMax, databaseBytesMax } });
  } catch (thrown) {
    line.end();
    throw thrown;
  }
  options.emit("debug", "ledger.opened", `State is kept in ${quoted(path)}`, {
    dead_letter_bytes_max: deadLetterBytesMax,
    dead_letter_max: formatBytes(deadLetterBytesMax),
  });

  // The worker's answer has the type of the method's result: both ends are checked against the same tables.
  async function call<T>(named: Call): Promise<T> {
    return await line.ask({ kind: "call", call: named }) as T;
  }

  let closing: Promise<void> | null = null;
  return {
    files: (folder, limit) => call<readonly FileRecord[]>({ method: "files", args: [folder, limit] }),
    fileById: (fileId) => call<FileRecord | null>({ method: "fileById", args: [fileId] }),
    fileByHash: (folder, sha256) => call<FileRecord | null>({ method: "fileByHash", args: [folder, sha256] }),
    saveFiles: (records) => call<void>({ method: "saveFiles", args: [records] }),
    forgetFiles: (updatedBeforeMs) => call<number>({ method: "forgetFiles", args: [updatedBeforeMs] }),
    append: (letters) =>
      call<AppendResult>({ method: "append", args: [letters.map(withOwnBytes), options.clock.wallMs()] }),
    list: (filter, limit) => call<readonly StoredLetter[]>({ method: "list", args: [filter, limit] }),
    letter: (number) => call<StoredLetter | null>({ method: "letter", args: [number] }),
    letterCount: (filter) =>
      call<{ readonly letters: number; readonly bytes: number }>({ method: "letterCount", args: [filter] }),
    lettersInRange: (filter, range) =>
      call<readonly StoredLetter[]>({ method: "lettersInRange", args: [filter, range] }),
    removeLetters: (filter, limit) => call<number>({ method: "removeLetters", args: [filter, limit] }),
    askReplay: (wish) => call<ReplayRequest>({ method: "askReplay", args: [wish, options.clock.wallMs()] }),
    nextReplay: () => call<ReplayRequest | null>({ method: "nextReplay", args: [] }),
    replay: (number) => call<ReplayRequest | null>({ method: "replay", args: [number] }),
    stepReplay: (step) => call<void>({ method: "stepReplay", args: [step] }),
    mark: (name) => call<number>({ method: "mark", args: [name] }),
    saveMark: (name, number) => call<void>({ method: "saveMark", args: [name, number] }),
    spoolAppend: (readings) => call<SpoolTotals>({ method: "spoolAppend", args: [readings] }),
    spoolRead: (range) => call<readonly SpooledReading[]>({ method: "spoolRead", args: [range] }),
    spoolRemove: (numbers) => call<SpoolTotals>({ method: "spoolRemove", args: [numbers] }),
    spoolDropOldest: (bytes, spared) => call<SpoolDrop>({ method: "spoolDropOldest", args: [bytes, spared] }),
    spoolInventory: () => call<SpoolInventory>({ method: "spoolInventory", args: [] }),
    close() {
      closing ??= line.ask({ kind: "close" }).then(() => line.end(), () => line.end());
      return closing;
    },
  };
}

/** A view is sent to a worker with the whole buffer under it: a row out of a large chunk gets bytes of its own first. */
function withOwnBytes(letter: DeadLetter): DeadLetter {
  return letter.raw.byteLength === letter.raw.buffer.byteLength ? letter : { ...letter, raw: letter.raw.slice() };
}

/** The requests under way to a worker. */
interface WorkerLine {
  /** @throws {WeirError} what the worker says, or `storage` when {@linkcode requestsWaitingMax} are waiting. */
  ask(request: Omitted<Request, "id" | "wallMs">): Promise<unknown>;
  /** Ends the worker. What is asked afterwards fails. */
  end(): void;
}

type Omitted<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

function workerLine(clock: Clock, onSetAside: (reason: string, path: string) => void): WorkerLine {
  const worker = new Worker(new URL("./ledger_worker.ts", import.meta.url), { type: "module", name: "ledger" });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | null = null;

  function end(error: Error): void {
    ended ??= error;
    worker.terminate();
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  }

  worker.onmessage = (message: MessageEvent<Response>): void => {
    const response = message.data;
    if (response.kind === "set_aside") return onSetAside(response.reason, response.path);
    const request = waiting.get(response.id);
    waiting.delete(response.id);
    if (response.kind === "done") request?.resolve(response.result);
    else request?.reject(fromWire(response.error));
  };
  // Only a defect ends a worker that answers every request: it is passed on as one, to everybody who waits.
  worker.onerror = (event): void => {
    event.preventDefault();
    end(new Error(`The ledger's worker ended: ${messageOf(event.error ?? event.message)}`));
  };

  return {
    ask(request) {
      if (ended !== null) return Promise.reject(ended);
      if (waiting.size >= requestsWaitingMax) return Promise.reject(tooSlow());
      lastId += 1;
      const id = lastId;
      worker.postMessage({ ...request, id, wallMs: clock.wallMs() } satisfies Request);
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    end: () => end(new Error("The ledger is closed")),
  };
}

function tooSlow(): WeirError {
  return new WeirError("storage", `The disk is too slow: ${requestsWaitingMax} requests wait for the state file`, {
    retriable: true,
    advice: "Look at the disk that --state-dir is on (iostat, dmesg)",
  });
}
