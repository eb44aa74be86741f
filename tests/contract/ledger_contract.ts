/**
 * What every ledger must do: run on the one on disk and on the one in memory.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DeadLetter } from "../../src/core/reading.ts";
import type { FileRecord, Ledger } from "../../src/core/store.ts";
import { letterBytes } from "../../src/store/letter_size.ts";
import { fileRecord, letter, letters } from "../support/ledger_values.ts";
import { type VirtualClock, virtualClock } from "../support/virtual_clock.ts";
import { replayPromises } from "./ledger_replay_contract.ts";
import { spoolPromises } from "./ledger_spool_contract.ts";

/** Opens an empty ledger. `dispose` removes what is left after it was closed. */
export type MakeLedger = (
  options: { readonly deadLetterBytesMax: number; readonly clock: VirtualClock },
) => Promise<{ readonly ledger: Ledger; dispose(): Promise<void> }>;

const plenty = 64 * 1024 * 1024;

/** Registers the suite for one implementation. */
export function ledgerContract(name: string, make: MakeLedger): void {
  function promise(
    promised: string,
    test: (ledger: Ledger, clock: VirtualClock) => Promise<void>,
    deadLetterBytesMax = plenty,
  ): void {
    Deno.test(`${name} ledger: ${promised}`, async () => {
      const clock = virtualClock();
      const { ledger, dispose } = await make({ deadLetterBytesMax, clock });
      try {
        await test(ledger, clock);
      } finally {
        await ledger.close();
        await dispose();
      }
    });
  }

  promise("a file's record comes back as it was saved", async (ledger) => {
    const records: FileRecord[] = [
      fileRecord("a", { checkpoint: null, sha256: null, movedTo: null }),
      fileRecord("b", { identity: { device: 2 ** 60, inode: 2 ** 63, sizeBytes: 2 ** 40, mtimeMs: 1.25 } }),
      fileRecord("c", { path: 'sub/\u0000"\u{1f321}.csv', updatedAtMs: 12.5 }),
    ];
    await ledger.saveFiles(records);
    for (const record of records) assert.deepEqual(await ledger.fileById(record.fileId), record);
    assert.equal(await ledger.fileById("none"), null);
  });

  promise("saving a record again replaces it", async (ledger) => {
    await ledger.saveFiles([fileRecord("a", { state: "reading" })]);
    await ledger.saveFiles([fileRecord("a", { state: "done" })]);
    assert.equal((await ledger.fileById("a"))?.state, "done");
    assert.equal((await ledger.files("/in", 10)).length, 1);
  });

  promise("records of a folder come last updated first, within the limit", async (ledger) => {
    await ledger.saveFiles([
      fileRecord("a", { updatedAtMs: 1 }),
      fileRecord("b", { updatedAtMs: 3 }),
      fileRecord("c", { updatedAtMs: 2 }),
      fileRecord("other", { folder: "/elsewhere", updatedAtMs: 9 }),
    ]);
    assert.deepEqual((await ledger.files("/in", 2)).map((file) => file.fileId), ["b", "c"]);
  });

  promise("a file is found by its bytes only when it was read to the end, and in its folder", async (ledger) => {
    await ledger.saveFiles([
      fileRecord("reading", { state: "reading", sha256: "01" }),
      fileRecord("quarantined", { state: "quarantined", sha256: "02" }),
      fileRecord("done", { state: "done", sha256: "03" }),
      fileRecord("archived", { state: "archived", sha256: "04" }),
    ]);
    const found = async (sha256: string) => (await ledger.fileByHash("/in", sha256))?.fileId ?? null;
    assert.deepEqual([await found("01"), await found("02"), await found("03"), await found("04")], [
      null,
      null,
      "done",
      "archived",
    ]);
    assert.equal(await ledger.fileByHash("/elsewhere", "03"), null);
  });

  promise("only records whose file is dealt with are forgotten, and only old ones", async (ledger) => {
    await ledger.saveFiles([
      fileRecord("reading", { state: "reading", updatedAtMs: 1 }),
      fileRecord("done", { state: "done", updatedAtMs: 1 }),
      fileRecord("archived", { state: "archived", updatedAtMs: 1 }),
      fileRecord("quarantined", { state: "quarantined", updatedAtMs: 1 }),
      fileRecord("young", { state: "archived", updatedAtMs: 100 }),
    ]);
    assert.equal(await ledger.forgetFiles(100), 2);
    assert.deepEqual((await ledger.files("/in", 10)).map((file) => file.fileId).sort(), ["done", "reading", "young"]);
  });

  promise("a dead letter comes back as it was given, with a number and the time", async (ledger, clock) => {
    const odd = letter("x", {
      detail: "\u001b[31m\u0000",
      row: null,
      byte: null,
      header: ["a", "\u{1f321}", ""],
      delimiter: ";",
      raw: new Uint8Array([0, 255, 10]),
      arrivedAtMs: 1.25,
    });
    clock.stepWall(5);
    assert.deepEqual(await ledger.append([odd, letter("y", { header: null, raw: new Uint8Array(0) })]), {
      accepted: 2,
      droppedStreamLetters: 0,
    });
    const [newest, oldest] = await ledger.list({}, 10);
    assert.equal(newest?.id, "y");
    assert.deepEqual(oldest, { ...odd, number: oldest?.number, storedAtMs: clock.wallMs(), tries: 0 });
    assert.deepEqual(await ledger.letter(oldest?.number ?? -1), oldest);
    assert.equal(await ledger.letter(999), null);
  });

  promise(
    "only a letter's own bytes are kept of a larger buffer, even when the buffer is used again",
    async (ledger) => {
      const buffer = new Uint8Array(1024).fill(7);
      const stored = ledger.append([letter("x", { raw: buffer.subarray(10, 13) })]);
      buffer.fill(9);
      await stored;
      assert.deepEqual((await ledger.list({}, 1))[0]?.raw, new Uint8Array([7, 7, 7]));
    },
  );

  promise("letters are listed newest first, by any filter, within the limit", async (ledger) => {
    await ledger.append([
      letter("a", { reason: "bad_csv", origin: "batch", source: "f1", arrivedAtMs: 10 }),
      letter("b", { reason: "bad_json", origin: "real_time", source: "t", arrivedAtMs: 20 }),
      letter("c", { reason: "bad_csv", origin: "batch", source: "f2", arrivedAtMs: 30 }),
    ]);
    const ids = async (filter: Parameters<Ledger["list"]>[0], limit = 10) =>
      (await ledger.list(filter, limit)).map((found) => found.id).join("");
    assert.equal(await ids({}), "cba");
    assert.equal(await ids({}, 2), "cb");
    assert.equal(await ids({ reason: "bad_csv" }), "ca");
    assert.equal(await ids({ origin: "real_time" }), "b");
    assert.equal(await ids({ source: "f2" }), "c");
    assert.equal(await ids({ source: "' OR 1=1 --" }), "");
    assert.equal(await ids({ sinceMs: 20 }), "cb");
    assert.equal(await ids({ untilMs: 20 }), "ba");
    assert.equal(await ids({ reason: "bad_csv", sinceMs: 11, untilMs: 30 }), "c");
    assert.equal((await ledger.letterCount({ reason: "bad_csv" })).letters, 2);
    assert.deepEqual(await ledger.letterCount({ source: "none" }), { letters: 0, bytes: 0 });
  });

  promise("a letter with an id that is stored replaces it and keeps its number", async (ledger) => {
    await ledger.append([letter("a", { detail: "first" }), letter("b")]);
    const number = (await ledger.list({}, 10)).find((found) => found.id === "a")?.number;
    await ledger.append([letter("a", { detail: "second" })]);
    const listed = await ledger.list({}, 10);
    assert.equal(listed.length, 2);
    const again = listed.find((found) => found.id === "a");
    assert.equal(again?.detail, "second");
    assert.equal(again?.number, number);
  });

  const ten = letters("batch", 10);
  const roomForTen = sizeOf(ten);

  promise("a full store refuses letters of files from the first that does not fit", async (ledger) => {
    assert.deepEqual(await ledger.append([...ten.slice(0, 8), ...letters("batch", 5, 20)]), {
      accepted: 10,
      droppedStreamLetters: 0,
    });
    assert.deepEqual(await ledger.append(letters("batch", 1, 30)), { accepted: 0, droppedStreamLetters: 0 });
    assert.deepEqual(await ledger.letterCount({}), { letters: 10, bytes: roomForTen });
  }, roomForTen);

  promise("a full store takes a letter that replaces one of its size", async (ledger) => {
    await ledger.append(ten);
    assert.equal((await ledger.append(ten.slice(0, 1))).accepted, 1);
    assert.equal((await ledger.letterCount({})).letters, 10);
  }, roomForTen);

  promise("in a full store the oldest letters of streams go for newer ones, and are counted", async (ledger) => {
    const streams = letters("real_time", 6);
    await ledger.append(ten.slice(0, 4));
    await ledger.append(streams);
    assert.deepEqual(await ledger.append(letters("real_time", 2, 20)), { accepted: 2, droppedStreamLetters: 2 });
    const ids = (await ledger.list({ origin: "real_time" }, 20)).map((found) => found.id);
    assert.deepEqual(
      ids,
      [...letters("real_time", 2, 20).toReversed(), ...streams.slice(2).toReversed()].map((l) => l.id),
    );
    assert.equal((await ledger.letterCount({ origin: "batch" })).letters, 4);
  }, sizeOf([...ten.slice(0, 4), ...letters("real_time", 6)]));

  promise(
    "a letter of a stream that finds no room at all is dropped and counted, and nothing else goes",
    async (ledger) => {
      await ledger.append([...ten.slice(0, 9), ...letters("real_time", 1)]);
      const large = letter("large", { origin: "real_time", raw: new Uint8Array(roomForTen) });
      assert.deepEqual(await ledger.append([large, ...letters("real_time", 1, 5)]), {
        accepted: 2,
        droppedStreamLetters: 2,
      });
      assert.equal((await ledger.list({}, 1))[0]?.id, letters("real_time", 1, 5)[0]?.id);
      assert.equal((await ledger.letterCount({})).letters, 10);
    },
    sizeOf([...ten.slice(0, 9), ...letters("real_time", 1)]),
  );

  promise("a letter of a file that has grown and finds no room stays as it was, and is accepted", async (ledger) => {
    await ledger.append(ten);
    const grown = ten.map((one) => ({ ...one, detail: `${one.detail} and more` }));
    assert.deepEqual(await ledger.append(grown), { accepted: 10, droppedStreamLetters: 0 });
    assert.deepEqual((await ledger.list({}, 10)).map(({ detail }) => detail), ten.map(({ detail }) => detail));
    assert.deepEqual(await ledger.letterCount({}), { letters: 10, bytes: roomForTen });
    assert.equal((await ledger.append(letters("batch", 1, 30))).accepted, 0);
  }, roomForTen);

  replayPromises(promise);
  spoolPromises(promise);

  promise("the number of a letter that went is never given again", async (ledger) => {
    await ledger.append(letters("real_time", 1));
    const first = (await ledger.list({}, 1))[0]?.number ?? 0;
    await ledger.append(letters("real_time", 1, 1));
    const second = (await ledger.list({}, 2))[0]?.number ?? 0;
    assert.equal((await ledger.letterCount({})).letters, 1);
    assert.ok(second > first);
    assert.equal(await ledger.letter(first), null);
  }, sizeOf(letters("real_time", 1)));

  promise("requests are answered in order, without waiting for each", async (ledger) => {
    const [, found, , again] = await Promise.all([
      ledger.saveFiles([fileRecord("a", { state: "reading" })]),
      ledger.fileById("a"),
      ledger.saveFiles([fileRecord("a", { state: "done" })]),
      ledger.fileById("a"),
    ]);
    assert.deepEqual([found?.state, again?.state], ["reading", "done"]);
  });

  promise("nothing to write is written", async (ledger) => {
    await ledger.saveFiles([]);
    assert.deepEqual(await ledger.append([]), { accepted: 0, droppedStreamLetters: 0 });
  });

  promise("close waits for what was asked before, can be called twice, and ends everything", async (ledger) => {
    const stored = ledger.append([letter("a")]);
    await Promise.all([ledger.close(), ledger.close()]);
    assert.equal((await stored).accepted, 1);
    await assert.rejects(ledger.list({}, 1), /closed/);
  });
}

function sizeOf(all: readonly DeadLetter[]): number {
  return all.reduce((sum, one) => sum + letterBytes(one), 0);
}
