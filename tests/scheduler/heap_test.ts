/**
 * The heap against a list that is sorted anew for each question.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createHeap } from "../../src/scheduler/heap.ts";

interface Numbered {
  readonly id: number;
  order: number;
}

const isBefore = (a: Numbered, b: Numbered) => a.order < b.order || (a.order === b.order && a.id < b.id);
const order = fc.integer({ min: 0, max: 20 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), order }),
  fc.record({ kind: fc.constant("change" as const), order }),
  fc.record({ kind: fc.constant("remove" as const), order }),
);

Deno.test("the first of the heap is the first of all, whatever was added, changed and taken away", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const heap = createHeap<Numbered>(isBefore);
    const list: Numbered[] = [];
    for (const [id, { kind, order }] of steps.entries()) {
      const first = heap.first();
      if (kind === "add") {
        const item = { id, order };
        list.push(item);
        heap.add(item);
      } else if (kind === "change" && first !== null) {
        first.order = order;
        heap.firstChanged();
      } else if (kind === "remove" && first !== null) {
        list.splice(list.indexOf(first), 1);
        heap.removeFirst();
      }
      const sorted = list.toSorted((a, b) => isBefore(a, b) ? -1 : 1);
      assert.equal(heap.first(), sorted[0] ?? null);
    }
  }));
});

Deno.test("an empty heap has no first, and nothing happens to it", () => {
  const heap = createHeap<Numbered>(isBefore);
  heap.removeFirst();
  heap.firstChanged();
  assert.equal(heap.first(), null);
});
