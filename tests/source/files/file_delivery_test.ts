import assert from "node:assert/strict";
import fc from "fast-check";
import type { Verdict } from "../../../src/core/delivery.ts";
import { createFileDelivery } from "../../../src/source/files/file_delivery.ts";

const noPlace = () => ({ key: "", value: "" });
const none = { read: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0 };

Deno.test("a file's position moves only over the finished prefix, whatever the order of the verdicts", () => {
  const verdict = fc.constantFrom<Verdict>("delivered", "filtered", "dead_lettered", "dropped");
  const scenario = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), verdict), { minLength: 1, maxLength: 200 });
  fc.assert(fc.property(scenario, fc.integer({ min: 1, max: 40 }), (settles, ahead) => {
    const delivery = createFileDelivery("x", { ...none, read: 7, delivered: 7 }, () => {}, noPlace);
    const open: number[] = [];
    const settled: Verdict[] = [];
    let index = 0;
    for (const [choice, how] of settles) {
      while (open.length < ahead) {
        assert.equal(delivery.add(index + 1, (index + 1) * 10), index);
        delivery.taken(1);
        open.push(index++);
      }
      const [chosen = 0] = open.splice(choice % open.length, 1);
      delivery.settle(chosen, how);
      settled[chosen] = how;
      let prefix = 0;
      while (settled[prefix] !== undefined) prefix += 1;
      assert.deepEqual(delivery.finished(), prefix === 0 ? null : { row: prefix, end: prefix * 10 });
      const count = (kind: Verdict) => settled.slice(0, prefix).filter((one) => one === kind).length;
      assert.deepEqual(delivery.counts(), {
        read: 7 + prefix,
        delivered: 7 + count("delivered"),
        filtered: count("filtered"),
        deadLettered: count("dead_lettered"),
        dropped: count("dropped"),
      });
      assert.equal(delivery.openRows, open.length);
    }
    assert.throws(() => delivery.settle(settled.findIndex((one) => one !== undefined), "delivered"));
  }));
});

Deno.test("settling a row that was not handed over, or twice, is a defect", () => {
  const delivery = createFileDelivery("x", none, () => {}, noPlace);
  delivery.add(1, 10);
  assert.throws(() => delivery.settle(0, "delivered"), /were handed over/);
  delivery.taken(1);
  assert.throws(() => delivery.taken(1), /were read/);
  delivery.settle(0, "delivered");
  assert.throws(() => delivery.settle(0, "delivered"));
  assert.equal(delivery.counts().delivered, 1);
});
