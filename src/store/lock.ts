/**
 * One gateway for each state folder: an exclusive lock on `weir.lock`, held as long as the process lives. The kernel lets go of it when
 * the process dies, however it dies, so there is never a stale lock to clear away. The file itself stays: removing it would let
 * two processes each lock a file of that name.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import { ensureStateDir, lockPath, stateDirError } from "./state_dir.ts";

/** The lock, held. */
export interface StateLock {
  /** Lets go. Doing so twice does nothing. */
  release(): Promise<void>;
}

/** More is not a process id. */
const pidBytesMax = 20;

/**
 * Takes the lock of a state folder; makes the folder when it is missing.
 *
 * @throws {WeirError} `locked` when another process has it, `permission`, `storage`, `configuration`.
 */
export async function lockState(stateDir: string): Promise<StateLock> {
  await ensureStateDir(stateDir);
  const path = lockPath(stateDir);
  const file = await opened(path);
  try {
    if (!await file.tryLock(exclusive)) throw lockedError(stateDir, await pidIn(file));
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (thrown) {
    file.close();
    throw thrown instanceof WeirError ? thrown : stateDirError(`Cannot lock ${quoted(path)}`, thrown);
  }
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      await file.unlock();
      file.close();
    },
  };
}

const exclusive = true;

async function opened(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  } catch (thrown) {
    throw stateDirError(`Cannot open the lock ${quoted(path)}`, thrown);
  }
}

/** The process id in the file, or null while its owner has not written it yet. */
async function pidIn(file: Deno.FsFile): Promise<string | null> {
  const buffer = new Uint8Array(pidBytesMax);
  const length = await file.read(buffer) ?? 0;
  return /^(\d+)\n/.exec(new TextDecoder().decode(buffer.subarray(0, length)))?.[1] ?? null;
}

function lockedError(stateDir: string, pid: string | null): WeirError {
  const who = pid === null ? "another process" : `process ${pid}`;
  return new WeirError("locked", `The state folder ${quoted(stateDir)} is in use by ${who}`, {
    retriable: true,
    advice: "Stop the other gateway, or give this one a folder of its own with --state-dir",
  });
}
