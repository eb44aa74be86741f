import assert from "node:assert/strict";
import { createTally } from "../../src/core/tally.ts";

Deno.test("what was read and has no verdict yet is open, for each origin apart", () => {
  const tally = createTally();
  tally.read("batch", 10);
  tally.read("real_time", 3);
  tally.settled("batch", "delivered", 6);
  tally.settled("batch", "dead_lettered", 1);
  tally.settled("real_time", "dropped", 1);
  assert.deepEqual(tally.sums("batch"), {
    read: 10,
    delivered: 6,
    filtered: 0,
    dead_lettered: 1,
    dropped: 0,
    open: 3,
  });
  assert.equal(tally.sums("real_time").open, 2);
});
