/**
 * What happens to a file after its last row is home, or after it was refused: the ledger first, then the move, then the ledger again.
 * A move that fails is tried again with backoff, and said once for the folder; the rows of that file are home whatever becomes of it.
 *
 *     reading --all rows settled--> done (where it will go is decided) --moved, receipt written--> archived
 *     reading --refused, rows so far settled--> moved to error/ --> quarantined
 *
 * @module
 */
import { createBackoff } from "../../core/backoff.ts";
import { sleep } from "../../core/clock.ts";
import { messageOf, type WeirError } from "../../core/error.ts";
import type { FileRecord } from "../../core/store.ts";
import { formatCount, printable, quoted } from "../../core/text.ts";
import { type AfterResult, doAfter, plannedPath } from "./after.ts";
import type { Checkpointer, Recorded } from "./checkpointer.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import type { Emit } from "../../core/event.ts";
import { type Disk, isSystemError } from "./disk.ts";
import { identityOf } from "./identity.ts";
import type { FilesSourceOptions } from "./options.ts";
import { moveToQuarantine } from "./quarantine.ts";
import { type ReceiptFacts, receiptText } from "./receipt.ts";

/** A file on its way out, with its record as it is at each moment. */
export interface Leaving extends Recorded {
  readonly fullPath: string;
  /** Changes the record and marks it for the ledger. */
  become(change: Partial<FileRecord>): void;
}

/** Brings files to where they belong. */
export interface Settling {
  /**
   * All rows are home. Resolves once the record is durable, with what the step after came to: `later` when it failed and is being tried
   * again behind the scenes, null when closed meanwhile.
   */
  finish(file: Leaving, how: FinishFacts): Promise<AfterResult | "later" | null>;
  /** Does the step after for a file whose record says `done` already. */
  again(file: Leaving): Promise<AfterResult | "later">;
  /** The file cannot be read on. Resolves with where it went, or null when it could not be moved; it is never read again by itself. */
  refuse(file: Leaving, error: WeirError): Promise<string | null>;
  /** Steps that are still to be done, or to be tried again. */
  readonly pending: number;
  /** Those of them that have not failed yet. */
  readonly waiting: number;
}

/** What a finished file is. */
export interface FinishFacts {
  readonly change: Partial<FileRecord>;
  readonly duplicate: boolean;
  readonly receipt: Pick<ReceiptFacts, "verdict" | "firstByte">;
}

/** What it needs. */
export interface SettlingDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly gateway: string;
  readonly checkpointer: Checkpointer;
  readonly signal: AbortSignal;
  /** A step that was tried again came to its end. */
  readonly ended: (file: Leaving, result: AfterResult) => void;
}

const retry = { firstMs: 1000, maxMs: 60_000 };
/** What is known of a file that was not read in this life of the program. */
export const noReceipt = { verdict: "none", firstByte: null } as const;

/** Makes the {@linkcode Settling} of one folder. */
export function createSettling(folder: string, options: FilesSourceOptions, deps: SettlingDeps): Settling {
  const { disk, clock, emit, signal, checkpointer } = deps;
  let pending = 0;
  let failing = false;

  async function finish(file: Leaving, how: FinishFacts): Promise<AfterResult | "later" | null> {
    const record = { ...file.record(), ...how.change };
    const target = { fullPath: file.fullPath, duplicate: how.duplicate };
    // A file read on inside the archive stays where it is; a folder that cannot be looked at now gets a name at the next try.
    const movedTo = record.movedTo ??
      await plannedPath(disk, options.after, record, target, clock.wallMs()).catch(systemNull);
    file.become({ ...how.change, state: "done", movedTo });
    if (!await checkpointer.flush()) return null;
    const waits = options.after === "delete" && options.ready === "quiet" && !how.duplicate;
    if (!waits) return await attempt(file, how.receipt, how.duplicate);
    // A writer that merely paused would write on into a deleted file: one more period shows it.
    tryLater(file, how.receipt, how.duplicate, options.quietMs);
    return "later";
  }

  /** One try; when the disk refuses, more behind the scenes. */
  async function attempt(
    file: Leaving,
    facts: FinishFacts["receipt"],
    duplicate: boolean,
  ): Promise<AfterResult | "later"> {
    try {
      return await once(file, facts, duplicate);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      failed(file, error);
      tryLater(file, facts, duplicate, null);
      return "later";
    }
  }

  async function once(file: Leaving, facts: FinishFacts["receipt"], duplicate: boolean): Promise<AfterResult> {
    let record = file.record();
    if (record.movedTo === null && options.after !== "delete") {
      const target = { fullPath: file.fullPath, duplicate };
      file.become({ movedTo: await plannedPath(disk, options.after, record, target, clock.wallMs()) });
      record = file.record();
    }
    const times = { startedAtMs: record.firstSeenAtMs, finishedAtMs: clock.wallMs(), gateway: deps.gateway };
    const receipt = duplicate ? null : receiptText(record, { ...facts, ...times });
    const result = await doAfter(disk, record, file.fullPath, receipt);
    if (result !== "grew") file.become({ state: "archived", ...(result === "gone" ? { movedTo: null } : {}) });
    if (failing) {
      emit("info", "files.after_recovered", `Finished files of ${quoted(folder)} can be moved again`, { folder });
    }
    failing = false;
    return result;
  }

  function tryLater(file: Leaving, facts: FinishFacts["receipt"], duplicate: boolean, firstMs: number | null): void {
    const backoff = createBackoff(retry, deps.dice);
    pending += 1;
    (async () => {
      for (let delayMs = firstMs ?? backoff.nextMs(); !signal.aborted; delayMs = backoff.nextMs()) {
        await sleep(clock, delayMs, signal);
        if (signal.aborted) break;
        try {
          const result = await once(file, facts, duplicate);
          pending -= 1;
          return deps.ended(file, result);
        } catch (error) {
          if (!isSystemError(error)) throw error;
          failed(file, error);
        }
      }
      pending -= 1;
    })();
  }

  function failed(file: Leaving, error: Error): void {
    if (failing) return;
    failing = true;
    const rows = formatCount(file.record().counts.read);
    emit(
      "error",
      "files.after_failed",
      `Cannot ${options.after} ${quoted(file.fullPath)} after its ${rows} rows were sent: ${
        printable(messageOf(error))
      }; ` +
        "trying again, its rows are not sent twice; let Weir write to the folder",
      { folder, path: printable(file.fullPath) },
    );
  }

  async function refuse(file: Leaving, error: WeirError): Promise<string | null> {
    const record = file.record();
    const movedTo = options.readOnly ? null : await quarantined(file, record, error);
    // As it lies there now: so that one that could not be moved is known again, and not read, after a restart.
    const facts = movedTo === null ? await disk.facts(file.fullPath).catch(systemNull) : null;
    const identity = facts === null ? record.identity : identityOf(facts);
    file.become({ state: "quarantined", movedTo, identity });
    const advice = error.advice === undefined ? "" : `; ${error.advice}`;
    emit(
      "error",
      "files.file_quarantined",
      `${error.message} (after ${formatCount(record.counts.read)} rows)${advice}`,
      {
        folder,
        path: printable(record.path),
        rows: record.counts.read,
        moved_to: movedTo === null ? null : printable(movedTo),
      },
    );
    await checkpointer.flush();
    return movedTo;
  }

  /** Moves a file to quarantine; null when that cannot be done. */
  async function quarantined(file: Leaving, record: FileRecord, error: WeirError): Promise<string | null> {
    const facts = { record, fullPath: file.fullPath, error, gateway: deps.gateway, wallMs: clock.wallMs() };
    try {
      return await moveToQuarantine(disk, facts);
    } catch (failure) {
      if (!isSystemError(failure)) throw failure;
      const why = printable(messageOf(failure));
      const message = `Cannot move ${quoted(file.fullPath)} to error/: ${why}; it is not read again`;
      emit("error", "files.quarantine_failed", message, { folder });
      return null;
    }
  }

  return {
    finish,
    again: (file) => attempt(file, noReceipt, file.record().movedTo?.endsWith(".dup") ?? false),
    refuse,
    get pending() {
      return pending;
    },
    get waiting() {
      return failing ? 0 : pending;
    },
  };
}

function systemNull(error: unknown): null {
  if (isSystemError(error)) return null;
  throw error;
}
