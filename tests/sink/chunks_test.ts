import assert from "node:assert/strict";
import type { Chunk, Refusal } from "../../src/core/chunk.ts";
import type { Delivery, Verdict, VerdictCounts } from "../../src/core/delivery.ts";
import { WeirError } from "../../src/core/error.ts";
import type { Item, Misfit, Reading } from "../../src/core/reading.ts";
import { createChunks } from "../../src/sink/chunks.ts";
import { letter } from "../support/ledger_values.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const limits = { rowsMax: () => 10, bytesMax: 1000, gatherMs: 200, filesMax: 3 };

/** Chunks to a sink that a test answers for. */
// Its type is what it gives.
function setUp() {
  const clock = virtualClock();
  const commits: {
    readonly chunk: Chunk;
    readonly end: (refusals?: readonly Refusal[]) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const settled: (readonly [Item, Verdict])[] = [];
  const log: string[] = [];
  let letGo: (() => void)[] = [];
  let storing = true;
  const chunks = createChunks({
    clock,
    limits,
    sink: {
      places: () => Promise.resolve([]),
      fenced: new Promise(() => {}),
      commit(chunk) {
        log.push("commit");
        return new Promise((resolve, reject) =>
          commits.push({ chunk, end: (refusals = []) => resolve(refusals), fail: reject })
        );
      },
    },
    letterQueue: (stored) => ({
      add(misfits) {
        log.push("letters");
        if (storing) stored(misfits);
        else letGo.push(() => stored(misfits));
      },
      close() {},
    }),
    misfitOf: (reading, reason, detail) => ({
      ...misfit(reading.delivery, reading.index),
      letter: letter(reading.id, { reason, detail }),
    }),
    settle: (items, verdict) => void settled.push(...items.map((item) => [item, verdict] as const)),
  });
  return {
    clock,
    chunks,
    commits,
    settled,
    log,
    stall() {
      storing = false;
    },
    mend() {
      for (const go of letGo) go();
      letGo = [];
      storing = true;
    },
    /** Ends the commit that is under way. */
    async end(refusals: readonly Refusal[] = []) {
      commits.at(-1)?.end(refusals);
      await clock.advance(0);
    },
    verdicts: () => settled.map(([{ index }, verdict]) => `${index} ${verdict}`).toSorted(),
  };
}

function file(name: string): Delivery {
  return {
    origin: "batch",
    source: name,
    settle() {},
    placeAfter: (index: number, ended: VerdictCounts) => ({
      key: `gw/${name}`,
      value: `${index}: ${ended.delivered} ${ended.filtered} ${ended.dead_lettered}`,
    }),
  };
}

function row(delivery: Delivery, index: number, bytes = 10): Reading {
  return {
    kind: "reading",
    delivery,
    index,
    bytes,
    id: `${delivery.source}/${index}`,
    fields: {},
    value: "{}",
    row: index + 1,
    byte: index,
    arrivedMs: 0,
    redelivered: false,
  };
}

function misfit(delivery: Delivery, index: number): Misfit {
  return { kind: "misfit", delivery, index, bytes: 10, letter: letter(`${delivery.source}/${index}`) };
}

const filtered = (delivery: Delivery, index: number): Item => ({ kind: "filtered", delivery, index, bytes: 10 });
const rows = (delivery: Delivery, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => row(delivery, from + i));

Deno.test("rows gather for a while and leave as one chunk, settled once it is committed", async () => {
  const { clock, chunks, commits, end, verdicts } = setUp();
  const a = file("a");
  chunks.add(rows(a, 0, 2));
  await clock.advance(199);
  chunks.add([filtered(a, 2)]);
  assert.equal(commits.length, 0);
  await clock.advance(1);
  assert.deepEqual(commits[0]?.chunk.readings.map(({ index }) => index), [0, 1]);
  assert.deepEqual(commits[0]?.chunk.places, [{ key: "gw/a", value: "2: 2 1 0" }]);
  assert.deepEqual(verdicts(), []);
  await end();
  assert.deepEqual(verdicts(), ["0 delivered", "1 delivered", "2 filtered"]);
});

Deno.test("a chunk that is full leaves at once: by rows, by bytes, by files", async () => {
  for (
    const items of [
      rows(file("a"), 0, 10),
      [row(file("a"), 0, 1000)],
      ["a", "b", "c"].map((name) => row(file(name), 0)),
    ]
  ) {
    const { clock, chunks, commits } = setUp();
    chunks.add(items);
    await clock.advance(0);
    assert.equal(commits.length, 1);
    assert.equal(commits[0]?.chunk.readings.length, items.length);
  }
});

Deno.test("one chunk is committed at a time; the next gathers meanwhile and leaves when it is due", async () => {
  const { clock, chunks, commits, end } = setUp();
  const a = file("a");
  chunks.add(rows(a, 0, 10));
  await clock.advance(50);
  chunks.add(rows(a, 10, 12));
  await clock.advance(300);
  assert.equal(commits.length, 1);
  await end();
  assert.deepEqual(commits[1]?.chunk.readings.map(({ index }) => index), [10, 11]);
});

Deno.test("dead letters are stored before the commit, and wait for a store that cannot", async () => {
  const { clock, chunks, commits, log, end, verdicts, stall, mend } = setUp();
  const a = file("a");
  stall();
  chunks.add([row(a, 0), misfit(a, 1)]);
  await clock.advance(1000);
  assert.deepEqual(log, ["letters"]);
  mend();
  await clock.advance(0);
  assert.deepEqual(log, ["letters", "commit"]);
  assert.deepEqual(commits[0]?.chunk.letters.map(({ id }) => id), ["a/1"]);
  assert.deepEqual(commits[0]?.chunk.places, [{ key: "gw/a", value: "1: 1 0 1" }]);
  await end();
  assert.deepEqual(verdicts(), ["0 delivered", "1 dead_lettered"]);
});

Deno.test("a row that is refused becomes a dead letter, and the chunk is committed again without it", async () => {
  const { clock, chunks, commits, log, end, verdicts } = setUp();
  const a = file("a");
  chunks.add(rows(a, 0, 3));
  await clock.advance(200);
  const refused = commits[0]?.chunk.readings[1] ?? assert.fail();
  await end([{ reading: refused, reason: "too_large", detail: "it is" }]);
  assert.deepEqual(log, ["commit", "letters", "commit"]);
  assert.deepEqual(verdicts(), []);
  assert.deepEqual(commits[1]?.chunk.readings.map(({ index }) => index), [0, 2]);
  assert.deepEqual(commits[1]?.chunk.letters.map(({ reason }) => reason), ["too_large"]);
  assert.deepEqual(commits[1]?.chunk.places, [{ key: "gw/a", value: "2: 2 0 1" }]);
  await end();
  assert.deepEqual(verdicts(), ["0 delivered", "1 dead_lettered", "2 delivered"]);
});

Deno.test("each file has its place in the chunk; what is replayed has none, and its letter is not sent again", async () => {
  const { clock, chunks, commits, end } = setUp();
  const replayed: Delivery = { origin: "real_time", source: "plant/a", settle() {} };
  chunks.add([row(file("a"), 0), row(replayed, 0)]);
  chunks.add([misfit(replayed, 1)]);
  await clock.advance(200);
  assert.deepEqual(commits[0]?.chunk.places.map(({ key }) => key), ["gw/a"]);
  assert.equal(commits[0]?.chunk.readings.length, 2);
  assert.deepEqual(commits[0]?.chunk.letters, []);
  await end();
});

Deno.test("a flush sends what gathers at once and resolves when all of it is settled", async () => {
  const { clock, chunks, commits, end } = setUp();
  const a = file("a");
  chunks.add(rows(a, 0, 10));
  chunks.add(rows(a, 10, 11));
  let flushed = false;
  chunks.flush().then(() => {
    flushed = true;
  });
  await clock.advance(0);
  await end();
  assert.equal(commits.length, 2);
  assert.equal(flushed, false);
  await end();
  assert.equal(flushed, true);
});

Deno.test("fenced, nothing is settled and nothing more is committed; nor after close", async () => {
  const { clock, chunks, commits, settled } = setUp();
  const a = file("a");
  chunks.add(rows(a, 0, 10));
  await clock.advance(0);
  commits[0]?.fail(new WeirError("fenced", "Another one has taken over"));
  await clock.advance(0);
  chunks.add(rows(a, 10, 20));
  await clock.advance(1000);
  chunks.close();
  assert.deepEqual([settled.length, commits.length], [0, 1]);
});

Deno.test("fenced: what was handed over meanwhile is not committed behind the rows that found no home, and a drain ends", async () => {
  for (const next of ["add", "flush", "time"] as const) {
    const { clock, chunks, commits, settled } = setUp();
    const a = file("a");
    chunks.add(rows(a, 0, 10));
    await clock.advance(0);
    chunks.add(rows(a, 10, 15));
    commits[0]?.fail(new WeirError("fenced", "Another one has taken over"));
    await clock.advance(0);
    if (next === "add") chunks.add(rows(a, 15, 25));
    if (next === "time") await clock.advance(10_000);
    let flushed = false;
    chunks.flush().then(() => flushed = true);
    await clock.advance(0);
    assert.deepEqual([settled.length, commits.length, flushed], [0, 1, true], next);
    chunks.close();
  }
});
