import assert from "node:assert/strict";
import fc from "fast-check";
import type { Item } from "../../../src/core/reading.ts";
import { createFileDelivery, type FileDelivery } from "../../../src/source/files/file_delivery.ts";
import { createRowBuffer } from "../../../src/source/files/row_buffer.ts";

const noPlace = () => ({ key: "", value: "" });
const none = { read: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0 };

Deno.test("the flow gives out in order, at least one, never more than asked in rows or bytes, and counts exactly", () => {
  const op = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), file: fc.boolean(), bytes: fc.integer({ min: 1, max: 50 }) }),
    fc.record({
      kind: fc.constant("take" as const),
      rows: fc.integer({ min: 1, max: 9 }),
      bytes: fc.integer({ min: 1, max: 120 }),
    }),
  );
  fc.assert(fc.property(fc.array(op, { maxLength: 200 }), (ops) => {
    const flow = createRowBuffer({
      name: "x",
      weight: 1,
      capRows: null,
      rowsMax: 1000,
      bytesMax: 1e6,
      taken: () => {},
    });
    let delivery: FileDelivery = createFileDelivery("0", none, () => {}, noPlace);
    const model: Item[] = [];
    for (const one of ops) {
      if (one.kind === "push") {
        if (one.file) delivery = createFileDelivery("next", none, () => {}, noPlace);
        const index = delivery.add(1, 1);
        const item: Item = { kind: "filtered", delivery, index, bytes: one.bytes };
        flow.push(delivery, item);
        model.push(item);
      } else {
        const taken = flow.take(one.rows, one.bytes);
        assert.deepEqual(taken, model.splice(0, taken.length));
        const bytes = taken.reduce((sum, item) => sum + item.bytes, 0);
        assert.ok(taken.length <= one.rows && (bytes <= one.bytes || taken.length === 1));
        const next = model[0];
        const more = next !== undefined && taken.length < one.rows && bytes + next.bytes <= one.bytes;
        assert.ok(!more, "it gives as much as is asked");
        assert.ok(taken.length > 0 || next === undefined, "at least one");
      }
      assert.equal(flow.ready(), model.length);
      assert.equal(flow.room(), 1000 - model.length);
    }
    assert.equal(flow.forget(), model.length);
    assert.equal(flow.ready(), 0);
    assert.equal(flow.room(), 1000);
  }));
});
