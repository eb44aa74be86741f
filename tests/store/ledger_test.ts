import assert from "node:assert/strict";
import fc from "fast-check";
import { emitter, type Event } from "../../src/core/event.ts";
import type { Origin } from "../../src/core/delivery.ts";
import { WeirError } from "../../src/core/error.ts";
import type { DeadLetter } from "../../src/core/reading.ts";
import type { Ledger, LetterFilter } from "../../src/core/store.ts";
import { openDatabase } from "../../src/store/database.ts";
import { type LedgerOptions, openLedger, requestsWaitingMax } from "../../src/store/ledger.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { ledgerContract } from "../contract/ledger_contract.ts";
import { fileRecord, letter, letters, spooled } from "../support/ledger_values.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const plenty = 64 * 1024 * 1024;

/** A state folder that is removed at the end. */
async function stateFolder() {
  const stateDir = await Deno.makeTempDir();
  const clock = virtualClock();
  return {
    stateDir,
    clock,
    path: `${stateDir}/weir.db`,
    open: (otherwise: Partial<LedgerOptions> = {}) =>
      openLedger({ stateDir, deadLetterBytesMax: plenty, clock, emit: () => {}, ...otherwise }),
    names: async () => (await Array.fromAsync(Deno.readDir(stateDir), (entry) => entry.name)).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(stateDir, { recursive: true }),
  };
}

function failsWith(code: string, retriable: boolean, text: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof WeirError, String(error));
    assert.deepEqual([error.code, error.retriable], [code, retriable]);
    assert.match(error.message, text);
    return true;
  };
}

ledgerContract("disk", async (options) => {
  const stateDir = await Deno.makeTempDir();
  return {
    ledger: await openLedger({ stateDir, emit: () => {}, ...options }),
    dispose: () => Deno.remove(stateDir, { recursive: true }),
  };
});

Deno.test("the ledger on disk and the one in memory agree, whatever is asked of them", async () => {
  const origin = fc.constantFrom<Origin>("real_time", "batch");
  const anyLetter = fc.record({
    id: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    origin,
    source: fc.constantFrom("s1", "s2"),
    raw: fc.uint8Array({ maxLength: 400 }),
    arrivedAtMs: fc.integer({ min: 0, max: 5 }),
  }).map(({ id, ...rest }): DeadLetter => letter(id, rest));
  const filter = fc.record({ origin, source: fc.constantFrom("s1", "s2"), sinceMs: fc.integer({ min: 0, max: 5 }) }, {
    requiredKeys: [],
  });
  const record = fc.record({
    fileId: fc.constantFrom("a", "b", "c"),
    state: fc.constantFrom("reading" as const, "done" as const, "archived" as const, "quarantined" as const),
    sha256: fc.constantFrom("01", "02", null),
    updatedAtMs: fc.integer({ min: 0, max: 9 }),
  }).map(({ fileId, ...rest }) => fileRecord(fileId, rest));
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.array(anyLetter, { maxLength: 4 }).map((all) => (l: Ledger) => l.append(all)) },
    fc.tuple(filter, fc.nat(5)).map(([by, limit]) => (l: Ledger) => l.list(by, limit)),
    filter.map((by: LetterFilter) => (l: Ledger) => l.letterCount(by)),
    fc.nat(9).map((number) => (l: Ledger) => l.letter(number)),
    fc.array(record, { maxLength: 3 }).map((all) => (l: Ledger) => l.saveFiles(all)),
    fc.nat(9).map((before) => (l: Ledger) => l.forgetFiles(before)),
    fc.constantFrom("01", "02").map((sha256) => (l: Ledger) => l.fileByHash("/in", sha256)),
    fc.constant((l: Ledger) => l.files("/in", 2)),
    fc.tuple(filter, fc.nat(3), fc.nat(9), fc.nat(4), fc.nat(900)).map(
      ([by, after, upTo, limit, bytesMax]) => (l: Ledger) => l.lettersInRange(by, { after, upTo, limit, bytesMax }),
    ),
    fc.tuple(filter, fc.nat(3)).map(([by, limit]) => (l: Ledger) => l.removeLetters(by, limit)),
    filter.map((by: LetterFilter) => (l: Ledger) =>
      l.askReplay({ filter: { ...by }, ratePerSecond: 5 }).catch((thrown: unknown) => String(thrown))
    ),
    fc.tuple(fc.nat(3), fc.uniqueArray(fc.nat(9), { maxLength: 3 }), fc.boolean()).map(
      ([request, of, done]) => (l: Ledger) => {
        const [delivered, filtered, failed] = [of.slice(0, 1), of.slice(1, 2), of.slice(2)];
        return l.stepReplay({ request, atLetter: of[0] ?? 0, delivered, filtered, failed, done });
      },
    ),
    fc.constant((l: Ledger) => l.nextReplay()),
    fc.uniqueArray(fc.tuple(fc.nat(30), fc.constantFrom("s1", "s2", "s\u0000"), fc.string({ maxLength: 9 })), {
      maxLength: 4,
      selector: ([number]) => number,
    }).map((all) => (l: Ledger) =>
      // What a number that is taken is refused with is each ledger's own.
      l.spoolAppend(all.map(([number, source, value]) => spooled(number, { source, value }))).catch(() => "refused")
    ),
    fc.uniqueArray(fc.nat(30), { maxLength: 5 }).map((numbers) => (l: Ledger) => l.spoolRemove(numbers)),
    fc.tuple(fc.nat(400), fc.uniqueArray(fc.nat(30), { maxLength: 3 })).map(([bytes, spared]) => (l: Ledger) =>
      l.spoolDropOldest(bytes, spared)
    ),
    fc.tuple(fc.nat(20), fc.nat(9), fc.nat(900), fc.uniqueArray(fc.constantFrom("s1", "s\u0000"))).map(
      ([after, limit, bytesMax, except]) => (l: Ledger) => l.spoolRead({ after, limit, bytesMax, except }),
    ),
    fc.constant((l: Ledger) => l.spoolInventory()),
  );
  await using at = await stateFolder();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 300, max: 2_000 }), async (steps, room) => {
      const clock = virtualClock();
      const stateDir = await Deno.makeTempDir({ dir: at.stateDir });
      const disk = await openLedger({ stateDir, deadLetterBytesMax: room, clock, emit: () => {} });
      const memory = memoryLedger({ deadLetterBytesMax: room, clock });
      try {
        for (const ask of steps) {
          clock.stepWall(1);
          assert.deepEqual(await ask(disk), await ask(memory));
          assert.ok((await disk.letterCount({})).bytes <= room);
        }
      } finally {
        await disk.close();
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("what was written is there after closing and opening again", async () => {
  await using at = await stateFolder();
  const first = await at.open();
  await first.saveFiles([fileRecord("a")]);
  await first.append(letters("batch", 3));
  await first.close();
  const second = await at.open();
  assert.deepEqual(await second.fileById("a"), fileRecord("a"));
  assert.equal((await second.letterCount({})).letters, 3);
  await second.close();
});

Deno.test("the state folder and the file are their owner's alone", async () => {
  await using at = await stateFolder();
  const stateDir = `${at.stateDir}/deep/state`;
  const ledger = await openLedger({ stateDir, deadLetterBytesMax: plenty, clock: virtualClock(), emit: () => {} });
  await ledger.append([letter("a")]);
  for (const name of ["", "/weir.db", "/weir.db-wal", "/weir.db-shm"]) {
    const mode = (await Deno.stat(`${stateDir}${name}`)).mode ?? 0;
    assert.equal(mode & 0o077, 0, `${name} has mode ${mode.toString(8)}`);
  }
  await ledger.close();
});

Deno.test("a full disk fails writes and nothing else, and they work again once there is room, without a restart", async () => {
  await using at = await stateFolder();
  const ledger = await at.open({ databaseBytesMax: 256 * 1024 });
  const large = (id: string) => letter(id, { raw: new Uint8Array(50_000) });
  await ledger.saveFiles([
    fileRecord("old", { state: "archived", updatedAtMs: 1, movedTo: "x".repeat(100_000) }),
    fileRecord("new"),
  ]);
  await assert.rejects(
    async () => {
      for (let n = 0; n < 10; n++) await ledger.append([large(`l${n}`)]);
    },
    failsWith("storage", true, /No room to write the state file/),
  );
  const kept = (await ledger.letterCount({})).letters;
  assert.ok(kept > 0 && kept < 10);
  assert.equal((await ledger.fileById("new"))?.fileId, "new");
  assert.equal(await ledger.forgetFiles(2), 1);
  assert.equal((await ledger.append([large("after")])).accepted, 1);
  assert.equal((await ledger.letterCount({})).letters, kept + 1);
  await ledger.close();
});

Deno.test("a transaction that fails leaves nothing of itself", async () => {
  await using at = await stateFolder();
  const ledger = await at.open({ databaseBytesMax: 256 * 1024 });
  const batch = [letter("small"), letter("large", { raw: new Uint8Array(400_000) })];
  await assert.rejects(ledger.append(batch), failsWith("storage", true, /No room/));
  assert.equal((await ledger.letterCount({})).letters, 0);
  await ledger.close();
});

Deno.test("room that somebody else made in the file, or took, is seen", async () => {
  await using at = await stateFolder();
  const ledger = await at.open({ deadLetterBytesMax: 2_000 });
  const stored = (await ledger.append(letters("batch", 50))).accepted;
  assert.ok(stored > 0 && stored < 50);
  assert.equal((await ledger.append(letters("batch", 1, 60))).accepted, 0);
  const other = openDatabase(at.path);
  other.exec("DELETE FROM letters");
  other.close();
  assert.equal((await ledger.append(letters("batch", 50, 100))).accepted, stored);
  await ledger.close();
});

Deno.test("a transaction that fails does not spoil the sum of the letters", async () => {
  await using at = await stateFolder();
  const ledger = await at.open({ databaseBytesMax: 256 * 1024, deadLetterBytesMax: 500_000 });
  assert.equal((await ledger.append([letter("first")])).accepted, 1);
  for (let n = 0; n < 3; n++) {
    const fits = letter(`fits ${n}`, { raw: new Uint8Array(60_000) });
    await assert.rejects(ledger.append([fits, letter("large", { raw: new Uint8Array(400_000) })]), /No room/);
  }
  assert.equal((await ledger.append([letter("second", { raw: new Uint8Array(100_000) })])).accepted, 1);
  await ledger.close();
});

Deno.test("somebody else's lock on the file is a failure that passes", async () => {
  await using at = await stateFolder();
  const ledger = await at.open();
  const other = openDatabase(at.path);
  other.exec("BEGIN IMMEDIATE");
  await assert.rejects(ledger.append([letter("a")]), failsWith("storage", true, /Another program/));
  other.exec("COMMIT");
  other.close();
  assert.equal((await ledger.append([letter("a")])).accepted, 1);
  await ledger.close();
});

Deno.test("more requests than may wait are refused as retriable, and the others are answered", async () => {
  await using at = await stateFolder();
  const ledger = await at.open();
  const asked = Array.from({ length: requestsWaitingMax + 10 }, () => ledger.fileById("a"));
  const answers = await Promise.allSettled(asked);
  assert.equal(answers.filter((answer) => answer.status === "fulfilled").length, requestsWaitingMax);
  const refused = answers.find((answer) => answer.status === "rejected");
  assert.ok(failsWith("storage", true, /too slow/)(refused?.reason));
  assert.equal(await ledger.fileById("a"), null);
  await ledger.close();
});

Deno.test("a damaged file is set aside at open, said, and a new one is begun", async () => {
  const whole = await wholeDatabase();
  const damages: readonly [string, (bytes: Uint8Array) => Uint8Array<ArrayBuffer>][] = [
    ["not a database", () => new TextEncoder().encode("x".repeat(10_000))],
    ["cut short", (bytes) => bytes.slice(0, 20_000)],
    ["overwritten in the middle", (bytes) => bytes.slice().fill(0x5a, 8_192, 40_000)],
    ["its head overwritten", (bytes) => bytes.slice().fill(0, 0, 2_000)],
  ];
  for (const [what, damage] of damages) {
    await using at = await stateFolder();
    const damaged = damage(whole);
    await Deno.writeFile(at.path, damaged);
    const events: Event[] = [];
    const ledger = await at.open({ emit: emitter((event) => events.push(event)) });
    assert.equal((await ledger.letterCount({})).letters, 0, what);
    await ledger.append([letter("a")]);
    await ledger.close();
    const said = events.filter((event) => event.name === "ledger.set_aside");
    assert.deepEqual(said.map((event) => event.level), ["error"], what);
    assert.deepEqual(await at.names(), ["weir.db", "weir.db.corrupt-20260101T000000Z"], what);
    assert.deepEqual(await Deno.readFile(`${at.path}.corrupt-20260101T000000Z`), damaged, what);
  }
});

Deno.test("a file that is damaged while it is in use is set aside too, and the next try works", async () => {
  await using at = await stateFolder();
  const events: Event[] = [];
  const ledger = await at.open({ emit: emitter((event) => events.push(event)) });
  // More than SQLite holds in memory, so that it has to look at the disk.
  for (const one of letters("batch", 100)) await ledger.append([{ ...one, raw: new Uint8Array(50_000) }]);
  const file = await Deno.open(at.path, { write: true });
  await file.seek(8_192, Deno.SeekMode.Start);
  await file.write(new Uint8Array(4_000_000).fill(0x5a));
  file.close();
  await assert.rejects(ledger.list({}, 1_000), failsWith("storage", true, /damaged and a new one was begun/));
  assert.equal(events.filter((event) => event.name === "ledger.set_aside").length, 1);
  assert.equal((await ledger.append([letter("after")])).accepted, 1);
  assert.equal((await ledger.letterCount({})).letters, 1);
  await ledger.close();
});

Deno.test("no more than three damaged files are kept", async () => {
  await using at = await stateFolder();
  for (let n = 0; n < 5; n++) {
    await Deno.writeTextFile(at.path, `damage ${n} ${"x".repeat(5_000)}`);
    at.clock.stepWall(1_000);
    await (await at.open()).close();
  }
  const kept = (await at.names()).filter((name) => name.includes("corrupt"));
  assert.equal(kept.length, 3);
  const texts = await Promise.all(kept.map((name) => Deno.readTextFile(`${at.stateDir}/${name}`)));
  assert.deepEqual(texts.map((text) => text.slice(0, 8)).sort(), ["damage 2", "damage 3", "damage 4"]);
});

Deno.test("a file of a newer Weir and a file of another program are refused and left alone", async () => {
  const cases: readonly [string, RegExp][] = [
    ["PRAGMA application_id = 0x57656972; PRAGMA user_version = 99", /newer Weir: its version is 99/],
    ["CREATE TABLE recipes (name TEXT)", /database of another program/],
    ["PRAGMA application_id = 7", /database of another program/],
  ];
  for (const [sql, text] of cases) {
    await using at = await stateFolder();
    const db = openDatabase(at.path);
    db.exec(sql);
    db.close();
    const before = await Deno.readFile(at.path);
    await assert.rejects(at.open(), failsWith("configuration", false, text));
    assert.deepEqual(await Deno.readFile(at.path), before);
  }
});

Deno.test("a defect in a request is a plain error, and the next request works", async () => {
  await using at = await stateFolder();
  const ledger = await at.open();
  const broken = { ...fileRecord("a"), counts: { ...fileRecord("a").counts, read: 0.5 } };
  await assert.rejects(ledger.saveFiles([broken]), (error) => error instanceof Error && !(error instanceof WeirError));
  await ledger.saveFiles([fileRecord("a")]);
  assert.deepEqual(await ledger.fileById("a"), fileRecord("a"));
  await ledger.close();
});

Deno.test("a state folder that cannot be is refused with what to do", async () => {
  await using at = await stateFolder();
  await Deno.writeTextFile(`${at.stateDir}/file`, "");
  const open = (stateDir: string) =>
    openLedger({ stateDir, deadLetterBytesMax: plenty, clock: virtualClock(), emit: () => {} });
  await assert.rejects(open(`${at.stateDir}/file`), failsWith("configuration", false, /Cannot make the state folder/));
  await assert.rejects(open(`${at.stateDir}/file/state`), failsWith("configuration", false, /Cannot make/));
});

/** The bytes of a state file with some hundred letters in it. */
async function wholeDatabase(): Promise<Uint8Array> {
  await using at = await stateFolder();
  const ledger = await at.open();
  await ledger.append(letters("batch", 300));
  await ledger.close();
  return await Deno.readFile(at.path);
}
