import assert from "node:assert/strict";
import fc from "fast-check";
import type { Item } from "../../src/core/reading.ts";
import { createPassing } from "../../src/spool/passing.ts";
import { refusedAs, told } from "./rig.ts";

const ids = (taken: readonly { readonly item: Item; readonly sentMs: number }[]) =>
  taken.map(({ item, sentMs }) => item.kind === "reading" ? `${item.id} ${sentMs}` : item.kind);

Deno.test("what passes by is what went and has no verdict, in order, with the time of its run; whatever the order of verdicts", () => {
  const acts = fc.array(
    fc.oneof(
      fc.record({ send: fc.integer({ min: 1, max: 700 }) }),
      fc.record({ settle: fc.array(fc.nat(), { maxLength: 40 }) }),
      fc.constant("all but the first settle" as const),
      fc.constant("takeOut" as const),
    ),
  );
  fc.assert(fc.property(acts, (plan) => {
    const passing = createPassing();
    let open: { readonly item: ReturnType<typeof told>; readonly sentMs: number }[] = [];
    const settle = (index: number) => {
      const [one] = open.splice(index, 1);
      one?.item.delivery.settle(0, "delivered");
    };
    for (const [nowMs, act] of plan.entries()) {
      if (act === "takeOut") {
        assert.deepEqual(ids(passing.takeOut()), ids(open));
        open = [];
      } else if (act === "all but the first settle") {
        while (open.length > 1) settle(1);
      } else if ("send" in act) {
        const run = Array.from({ length: act.send }, (_, i) => told(`a${nowMs}-${i}`));
        passing.add([refusedAs(told("a0")), ...run], nowMs);
        open.push(...run.map((item) => ({ item, sentMs: nowMs })));
      } else {
        for (const one of act.settle) if (open.length > 0) settle(one % open.length);
      }
      passing.trim();
      assert.equal(passing.isEmpty, open.length === 0);
      assert.equal(passing.oldestSentMs, open[0]?.sentMs ?? Infinity);
      const last = open.at(-1);
      if (last !== undefined) assert.equal(passing.sentMsOf(last.item), last.sentMs);
    }
    assert.deepEqual(ids(passing.takeOut()), ids(open));
  }));
});

Deno.test("behind a reading that waits, those with a verdict are let go: what is remembered is bounded by what is under way", () => {
  const passing = createPassing();
  const waits = told("a0");
  passing.add([waits], 0);
  let asked = 0;
  for (let i = 1; i <= 20_000; i++) {
    const reading = told(`b${i}`);
    const { isSettled } = reading.delivery;
    const delivery = { ...reading.delivery, isSettled: (index: number) => (asked += 1, isSettled?.(index) ?? false) };
    passing.add([{ ...reading, delivery }], i);
    delivery.settle(0, "delivered");
    passing.trim();
  }
  assert.ok(asked <= 20_000, `${asked} questions for 20,000 readings`);
  asked = 0;
  assert.deepEqual(passing.takeOut(), [{ item: waits, sentMs: 0 }]);
  assert.ok(asked <= 1_024, `${asked} of 20,000 are still there`);
});
