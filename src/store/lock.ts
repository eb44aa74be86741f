/**
 * One gateway for each state folder: an exclusive lock on `weir.lock`, held as long as the process lives. The kernel lets go of it when
 * the process dies, however it dies, so there is never a stale lock to clear away.
 *
 * The lock is SQLite's: the file is a database without a table, its version (`PRAGMA user_version`) is the holder's process id, and
 * the holder keeps a write transaction open, which lets others read the id and nothing more. Not every Deno that runs Weir can try
 * a file lock without waiting for it.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import { type Database, isBusy, openDatabase } from "./database.ts";
import { ensurePrivateFile, ensureStateDir, lockPath, stateDirError } from "./state_dir.ts";

/** Who has it for longer than this keeps it; a command that looks whether a gateway runs has it for less. */
const glanceMs = 200;

/** The lock, held. */
export interface StateLock {
  /** Lets go. Doing so twice does nothing. The file stays: removing it would let two processes each lock a file of that name. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a state folder; makes the folder when it is missing.
 *
 * @throws {WeirError} `locked` when another process has it, `permission`, `storage`, `configuration`.
 */
export async function lockState(stateDir: string): Promise<StateLock> {
  await ensureStateDir(stateDir);
  const path = lockPath(stateDir);
  await ensurePrivateFile(path);
  const db = await openLock(path);
  try {
    db.exec(`PRAGMA user_version = ${Deno.pid}`);
    db.exec("BEGIN IMMEDIATE");
  } catch (thrown) {
    const error = isBusy(thrown) ? lockedError(stateDir, holderOf(db)) : thrown;
    db.close();
    throw error;
  }
  return {
    release() {
      db.close();
      return Promise.resolve();
    },
  };
}

/**
 * Whether a gateway runs on the state folder. Looks by taking the lock for a moment, so it never answers from what a dead process wrote.
 *
 * @throws {WeirError} `permission`, `storage`.
 */
export async function isLocked(stateDir: string): Promise<boolean> {
  const path = lockPath(stateDir);
  try {
    await Deno.stat(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw stateDirError(`Cannot look at ${quoted(path)}`, thrown);
  }
  const db = await openLock(path);
  try {
    db.exec("BEGIN IMMEDIATE");
    return false;
  } catch (thrown) {
    if (isBusy(thrown)) return true;
    throw thrown;
  } finally {
    db.close();
  }
}

/** What a power cut left half written is no lock that anybody holds: it is removed and begun anew. */
async function openLock(path: string): Promise<Database> {
  const options = { journal: "memory", busyWaitMs: glanceMs } as const;
  try {
    return openDatabase(path, options);
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.code !== "corrupt_state") throw thrown;
    await Deno.remove(path);
    await ensurePrivateFile(path);
    return openDatabase(path, options);
  }
}

/** The process id that the holder wrote. */
function holderOf(db: Database): string {
  const pid = db.prepare("PRAGMA user_version").get()?.["user_version"];
  return typeof pid === "number" && pid > 0 ? `process ${pid}` : "another process";
}

function lockedError(stateDir: string, holder: string): WeirError {
  return new WeirError("locked", `The state folder ${quoted(stateDir)} is in use by ${holder}`, {
    retriable: true,
    advice: "Stop the other gateway, or give this one a folder of its own with --state-dir",
  });
}
