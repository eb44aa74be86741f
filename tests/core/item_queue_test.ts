import assert from "node:assert/strict";
import fc from "fast-check";
import { itemQueue } from "../../src/core/item_queue.ts";
import type { Item } from "../../src/core/reading.ts";

const item = (index: number, bytes: number): Item => ({
  kind: "filtered",
  delivery: { origin: "real_time", source: "t", settle: () => {} },
  index,
  bytes,
});

Deno.test("items leave in the order in which they came, within rows and bytes, and one always fits", () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ rows: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ keepOdd: fc.constant(true) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const queue = itemQueue();
    let model: Item[] = [];
    for (const [index, one] of steps.entries()) {
      if ("push" in one) {
        const pushed = item(index, one.push);
        queue.push(pushed);
        model.push(pushed);
      } else if ("keepOdd" in one) {
        queue.keep(({ index }) => index % 2 === 1);
        model = model.filter(({ index }) => index % 2 === 1);
      } else {
        const taken = queue.take(one.rows, one.bytes);
        assert.deepEqual(taken, model.splice(0, taken.length));
        assert.ok(taken.length <= one.rows);
        assert.ok(taken.length <= 1 || taken.reduce((sum, { bytes }) => sum + bytes, 0) <= one.bytes);
        if (model.length + taken.length > 0) assert.ok(taken.length > 0);
      }
      assert.equal(queue.length, model.length);
    }
  }));
});
