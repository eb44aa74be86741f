/**
 * The ledger for commands that act on dead letters: `dlq purge` and `dlq replay` write to it while the gateway does. Each write is a short
 * transaction, so that neither keeps the other waiting for longer than a commit.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import type { LetterActions } from "../core/replay.ts";
import type { DeadLetterStore } from "../core/store.ts";
import { quoted } from "../core/text.ts";
import { openDatabase } from "./database.ts";
import { letterReader, letterWriter } from "./letter_table.ts";
import { isLocked, lockState } from "./lock.ts";
import { missing, mustBeReadable } from "./read_only.ts";
import { replayTable } from "./replay_table.ts";
import { checkedVersion, migrate, newestVersion } from "./schema.ts";
import { databasePath } from "./state_dir.ts";

/** What can be done. */
export interface LetterDesk
  extends Pick<DeadLetterStore, "letterCount">, Pick<LetterActions, "removeLetters" | "replay"> {
  /** As `LetterActions.askReplay`, at a wall-clock time. */
  askReplay(wish: Parameters<LetterActions["askReplay"]>[0], askedAtMs: number): ReturnType<LetterActions["askReplay"]>;
  /** Whether a gateway runs on this state folder. */
  gatewayRuns(): Promise<boolean>;
  close(): Promise<void>;
}

/** The gateway's transactions are shorter than this, also on a slow card. */
const busyWaitMs = 10_000;

/**
 * Opens the ledger of a state folder to act on its letters.
 *
 * @throws {WeirError} `unavailable` when there is none, or an older gateway runs on it; `permission`, `configuration` (a newer Weir's),
 * `corrupt_state`, `storage`.
 */
export async function openLetterDesk(stateDir: string): Promise<LetterDesk> {
  const path = databasePath(stateDir);
  await mustBeReadable(stateDir, path);
  const db = openDatabase(path, { busyWaitMs });
  try {
    const version = checkedVersion(db);
    if (version === 0) throw missing(stateDir);
    if (version < newestVersion) await migrateUnderLock(stateDir, () => migrate(db));
    // Nothing is appended here: the limit of the letters is the gateway's.
    const letters = { ...letterReader(db), ...letterWriter(db, 0) };
    const replays = replayTable(db, letters);
    return {
      letterCount: (filter) => Promise.try(() => letters.letterCount(filter)),
      removeLetters: (filter, limit) => Promise.try(() => letters.removeLetters(filter, limit)),
      askReplay: (wish, askedAtMs) => Promise.try(() => replays.askReplay(wish, askedAtMs)),
      replay: (number) => Promise.try(() => replays.replay(number)),
      gatewayRuns: () => isLocked(stateDir),
      close: () => Promise.try(() => db.close()),
    };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** A gateway of an older version that runs must not find its tables changed. */
async function migrateUnderLock(stateDir: string, work: () => void): Promise<void> {
  if (await isLocked(stateDir)) {
    throw new WeirError("unavailable", `The gateway that runs on ${quoted(stateDir)} is of an older Weir`, {
      advice: "Restart it with this version",
    });
  }
  const lock = await lockState(stateDir);
  try {
    work();
  } finally {
    await lock.release();
  }
}
