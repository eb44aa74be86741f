/**
 * A turn by itself: how much leaves, of whom, in which order.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Flow } from "../../src/core/flow.ts";
import { takeTurn } from "../../src/scheduler/turn.ts";

interface Item {
  readonly flow: string;
  readonly number: number;
  readonly bytes: number;
}

function flowOf(name: string, sizes: readonly number[]): Flow<Item> {
  const items = sizes.map((bytes, number) => ({ flow: name, number, bytes }));
  return {
    name,
    lane: "stream",
    weight: 1,
    capRows: null,
    ready: () => items.length,
    take(maxRows, maxBytes) {
      let bytes = 0;
      const fits = (item: Item, i: number) => i < maxRows && (bytes += item.bytes, bytes <= maxBytes || i === 0);
      const end = items.findIndex((item, i) => !fits(item, i));
      return items.splice(0, end < 0 ? items.length : end);
    },
  };
}

Deno.test("a turn is full of rows or of bytes, or nobody is left, and each flow's items leave in order", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 8 }), fc.nat(40), fc.nat(600), (all, rows, bytes) => {
      const flows = all.map((sizes, i) => flowOf(`flow-${i}`, sizes));
      const served = new Map<string, number>();
      const turn = takeTurn(
        { rows, bytes },
        () => flows.find((flow) => flow.ready() > 0) ?? null,
        ({ name }, rows) => served.set(name, (served.get(name) ?? 0) + rows),
      );
      assert.equal(turn.bytes, turn.items.reduce((sum, item) => sum + item.bytes, 0));
      assert.ok(turn.items.length <= rows);
      assert.ok(turn.bytes - (turn.items.at(-1)?.bytes ?? 0) <= bytes, "the last item alone may pass the limit");
      const isFull = turn.items.length === rows || turn.bytes >= bytes;
      assert.ok(isFull || flows.every((flow) => flow.ready() === 0));
      const next = new Map<string, number>();
      for (const { flow, number } of turn.items) {
        assert.equal(number, next.get(flow) ?? 0);
        next.set(flow, number + 1);
      }
      assert.deepEqual(next, served);
    }),
  );
});
