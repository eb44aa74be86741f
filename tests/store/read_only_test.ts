import assert from "node:assert/strict";
import { WeirError } from "../../src/core/error.ts";
import { openDatabase } from "../../src/store/database.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { openLedgerReadOnly } from "../../src/store/read_only.ts";
import { databasePath } from "../../src/store/state_dir.ts";
import { fileRecord, letters } from "../support/ledger_values.ts";
import { virtualClock } from "../support/virtual_clock.ts";

async function inFolder(test: (stateDir: string) => Promise<void>): Promise<void> {
  const stateDir = await Deno.makeTempDir();
  try {
    await test(stateDir);
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
}

function openForWriting(stateDir: string) {
  return openLedger({ stateDir, deadLetterBytesMax: 2 ** 20, clock: virtualClock(), emit: () => {} });
}

Deno.test("a reader sees what the gateway commits, while it runs and after it ended", () =>
  inFolder(async (stateDir) => {
    const ledger = await openForWriting(stateDir);
    await ledger.append(letters("batch", 2));
    const reader = await openLedgerReadOnly(stateDir);
    assert.deepEqual(await reader.list({}, 10), await ledger.list({}, 10));
    await ledger.append(letters("real_time", 1));
    await ledger.saveFiles([fileRecord("a")]);
    assert.deepEqual(await reader.letterCount({}), await ledger.letterCount({}));
    assert.deepEqual(await reader.fileById("a"), fileRecord("a"));
    assert.equal((await reader.files("/in", 10)).length, 1);
    assert.equal((await reader.letter(1))?.number, 1);
    await ledger.close();
    assert.equal((await reader.list({}, 10)).length, 3);
    await reader.close();
    const later = await openLedgerReadOnly(stateDir);
    assert.equal((await later.list({}, 10)).length, 3);
    await later.close();
  }));

Deno.test("a reader that is in the middle of reading does not hold up the gateway", () =>
  inFolder(async (stateDir) => {
    const ledger = await openForWriting(stateDir);
    await ledger.append(letters("batch", 1));
    const reader = openDatabase(databasePath(stateDir), { readOnly: true });
    reader.exec("BEGIN");
    assert.equal(reader.prepare("SELECT count(*) AS n FROM letters").get()?.["n"], 1);
    assert.equal((await ledger.append(letters("batch", 5, 10))).accepted, 5);
    assert.equal(reader.prepare("SELECT count(*) AS n FROM letters").get()?.["n"], 1);
    reader.close();
    await ledger.close();
  }));

Deno.test("a reader cannot write", () =>
  inFolder(async (stateDir) => {
    await (await openForWriting(stateDir)).close();
    const db = openDatabase(databasePath(stateDir), { readOnly: true });
    assert.throws(() => db.exec("DELETE FROM letters"), /cannot be written/);
    db.close();
  }));

Deno.test("without a state file a reader is told so, and makes none", () =>
  inFolder(async (stateDir) => {
    for (const folder of [stateDir, `${stateDir}/missing`]) {
      await assert.rejects(openLedgerReadOnly(folder), (error) => {
        assert.ok(error instanceof WeirError);
        assert.deepEqual([error.code, error.exitCode], ["unavailable", 69]);
        return true;
      });
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(stateDir)), []);
  }));
