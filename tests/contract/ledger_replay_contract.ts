/**
 * The part of the ledgers' suite that is about acting on dead letters.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openReplaysMax, type ReplayStep } from "../../src/core/replay.ts";
import type { Ledger } from "../../src/core/store.ts";
import { letterBytes } from "../../src/store/letter_size.ts";
import { letter, letters } from "../support/ledger_values.ts";
import type { VirtualClock } from "../support/virtual_clock.ts";

type Promises = (
  promised: string,
  test: (ledger: Ledger, clock: VirtualClock) => Promise<void>,
  deadLetterBytesMax?: number,
) => void;

const all = { after: 0, upTo: Infinity, limit: 100, bytesMax: Infinity };

/** Registers them. */
export function replayPromises(promise: Promises): void {
  const numbersOf = async (ledger: Ledger) => (await ledger.lettersInRange({}, all)).map(({ number }) => number);

  promise("letters come in order of number, within a range, a limit and bytes, at least one", async (ledger) => {
    const given = letters("batch", 5);
    await ledger.append(given);
    await ledger.append([letter("other", { reason: "bad_csv" })]);
    const ids = async (...args: Parameters<Ledger["lettersInRange"]>) =>
      (await ledger.lettersInRange(...args)).map(({ id }) => id);
    const wanted = given.map(({ id }) => id);
    assert.deepEqual(await ids({ reason: "wrong_type" }, all), wanted);
    assert.deepEqual(await ids({}, { ...all, after: 1, upTo: 3 }), wanted.slice(1, 3));
    assert.deepEqual(await ids({}, { ...all, limit: 2 }), wanted.slice(0, 2));
    const two = given.slice(0, 2).reduce((sum, one) => sum + letterBytes(one), 0);
    assert.deepEqual(await ids({}, { ...all, bytesMax: two }), wanted.slice(0, 2));
    assert.deepEqual(await ids({}, { ...all, bytesMax: 0 }), wanted.slice(0, 1));
  });

  promise("letters that match are removed, the oldest first, and their room is free again", async (ledger) => {
    await ledger.append([...letters("batch", 8), letter("csv/00001", { reason: "bad_csv" })]);
    assert.equal(await ledger.removeLetters({ reason: "wrong_type" }, 3), 3);
    assert.deepEqual(await numbersOf(ledger), [4, 5, 6, 7, 8, 9]);
    assert.equal((await ledger.append(letters("batch", 3, 20))).accepted, 3);
    assert.equal(await ledger.removeLetters({ reason: "wrong_type" }, 1000), 8);
    assert.deepEqual((await ledger.list({}, 10)).map(({ reason }) => reason), ["bad_csv"]);
    assert.equal(await ledger.removeLetters({ untilMs: 10 }, 10), 0);
  }, 9 * letterBytes(letters("batch", 1)[0] ?? letter("x")) + 10);

  promise("letters of a file's rows are removed from a byte on, and of no other file", async (ledger) => {
    const ofRow = (id: string, byte: number | null) => letter(id, { byte });
    await ledger.append([
      ...[ofRow("gw/file/5", 5), ofRow("gw/file/70", 70), ofRow("gw/file/700", 700), ofRow("gw/file/x", null)],
      ...[ofRow("gw/file2/70", 70), ofRow("gw/fil/70", 70), ofRow("gw/file", 70), ofRow("GW/file/70", 70)],
    ]);
    assert.equal(await ledger.removeLetters({ idPrefix: "gw/file/", fromByte: 70 }, 1), 1);
    assert.equal(await ledger.removeLetters({ idPrefix: "gw/file/", fromByte: 70 }, 100), 1);
    assert.deepEqual(await numbersOf(ledger), [1, 4, 5, 6, 7, 8]);
  });

  promise("a request knows what was there when it was asked, and is told step by step", async (ledger, clock) => {
    await ledger.append(letters("batch", 6));
    const filter = { reason: "wrong_type", origin: "batch", sinceMs: 1 } as const;
    const asked = await ledger.askReplay({ filter, ratePerSecond: 7 });
    await ledger.append(letters("batch", 1, 20));
    const begun = {
      number: asked.number,
      filter,
      ratePerSecond: 7,
      lastLetter: 6,
      atLetter: 0,
      total: 6,
      delivered: 0,
      filtered: 0,
      failed: 0,
      done: false,
      askedAtMs: clock.wallMs(),
    };
    assert.deepEqual(asked, begun);
    assert.deepEqual(await ledger.nextReplay(), begun);
    const step: ReplayStep = {
      request: asked.number,
      atLetter: 4,
      delivered: [1, 2],
      filtered: [3],
      failed: [4],
      done: false,
    };
    await ledger.stepReplay(step);
    const after = { ...begun, atLetter: 4, delivered: 2, filtered: 1, failed: 1 };
    assert.deepEqual(await ledger.replay(asked.number), after);
    assert.deepEqual(await numbersOf(ledger), [4, 5, 6, 7]);
    assert.deepEqual((await ledger.lettersInRange({}, all)).map(({ tries }) => tries), [1, 0, 0, 0]);
    await ledger.stepReplay({ ...step, atLetter: 6, delivered: [], filtered: [], failed: [], done: true });
    assert.equal(await ledger.nextReplay(), null);
    assert.deepEqual(await ledger.replay(asked.number), { ...after, atLetter: 6, done: true });
    assert.equal(await ledger.replay(999), null);
  });

  promise("a letter that is stored again keeps the count of its tries", async (ledger) => {
    await ledger.append([letter("a")]);
    const { number } = await ledger.askReplay({ filter: {}, ratePerSecond: 1 });
    const nothing = { delivered: [], filtered: [] };
    await ledger.stepReplay({ request: number, atLetter: 1, ...nothing, failed: [1], done: true });
    await ledger.append([letter("a", { reason: "bad_csv" })]);
    assert.deepEqual((await ledger.list({}, 1)).map(({ reason, tries }) => [reason, tries]), [["bad_csv", 1]]);
  });

  promise("room that a replay frees is there for new letters", async (ledger) => {
    await ledger.append(letters("batch", 2));
    assert.equal((await ledger.append(letters("batch", 1, 5))).accepted, 0);
    const { number } = await ledger.askReplay({ filter: {}, ratePerSecond: 1 });
    await ledger.stepReplay({ request: number, atLetter: 1, delivered: [1], filtered: [], failed: [], done: false });
    assert.equal((await ledger.append(letters("batch", 1, 5))).accepted, 1);
    assert.equal((await ledger.append(letters("batch", 1, 6))).accepted, 0);
  }, 2 * letterBytes(letters("batch", 1)[0] ?? letter("x")));

  promise("requests are done in the order in which they were asked, and only so many may be open", async (ledger) => {
    for (let i = 0; i < openReplaysMax; i++) await ledger.askReplay({ filter: {}, ratePerSecond: 1 + i });
    await assert.rejects(ledger.askReplay({ filter: {}, ratePerSecond: 99 }), /16 replays are under way/);
    const first = await ledger.nextReplay();
    assert.equal(first?.ratePerSecond, 1);
    const ended = { atLetter: 0, delivered: [], filtered: [], failed: [], done: true };
    await ledger.stepReplay({ request: first?.number ?? 0, ...ended });
    assert.equal((await ledger.nextReplay())?.ratePerSecond, 2);
    await ledger.askReplay({ filter: {}, ratePerSecond: 99 });
  });

  promise("a mark is what it was last set to", async (ledger) => {
    assert.equal(await ledger.mark("a"), 0);
    await ledger.saveMark("a", 5);
    await ledger.saveMark("a", 7);
    await ledger.saveMark("b", 1);
    assert.deepEqual([await ledger.mark("a"), await ledger.mark("b")], [7, 1]);
  });
}
