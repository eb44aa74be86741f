/**
 * The ledger for readers: `dlq list` and `dlq show` look into it while the gateway writes, and hold nothing up. No worker: a command of
 * the terminal has nobody to keep waiting.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import type { Ledger } from "../core/store.ts";
import { quoted } from "../core/text.ts";
import { openDatabase } from "./database.ts";
import { fileTable } from "./file_table.ts";
import { letterReader } from "./letter_table.ts";
import { checkedVersion } from "./schema.ts";
import { databasePath, stateDirError } from "./state_dir.ts";

/** What can be read. */
export type ReadOnlyLedger = Pick<Ledger, "files" | "fileById" | "list" | "letter" | "letterCount" | "close">;

/**
 * Opens the ledger of a state folder for reading.
 *
 * @throws {WeirError} `unavailable` when there is none, `permission`, `configuration` (a newer Weir's), `corrupt_state`.
 */
export async function openLedgerReadOnly(stateDir: string): Promise<ReadOnlyLedger> {
  const path = databasePath(stateDir);
  await mustBeReadable(stateDir, path);
  const db = openDatabase(path, { readOnly: true });
  try {
    const version = checkedVersion(db);
    if (version === 0) throw missing(stateDir);
    const files = fileTable(db);
    const letters = letterReader(db, version);
    return {
      files: (folder, limit) => Promise.try(() => files.files(folder, limit)),
      fileById: (fileId) => Promise.try(() => files.fileById(fileId)),
      list: (filter, limit) => Promise.try(() => letters.list(filter, limit)),
      letter: (number) => Promise.try(() => letters.letter(number)),
      letterCount: (filter) => Promise.try(() => letters.letterCount(filter)),
      close: () => Promise.try(() => db.close()),
    };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/**
 * Tells that there is no state file. Opens no file of the database itself: SQLite's locks on it would go with the handle.
 *
 * @throws {WeirError} `unavailable`, `permission`, `storage`.
 */
export async function mustBeReadable(stateDir: string, path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) throw missing(stateDir);
    throw stateDirError(`Cannot read the state folder ${quoted(stateDir)}`, thrown);
  }
}

/** There is nothing to look at. */
export function missing(stateDir: string): WeirError {
  return new WeirError("unavailable", `There is no state in ${quoted(stateDir)}: no gateway has run with it`, {
    advice: "Name the gateway's state folder with --state-dir",
  });
}
