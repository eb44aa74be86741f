import assert from "node:assert/strict";
import { rig, told } from "./rig.ts";

Deno.test("a topic that goes on by the verdict of what was held wakes the scheduler: no credit comes back with it", async () => {
  // Room for one of them.
  const t = await rig({ bytesMax: 100 });
  const [live] = t.spool.flows;
  assert.ok(live !== undefined);

  const first = told("a1");
  t.arrive(first);
  t.dispatch();
  await t.clock.advance(3000);
  t.spool.answered();
  await t.clock.advance(3000);
  assert.equal(t.spool.status().stillTopics, 1, "it has no verdict for 5 s: held, on disk, and its topic stands still");
  t.arrive(told("a2"), told("a3"));
  await t.clock.advance(1000);
  assert.deepEqual([live.ready(), t.spool.status().stuck], [0, "full"]);

  let wokenWithWork = 0;
  t.wake = () => wokenWithWork += live.ready();
  assert.deepEqual(t.spool.settle([first], "delivered"), { rows: 0, bytes: 0 }, "its credit is back already");
  await t.clock.advance(1000);
  assert.equal(live.ready(), 2);
  assert.ok(wokenWithWork > 0, "the scheduler was told");
  await t.spool.close();
});
