import assert from "node:assert/strict";
import { openDatabase } from "../../src/store/database.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { openLetterDesk } from "../../src/store/letter_desk.ts";
import { isLocked, lockState } from "../../src/store/lock.ts";
import { openLedgerReadOnly } from "../../src/store/read_only.ts";
import { databasePath } from "../../src/store/state_dir.ts";
import { letters } from "../support/ledger_values.ts";
import { virtualClock } from "../support/virtual_clock.ts";

async function inFolder(test: (stateDir: string) => Promise<void>): Promise<void> {
  const stateDir = await Deno.makeTempDir();
  try {
    await test(stateDir);
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
}

function openForWriting(stateDir: string, deadLetterBytesMax = 2 ** 20) {
  return openLedger({ stateDir, deadLetterBytesMax, clock: virtualClock(), emit: () => {} });
}

/** Takes a file back to the tables of version 1. */
function madeOld(stateDir: string): void {
  const db = openDatabase(databasePath(stateDir));
  db.exec(
    `DROP TABLE spool; DROP TABLE requests; DROP TABLE marks; DROP INDEX letters_by_age; ALTER TABLE letters DROP COLUMN delimiter;
     ALTER TABLE letters DROP COLUMN tries; PRAGMA user_version = 1`,
  );
  db.close();
}

Deno.test("what the desk asks for and removes, the gateway's ledger sees, and its limit of letters holds", () =>
  inFolder(async (stateDir) => {
    const roomForTwenty = 20 * 320;
    const ledger = await openForWriting(stateDir, roomForTwenty);
    const before = (await ledger.append(letters("batch", 100))).accepted;
    const desk = await openLetterDesk(stateDir);
    const asked = await desk.askReplay({ filter: { origin: "batch" }, ratePerSecond: 5 }, 1_000);
    assert.deepEqual(await ledger.nextReplay(), asked);
    assert.equal((await ledger.append(letters("batch", 1, 200))).accepted, 0);
    assert.equal(await desk.removeLetters({ origin: "batch" }, 5), 5);
    assert.equal((await ledger.append(letters("batch", 100, 300))).accepted, 5);
    assert.equal((await desk.letterCount({})).letters, before);
    assert.ok((await ledger.letterCount({})).bytes <= roomForTwenty);
    await ledger.stepReplay({
      request: asked.number,
      atLetter: 6,
      delivered: [6],
      filtered: [],
      failed: [],
      done: true,
    });
    assert.deepEqual(await desk.replay(asked.number), { ...asked, atLetter: 6, delivered: 1, done: true });
    await desk.close();
    await ledger.close();
  }));

Deno.test("both sides write at the same time, and nothing is refused or lost", () =>
  inFolder(async (stateDir) => {
    const ledger = await openForWriting(stateDir, 2 ** 26);
    const desk = await openLetterDesk(stateDir);
    const appending = (async () => {
      for (let i = 0; i < 40; i++) assert.equal((await ledger.append(letters("batch", 20, i * 20))).accepted, 20);
    })();
    let removed = 0;
    for (let i = 0; i < 40; i++) {
      removed += await desk.removeLetters({}, 10);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await appending;
    assert.equal((await ledger.letterCount({})).letters, 800 - removed);
    await desk.close();
    await ledger.close();
  }));

Deno.test("a file of an older version is read as it is, and brought up to date only when no gateway runs", () =>
  inFolder(async (stateDir) => {
    const ledger = await openForWriting(stateDir);
    await ledger.append(letters("batch", 3));
    await ledger.close();
    madeOld(stateDir);
    const reader = await openLedgerReadOnly(stateDir);
    assert.deepEqual((await reader.list({}, 10)).map(({ tries }) => tries), [0, 0, 0]);
    await reader.close();
    const lock = await lockState(stateDir);
    await assert.rejects(openLetterDesk(stateDir), /is of an older Weir/);
    await lock.release();
    const desk = await openLetterDesk(stateDir);
    assert.equal(await desk.removeLetters({}, 10), 3);
    assert.equal(await desk.gatewayRuns(), false);
    await desk.close();
  }));

Deno.test("without a state file the desk makes none", () =>
  inFolder(async (stateDir) => {
    await assert.rejects(openLetterDesk(stateDir), /There is no state/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(stateDir)), []);
  }));

Deno.test("whether a gateway runs is told by the lock, and looking takes it from nobody", () =>
  inFolder(async (stateDir) => {
    assert.equal(await isLocked(stateDir), false);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(stateDir)), []);
    const lock = await lockState(stateDir);
    assert.equal(await isLocked(stateDir), true);
    await assert.rejects(lockState(stateDir), /in use by process/);
    await lock.release();
    assert.equal(await isLocked(stateDir), false);
    await (await lockState(stateDir)).release();
  }));
