import assert from "node:assert/strict";
import fc from "fast-check";
import type { Item } from "../../../src/core/reading.ts";
import { createInbox } from "../../../src/source/mqtt/inbox.ts";

const delivery = { origin: "real_time", source: "t", settle: () => {} } as const;

function item(index: number, bytes: number): Item {
  return { kind: "filtered", delivery, index, bytes };
}

Deno.test("A flow gives its items in order, within rows and bytes, and at least one when it may", () => {
  const act = fc.oneof(
    fc.record({ put: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ rows: fc.integer({ min: 0, max: 5 }), bytes: fc.integer({ min: 0, max: 100 }) }),
  );
  fc.assert(fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
    const inbox = createInbox([{ name: "a", weight: 1 }], () => {});
    const [flow] = inbox.flows;
    assert.ok(flow !== undefined);
    const model: Item[] = [];
    let number = 0;
    for (const next of acts) {
      if ("put" in next) {
        const put = item(number++, next.put);
        model.push(put);
        inbox.put(0, put);
      } else {
        const taken = flow.take(next.rows, next.bytes);
        assert.deepEqual(taken, model.splice(0, taken.length));
        assert.ok(taken.length <= next.rows);
        const sum = taken.reduce((bytes, one) => bytes + one.bytes, 0);
        assert.ok(sum <= next.bytes || taken.length === 1);
        const following = model[0];
        if (taken.length < next.rows && following !== undefined) {
          assert.ok(taken.length > 0 && sum + following.bytes > next.bytes, "it gave less than it could");
        }
      }
      assert.equal(flow.ready(), model.length);
      assert.equal(inbox.waiting(), model.length);
    }
  }));
});

Deno.test("Many items put in one go wake once, and later ones wake again", async () => {
  let wakes = 0;
  const inbox = createInbox([{ name: "a", weight: 1 }, { name: "b", weight: 2 }], () => wakes += 1);
  for (let index = 0; index < 10; index++) inbox.put(index % 2, item(index, 1));
  assert.equal(wakes, 0);
  await Promise.resolve();
  assert.equal(wakes, 1);
  inbox.put(1, item(10, 1));
  await Promise.resolve();
  assert.equal(wakes, 2);
  assert.deepEqual(inbox.flows.map((flow) => [flow.name, flow.weight, flow.lane, flow.capRows, flow.ready()]), [
    ["a", 1, "stream", null, 5],
    ["b", 2, "stream", null, 6],
  ]);
});
