import assert from "node:assert/strict";
import { type Plan, play } from "./world.ts";

const calm: Plan = {
  seed: 1,
  topics: 8,
  partitions: 4,
  perSecond: 200,
  publishMs: 60_000,
  receiveMax: 200,
  bytesMax: 1e9,
  whenFull: "block",
  inFlightRows: 300,
  sinkPerSecond: 20_000,
  givesBack: true,
  downs: [],
  crashesMs: [],
  diskFails: [],
  commitMs: 10,
};
const outage = [{ partition: -1, fromMs: 5_000, toMs: 45_000 }];

Deno.test("while all is well nothing is written to the disk", async () => {
  const { writes, landed, wanted, left } = await play(calm);
  assert.deepEqual([writes, landed.length, left.readings], [0, wanted.size, 0]);
});

Deno.test("in an outage the broker is emptied onto the disk in few writes, and all arrives in order afterwards", async () => {
  const { writes, backlogMax, landed, wanted, left, events } = await play({ ...calm, downs: outage });
  assert.deepEqual([landed.length, left.readings], [wanted.size, 0]);
  // Five seconds pass before the sink counts as away; the rest of the 40 s the broker has next to nothing.
  assert.ok(backlogMax <= 200 * 6 + 200, `${backlogMax} waited at the broker`);
  assert.ok(writes < 40_000 / 50 + 20, `${writes} writes`);
  assert.deepEqual(events.filter(({ name }) => name.startsWith("spool.")).map(({ name }) => name), [
    "spool.began",
    "spool.emptied",
  ]);
});

Deno.test("one dead partition of several holds up nobody else, whether or not the sink gives back", async () => {
  for (const givesBack of [true, false]) {
    const dead = [{ partition: 1, fromMs: 5_000, toMs: 50_000 }];
    const { landed, wanted, backlogMax, left } = await play({ ...calm, givesBack, downs: dead });
    assert.deepEqual([landed.length, left.readings], [wanted.size, 0]);
    assert.ok(backlogMax <= 200 * 6 + 200, `${backlogMax} waited at the broker`);
  }
});

Deno.test("a kill in the middle of an outage loses nothing of what was put aside, under its ids", async () => {
  const { landed, wanted, left } = await play({ ...calm, downs: outage, crashesMs: [20_000, 30_000] });
  assert.equal(left.readings, 0);
  const before = landed.filter(({ id }) => id.startsWith("gw/1/"));
  assert.ok(before.length > 200 * 14, `${before.length} of the first life`);
  assert.equal(new Set(landed.map(({ topic, n }) => `${topic} ${n}`)).size, wanted.size);
});

Deno.test("a disk that takes nothing leaves streams in memory, says so once, and is used again when it works", async () => {
  const diskFails = [{ fromMs: 0, toMs: 30_000 }];
  const { landed, wanted, left, events } = await play({ ...calm, downs: outage, diskFails });
  assert.deepEqual([landed.length, left.readings], [wanted.size, 0]);
  assert.deepEqual(events.filter(({ name }) => /stuck|recovered/.test(name)).map(({ name }) => name), [
    "spool.stuck",
    "spool.recovered",
  ]);
});

Deno.test("a state file that is damaged while the spool is full loses what was only there, says so, and the rest goes on", async () => {
  const { landed, wanted, left, events, dropped, tally } = await play({ ...calm, downs: outage, damagedAtMs: 25_000 });
  const arrived = new Set(landed.map(({ topic, n }) => `${topic} ${n}`));
  assert.equal(landed.length, arrived.size, "doubled");
  const lost = [...wanted].filter((one) => !arrived.has(one)).length;
  // From when the sink counts as away until the damage, less what it had by then.
  assert.ok(lost > 200 * 10 && lost <= 200 * 21, `${lost} lost`);
  assert.deepEqual([dropped, left.readings, tally.sums("real_time").open], [lost, 0, 0]);
  const told = events.filter(({ name }) => name === "spool.lost").map(({ data }) => data["readings"]);
  assert.deepEqual(told, [lost]);
});

Deno.test("without a spool an outage leaves everything with the broker, and what an earlier run left is sent", async () => {
  const { writes, backlogMax, landed, wanted } = await play({ ...calm, bytesMax: 0, downs: outage });
  assert.deepEqual([writes, landed.length], [0, wanted.size]);
  assert.ok(backlogMax > 200 * 39);
});
