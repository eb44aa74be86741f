/**
 * The spool between a broker and a sink in all kinds of trouble: nothing is lost, order holds, the disk stays within its bounds.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Outcome, type Plan, play } from "./world.ts";

const spans = (maxMs: number) =>
  fc.array(
    fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 100, max: maxMs })).map(([fromMs, ms]) => ({
      fromMs,
      toMs: fromMs + ms,
    })),
    { maxLength: 3 },
  );

const rules = ["block", "drop_oldest", "drop_newest"] as const;

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  topics: fc.integer({ min: 1, max: 12 }),
  partitions: fc.integer({ min: 1, max: 4 }),
  perSecond: fc.integer({ min: 20, max: 300 }),
  publishMs: fc.constant(20_000),
  receiveMax: fc.constantFrom(4, 20, 200),
  bytesMax: fc.constantFrom(1e9),
  whenFull: fc.constant("block" as const),
  inFlightRows: fc.constantFrom(3, 30, 300),
  sinkPerSecond: fc.constantFrom(150, 1_000, 20_000),
  givesBack: fc.boolean(),
  downs: spans(15_000).chain((all) =>
    fc.tuple(...all.map((span) => fc.integer({ min: -1, max: 3 }).map((partition) => ({ ...span, partition }))))
  ),
  crashesMs: fc.array(fc.integer({ min: 100, max: 25_000 }), { maxLength: 3 }).map((all) => all.sort((a, b) => a - b)),
  diskFails: spans(4_000),
  commitMs: fc.constantFrom(1, 20, 200),
});

Deno.test("through overflow, outages, dead partitions, failing disks and crashes nothing is lost and order holds", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const outcome = await play(plan, 400_000);
      nothingIsLost(plan, outcome);
      orderHolds(outcome);
      sumsAddUp(outcome);
    }),
    { numRuns: 40 },
  );
});

const full: fc.Arbitrary<Plan> = plans.chain((plan) =>
  fc.record({ bytesMax: fc.integer({ min: 8_000, max: 40_000 }), whenFull: fc.constantFrom(...rules) })
    .map((other) => ({ ...plan, ...other, crashesMs: [], diskFails: [] }))
);

Deno.test("whatever the rule, a full spool stays within its bytes; block loses nothing, a drop is counted, order holds", async () => {
  await fc.assert(
    fc.asyncProperty(full, async (plan) => {
      const outcome = await play(plan, 400_000);
      assert.ok(outcome.bytesSeenMax <= plan.bytesMax, `${outcome.bytesSeenMax} of ${plan.bytesMax} bytes`);
      orderHolds(outcome);
      sumsAddUp(outcome);
      const lost = outcome.wanted.size - new Set(outcome.landed.map(({ topic, n }) => `${topic} ${n}`)).size;
      assert.equal(lost, outcome.dropped);
      if (plan.whenFull === "block") nothingIsLost(plan, outcome);
    }),
    { numRuns: 20 },
  );
});

function nothingIsLost({ crashesMs }: Plan, { landed, wanted, left, unacknowledged }: Outcome): void {
  assert.deepEqual({ left: left.readings, unacknowledged }, { left: 0, unacknowledged: 0 });
  const keys = new Set(landed.map(({ topic, n }) => `${topic} ${n}`));
  assert.deepEqual([...wanted.difference(keys)], []);
  assert.deepEqual([...keys.difference(wanted)], []);
  if (crashesMs.length === 0) assert.equal(landed.length, keys.size, "without a crash nothing comes twice");
}

/** Of what arrives for the first time, each topic's readings come in the order in which they were published. */
function orderHolds({ landed }: Outcome): void {
  const seen = new Map<string, Set<number>>();
  for (const { topic, n, life } of landed) {
    const before = seen.get(topic) ?? new Set();
    if (!before.has(n)) {
      const ahead = [...before].filter((other) => other > n);
      assert.equal(ahead.length, 0, `${topic} ${n} arrives in life ${life} after ${ahead.join(", ")}`);
    }
    before.add(n);
    seen.set(topic, before);
  }
}

function sumsAddUp({ tally }: Outcome): void {
  assert.equal(tally.sums("real_time").open, 0);
  assert.ok(Object.values(tally.sums("real_time")).every((count) => count >= 0));
}
