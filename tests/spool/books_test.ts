/**
 * From the state in which readings pass the books by to the one in which each has its entry, while readings are under way.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createBooks } from "../../src/spool/books.ts";
import { refusedAs, type Rig, rig, told } from "./rig.ts";

/** The sink took long for a verdict, and the source is more than half full: what arrives now goes to the disk. */
async function overflow(t: Rig): Promise<void> {
  const slow = told("z0");
  t.arrive(slow);
  t.dispatch();
  await t.clock.advance(1_200);
  t.deliver(slow);
  t.fill = 0.6;
}

const readings = (...ids: string[]) => ids.map(told);

Deno.test("while all is well nothing is written in the books; what cannot be asked for its verdict has its entry", () => {
  const books = createBooks();
  assert.equal(books.passesBy(readings("a1", "b1"), 5), true);
  assert.equal(books.known.size, 0);
  const [mute] = readings("c1");
  assert.ok(mute);
  const { origin, source, settle } = mute.delivery;
  assert.equal(books.passesBy([...readings("a2"), { ...mute, delivery: { origin, source, settle } }], 6), false);
});

Deno.test("what passed by has lower numbers than what arrives when its topic goes to the disk, and is written before it", async () => {
  const t = await rig();
  const [a1, b1, a2] = readings("a1", "b1", "a2");
  assert.ok(a1 && b1 && a2);
  await overflow(t);
  t.fill = 0;
  t.arrive(a1, b1, a2);
  assert.deepEqual(t.dispatch(), ["a1", "b1", "a2"]);
  t.fill = 0.6;
  const [a3, a4] = readings("a3", "a4");
  assert.ok(a3 && a4);
  t.arrive(a3, a4);
  assert.deepEqual(t.dispatch(), []);
  await t.clock.advance(200);
  assert.deepEqual([a1, a2, a3, a4, b1].map((one) => one.verdict()), [...Array(4).fill("spooled"), null]);
  assert.deepEqual(t.onDisk(), ["a1", "a2", "a3", "a4"]);
  t.deliver(a1, a2, b1);
  await t.clock.advance(200);
  assert.deepEqual(t.dispatch(), ["a3", "a4"]);
  assert.deepEqual(t.onDisk(), ["a3", "a4"], "their verdicts remove what was sent");
  assert.equal(b1.verdict(), "delivered");
  await t.spool.close();
});

Deno.test("what has its verdict when its topic goes to the disk is neither written nor settled again; one that comes after that counts", async () => {
  const t = await rig();
  await overflow(t);
  t.fill = 0;
  const [a1, a2, a3, a4] = readings("a1", "a2", "a3", "a4");
  assert.ok(a1 && a2 && a3 && a4);
  t.arrive(a1, a2, a3);
  t.dispatch();
  // Out of order: they went to two partitions. The verdict took long, so the sink is slow.
  await t.clock.advance(1_100);
  t.deliver(a2);
  t.fill = 0.6;
  t.arrive(a4);
  // Before the write begins.
  t.deliver(a1);
  await t.clock.advance(200);
  assert.deepEqual(t.onDisk(), ["a3", "a4"]);
  assert.deepEqual([a1, a2, a3, a4].map((one) => one.verdict()), ["delivered", "delivered", "spooled", "spooled"]);
  await t.spool.close();
});

Deno.test("the time of a verdict is that of its own run, also behind a reading that waits longer", async () => {
  const t = await rig();
  const [waits, quick, next] = readings("w1", "a1", "a2");
  assert.ok(waits && quick && next);
  t.arrive(waits);
  t.dispatch();
  await t.clock.advance(2_000);
  t.arrive(quick);
  t.dispatch();
  t.deliver(quick);
  t.fill = 1;
  t.arrive(next);
  assert.deepEqual(t.dispatch(), ["a2"], "the last verdict was quick: the sink is not slow");
  t.deliver(waits);
  t.arrive(...readings("a3"));
  assert.deepEqual(t.dispatch(), [], "2 s: it is");
  await t.spool.close();
});

Deno.test("what passed by and has no verdict for 5 s is held or given back, its topic only, in its order", async () => {
  const t = await rig();
  const [a1, b1, a2, b2] = readings("a1", "b1", "a2", "b2");
  assert.ok(a1 && b1 && a2 && b2);
  t.arrive(a1, b1, a2);
  t.dispatch();
  await t.clock.advance(3_000);
  t.arrive(b2);
  t.dispatch();
  t.deliver(b1);
  // The sink has begun with the first and gives back the other.
  t.takeBack = (asked) => new Map(asked.has(a2) ? [[a2, a1]] : []);
  await t.clock.advance(2_500);
  assert.deepEqual(t.onDisk(), ["a1", "a2"]);
  assert.deepEqual([a1, a2, b1, b2].map((one) => one.verdict()), ["spooled", "spooled", "delivered", null]);
  assert.equal(t.spool.status().stillTopics, 1);
  t.arrive(...readings("a3"));
  assert.deepEqual(t.dispatch(), [], "it waits behind what is held");
  await t.clock.advance(100);
  assert.deepEqual(t.spool.settle([a1, b2], "delivered"), { rows: 1, bytes: b2.bytes }, "one credit is back already");
  await t.clock.advance(100);
  assert.deepEqual(t.dispatch(), ["a2", "a3"], "the way is free");
  assert.deepEqual([t.onDisk(), b2.verdict()], [["a2", "a3"], "delivered"]);
  await t.spool.close();
});

Deno.test("when the sink is away, all that passed by goes to the disk", async () => {
  const t = await rig();
  const sent = readings("a1", "b1", "c1", "a2");
  t.arrive(...sent);
  t.dispatch();
  await t.clock.advance(2_000);
  const later = readings("b2", "d1");
  t.arrive(...later);
  t.dispatch();
  await t.clock.advance(3_200);
  assert.deepEqual(t.onDisk(), ["a1", "b1", "c1", "a2", "b2", "d1"]);
  assert.deepEqual([...sent, ...later].map((one) => one.verdict()), Array(6).fill("spooled"));
  await t.spool.close();
});

Deno.test("a reading that the sink refuses is not written as well: its dead letter settles it, once", async () => {
  const t = await rig();
  const [a1, a2, a3] = readings("a1", "a2", "a3");
  assert.ok(a1 && a2 && a3);
  t.arrive(a1, a2, a3);
  t.dispatch();
  const letter = refusedAs(a2);
  t.spool.answered();
  t.spool.replaced(a2, letter);
  await t.clock.advance(5_500);
  assert.deepEqual(t.onDisk(), ["a1", "a3"]);
  assert.equal(a2.verdict(), null, "its letter is not safe yet");
  assert.deepEqual(t.spool.settle([letter], "dead_lettered"), { rows: 1, bytes: 0 });
  assert.equal(a2.verdict(), "dead_lettered");
  await t.spool.close();
});

for (const whenFull of ["drop_newest", "drop_oldest"] as const) {
  Deno.test(`a full disk, ${whenFull}: what passed by is older than what arrives`, async () => {
    // Three of them.
    const t = await rig({ whenFull, bytesMax: 300 });
    const [a1, a2] = readings("a1", "a2");
    assert.ok(a1 && a2);
    await overflow(t);
    t.fill = 0;
    t.arrive(a1, a2);
    t.dispatch();
    t.fill = 0.6;
    const fresh = readings("a3", "a4", "a5");
    t.arrive(...fresh);
    await t.clock.advance(500);
    assert.deepEqual([a1.verdict(), a2.verdict()], ["spooled", "spooled"]);
    // The sink has the first two and the third is read ahead: they are spared, and those that find no room wait.
    const noRoom = whenFull === "drop_newest" ? "dropped" : null;
    assert.deepEqual(fresh.map((one) => one.verdict()), ["spooled", noRoom, noRoom]);
    assert.deepEqual(t.onDisk(), ["a1", "a2", "a3"]);
    await t.spool.close();
  });
}

Deno.test("quiet waits for what passed by, also when it is settled out of order", async () => {
  const t = await rig();
  const [a1, b1] = readings("a1", "b1");
  assert.ok(a1 && b1);
  t.arrive(a1, b1);
  t.dispatch();
  let isQuiet = false;
  const quiet = t.spool.quiet().then(() => (isQuiet = true));
  t.deliver(b1);
  await t.clock.advance(10);
  assert.equal(isQuiet, false);
  t.deliver(a1);
  await quiet;
  await t.spool.close();
});

Deno.test("what passes by after trouble stands behind what is still in the books", async () => {
  const t = await rig();
  await overflow(t);
  const [a1, b1, a2, a3] = readings("a1", "b1", "a2", "a3");
  assert.ok(a1 && b1 && a2 && a3);
  t.arrive(a1);
  await t.clock.advance(200);
  t.fill = 0;
  assert.deepEqual(t.dispatch(), ["a1"], "from the disk, and nothing is behind it there");
  t.arrive(b1, a2, a3);
  assert.deepEqual(t.dispatch(), ["b1", "a2", "a3"]);
  t.deliver(b1, a2);
  await t.clock.advance(5_500);
  assert.deepEqual(t.onDisk(), ["a1", "a3"]);
  assert.deepEqual([b1, a2, a3].map((one) => one.verdict()), ["delivered", "delivered", "spooled"]);
  await t.spool.close();
});
