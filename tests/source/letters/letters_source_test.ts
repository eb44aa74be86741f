import assert from "node:assert/strict";
import type { Verdict } from "../../../src/core/delivery.ts";
import { seededDice } from "../../../src/core/dice.ts";
import { WeirError } from "../../../src/core/error.ts";
import type { Item } from "../../../src/core/reading.ts";
import type { LetterActions } from "../../../src/core/replay.ts";
import { createLettersSource } from "../../../src/source/letters/letters_source.ts";
import { memoryLedger } from "../../../src/store/memory_ledger.ts";
import { letter } from "../../support/ledger_values.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { lineDecoder, lineNormalizer } from "../files/harness.ts";

function rig(otherwise: Partial<LetterActions> = {}, settled: Promise<void> | null = null) {
  const clock = virtualClock();
  const store = memoryLedger({ clock, deadLetterBytesMax: 1e7 });
  const events: string[] = [];
  const taken: { readonly item: Item; readonly atMs: number }[] = [];
  const source = createLettersSource({
    clock,
    dice: seededDice(1),
    emit: (level, name, message) => events.push(`${level} ${name}: ${message}`),
    store: { ...store, ...otherwise },
    openDecoder: lineDecoder,
    decodePayload: () => [],
    normalizer: lineNormalizer,
    topicFields: () => null,
    ...(settled === null ? {} : { settled }),
  });
  const [flow] = source.flows;
  assert.ok(flow !== undefined);
  /** Takes what is ready whenever it is told. */
  const start = () =>
    source.start(() => {
      for (const item of flow.take(Infinity, Infinity)) taken.push({ item, atMs: clock.nowMs() });
    });
  const add = (count: number) =>
    store.append(
      Array.from({ length: count }, (_, i) =>
        letter(`gw/${i}`, {
          decoder: "reading",
          raw: new TextEncoder().encode(`{"n":${i}}`),
          origin: i % 2 === 0 ? "batch" : "real_time",
        })),
    );
  const settle = (verdict: Verdict, from = 0, to = taken.length) => {
    for (const { item } of taken.slice(from, to)) item.delivery.settle(item.index, verdict);
  };
  return { clock, store, events, taken, source, start, add, settle };
}

Deno.test("letters leave at the pace that was asked for, in order, and no burst makes up for a rest", async () => {
  const { clock, store, taken, start, add, source } = rig();
  await add(100);
  await start();
  await clock.advance(10_000);
  await store.askReplay({ filter: {}, ratePerSecond: 20 });
  await clock.advance(4_000);
  assert.deepEqual(taken.map(({ item }) => item.kind === "reading" ? item.fields["n"] : null), [...taken.keys()]);
  assert.ok(taken.length >= 57 && taken.length <= 83, String(taken.length));
  for (const { atMs } of taken) {
    const within = taken.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1_000).length;
    assert.ok(within <= 22, `${within} within a second`);
  }
  await source.close();
  assert.equal(clock.timers, 0);
});

Deno.test("each letter keeps its id and origin; delivered and filtered ones go, failed ones stay and are counted", async () => {
  const { clock, store, taken, events, start, add, settle, source } = rig();
  await add(6);
  await store.askReplay({ filter: { origin: "real_time" }, ratePerSecond: 1_000 });
  await start();
  await clock.advance(500);
  assert.deepEqual(taken.map(({ item }) => [item.kind === "reading" ? item.id : "", item.delivery.origin]), [
    ["gw/1", "real_time"],
    ["gw/3", "real_time"],
    ["gw/5", "real_time"],
  ]);
  settle("delivered", 0, 1);
  settle("filtered", 1, 2);
  settle("dead_lettered", 2, 3);
  await clock.advance(2_000);
  const left = await store.list({}, 10);
  assert.deepEqual(left.map(({ id, tries }) => [id, tries]), [["gw/5", 1], ["gw/4", 0], ["gw/2", 0], ["gw/0", 0]]);
  const request = await store.replay(1);
  assert.deepEqual([request?.delivered, request?.filtered, request?.failed, request?.done], [1, 1, 1, true]);
  assert.match(events.at(-1) ?? "", /Replayed 3 dead letters: 1 delivered again, 1 filtered, 1 failed again/);
  const status = source.status();
  assert.ok(status.kind === "letters");
  assert.deepEqual([status.delivered, status.filtered, status.failed, status.replaying], [1, 1, 1, null]);
  await source.close();
});

Deno.test("requests are worked off one after the other, and a letter that failed is not taken twice in one", async () => {
  const { clock, store, taken, start, add, settle, source } = rig();
  await add(2);
  await store.askReplay({ filter: {}, ratePerSecond: 1_000 });
  await store.askReplay({ filter: {}, ratePerSecond: 1_000 });
  await start();
  await clock.advance(3_000);
  assert.equal(taken.length, 2);
  settle("dead_lettered");
  await clock.advance(3_000);
  assert.equal(taken.length, 4);
  settle("delivered", 2, 4);
  await clock.advance(3_000);
  assert.equal(await store.nextReplay(), null);
  assert.equal((await store.letterCount({})).letters, 0);
  await source.close();
});

Deno.test("only so many letters are read ahead, by number and by bytes", async () => {
  const ranges: Parameters<LetterActions["lettersInRange"]>[1][] = [];
  const { clock, store, start, source } = rig({
    lettersInRange(filter, range) {
      ranges.push(range);
      return store.lettersInRange(filter, range);
    },
  });
  const large = new TextEncoder().encode(`{"n":"${"x".repeat(200_000)}"}`);
  await store.append(Array.from({ length: 40 }, (_, i) => letter(`gw/${i}`, { decoder: "reading", raw: large })));
  await store.askReplay({ filter: {}, ratePerSecond: 1 });
  await start();
  await clock.advance(1_500);
  assert.ok(ranges.every(({ bytesMax, limit }) => bytesMax <= 256 * 1024 && limit <= 64));
  const status = source.status();
  assert.ok(status.kind === "letters" && (status.replaying?.waiting ?? 99) <= 33);
  await source.close();
});

Deno.test("a ledger that cannot be read or written is waited for, said once, and no verdict is lost", async () => {
  let failing = true;
  const flaky = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => (...args: A): Promise<R> =>
    failing ? Promise.reject(new WeirError("storage", "The disk is full", { retriable: true })) : act(...args);
  const parts = rig({
    nextReplay: flaky(() => parts.store.nextReplay()),
    stepReplay: flaky((step: Parameters<LetterActions["stepReplay"]>[0]) => parts.store.stepReplay(step)),
  });
  const { clock, store, events, taken, start, add, settle, source } = parts;
  await add(3);
  await store.askReplay({ filter: {}, ratePerSecond: 100 });
  await start();
  await clock.advance(60_000);
  failing = false;
  await clock.advance(60_000);
  assert.equal(taken.length, 3);
  failing = true;
  settle("delivered");
  await clock.advance(60_000);
  assert.equal((await store.letterCount({})).letters, 3);
  failing = false;
  await clock.advance(60_000);
  assert.equal((await store.letterCount({})).letters, 0);
  assert.equal(events.filter((event) => event.includes("letters.replay_stuck")).length, 2, events.join("\n"));
  await source.close();
});

Deno.test("a stop in the middle drains what was taken, and the next life goes on behind it", async () => {
  const { clock, store, taken, start, add, settle, source } = rig();
  await add(50);
  await store.askReplay({ filter: {}, ratePerSecond: 10 });
  await start();
  await clock.advance(1_000);
  const before = taken.length;
  assert.ok(before > 5 && before < 20);
  source.stop();
  let drained = false;
  source.drained().then(() => drained = true);
  await clock.advance(5_000);
  assert.equal(drained, false);
  settle("delivered");
  await clock.advance(10);
  assert.equal(drained, true);
  const request = await store.nextReplay();
  assert.deepEqual([request?.delivered, request?.atLetter, request?.done], [before, before, false]);
  assert.equal(taken.length, before);
  await source.close();
});

Deno.test("a request is about the letters that were there when it was asked", async () => {
  const { clock, store, taken, start, add, source } = rig();
  await add(2);
  await store.askReplay({ filter: {}, ratePerSecond: 100 });
  await store.append([letter("later", { decoder: "reading" })]);
  await start();
  await clock.advance(5_000);
  assert.deepEqual(taken.map(({ item }) => item.kind === "reading" ? item.id : ""), ["gw/0", "gw/1"]);
  await source.close();
});

Deno.test("nothing is replayed before it is known which letters stand; one that is taken back by then is not replayed", async () => {
  const known = Promise.withResolvers<void>();
  const { clock, store, taken, start, add, settle, source } = rig({}, known.promise);
  await add(3);
  await store.askReplay({ filter: {}, ratePerSecond: 100 });
  await start();
  await clock.advance(60_000);
  assert.equal(taken.length, 0);
  await store.removeLetters({ idPrefix: "gw/", fromByte: 0 }, 1);
  known.resolve();
  await clock.advance(1_000);
  assert.deepEqual(taken.map(({ item }) => item.kind === "reading" ? item.id : ""), ["gw/1", "gw/2"]);
  settle("delivered");
  await clock.advance(1_000);
  assert.equal(await store.nextReplay(), null);
  await source.close();
});

Deno.test("a stop while that is not known drains at once, and what was asked for is there afterwards", async () => {
  const { clock, store, start, add, source } = rig({}, new Promise(() => {}));
  await add(3);
  await store.askReplay({ filter: {}, ratePerSecond: 100 });
  await start();
  await clock.advance(100);
  source.stop();
  let drained = false;
  source.drained().then(() => drained = true);
  await clock.advance(10);
  assert.ok(drained);
  assert.ok(await store.nextReplay() !== null);
  await source.close();
});

Deno.test("it is drained only when the last verdict is in the ledger, however slow that is", async () => {
  const parts = rig({
    async stepReplay(step) {
      await new Promise<void>((resolve) => parts.clock.after(100, resolve));
      await parts.store.stepReplay(step);
    },
  });
  const { clock, store, taken, start, add, settle, source } = parts;
  await add(4);
  await store.askReplay({ filter: {}, ratePerSecond: 1_000 });
  await start();
  await clock.advance(600);
  assert.equal(taken.length, 4);
  settle("delivered", 0, 2);
  await clock.advance(10);
  source.stop();
  settle("delivered", 2, 4);
  let leftAtDrain: number | null = null;
  source.drained().then(async () => leftAtDrain = (await store.letterCount({})).letters);
  await clock.advance(1_000);
  assert.equal(leftAtDrain, 0);
  await source.close();
});
