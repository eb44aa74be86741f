/**
 * The state folder: made when it is missing, with rights for its owner alone, since dead letters hold what sensors sent.
 *
 * @module
 */
import { messageOf, WeirError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { quoted } from "../core/text.ts";

/** Path of the state file in a state folder. */
export function databasePath(stateDir: string): string {
  return `${stateDir}/weir.db`;
}

/** Path of the lock in a state folder. */
export function lockPath(stateDir: string): string {
  return `${stateDir}/weir.lock`;
}

/**
 * Makes the state folder when it is missing (mode 0700; parents too).
 *
 * @throws {WeirError} `permission`, `storage` (a full or read-only disk), `configuration` (a file is in the way).
 */
export async function ensureStateDir(stateDir: string): Promise<void> {
  try {
    await Deno.mkdir(stateDir, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw stateDirError(`Cannot make the state folder ${quoted(stateDir)}`, thrown);
  }
}

/**
 * Makes an empty file that only its owner can read, unless it is there. Never opens one that is there: closing it would
 * let go of the locks that this process has on it.
 *
 * @throws {WeirError} as {@linkcode ensureStateDir}
 */
export async function ensurePrivateFile(path: string): Promise<void> {
  try {
    (await Deno.open(path, { createNew: true, write: true, mode: 0o600 })).close();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.AlreadyExists) return;
    throw stateDirError(`Cannot write ${quoted(path)}`, thrown);
  }
}

/** Tells whether a gateway could keep its state there: makes the folder, writes a file and removes it. Never throws. */
export async function checkStateDir(stateDir: string): Promise<readonly Finding[]> {
  const subject = `state folder ${quoted(stateDir)}`;
  try {
    await ensureStateDir(stateDir);
    const probe = await Deno.makeTempFile({ dir: stateDir, prefix: ".weir-check-" });
    await Deno.remove(probe);
    return [{ ok: true, subject, result: "can be written" }];
  } catch (thrown) {
    const error = thrown instanceof WeirError ? thrown : stateDirError("Cannot write a file in it", thrown);
    const advice = error.advice === undefined ? {} : { advice: error.advice };
    return [{ ok: false, subject, result: messageOf(error), ...advice }];
  }
}

/** An error of the operating system in the state folder, with what to do about it. */
export function stateDirError(what: string, thrown: unknown): WeirError {
  const message = `${what}: ${messageOf(thrown)}`;
  const cause = thrown;
  if (thrown instanceof Deno.errors.PermissionDenied) {
    return new WeirError("permission", message, {
      advice: "Give the user that runs Weir the right to write there, or choose another folder with --state-dir",
      cause,
    });
  }
  if (thrown instanceof Deno.errors.NotADirectory || thrown instanceof Deno.errors.AlreadyExists) {
    return new WeirError("configuration", message, { advice: "Choose a folder with --state-dir", cause });
  }
  return new WeirError("storage", message, { retriable: true, advice: "Look at the disk (df, mount, dmesg)", cause });
}
