/**
 * The spool between a broker and a sink in all kinds of trouble: nothing is lost, order holds, the disk stays within its bounds.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { orderHolds } from "./promises.ts";
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

/** A disk that fills up, or fails, in the middle of a topic that stands still: plans under which its order broke once. */
const troubled: readonly (Partial<Plan> & Pick<Plan, "seed">)[] = [
  {
    seed: 12,
    bytesMax: 8012,
    whenFull: "drop_newest",
    downs: [
      { fromMs: 7404, toMs: 17_834, partition: 1 },
      { fromMs: 15_816, toMs: 21_043, partition: 2 },
      { fromMs: 2825, toMs: 4237, partition: 1 },
    ],
    commitMs: 200,
  },
  {
    seed: 20,
    perSecond: 299,
    bytesMax: 22_362,
    inFlightRows: 30,
    sinkPerSecond: 150,
    downs: [{ fromMs: 19_141, toMs: 26_448, partition: -1 }, { fromMs: 14_323, toMs: 23_648, partition: -1 }],
  },
  {
    seed: 1_919_219_404,
    topics: 12,
    partitions: 3,
    perSecond: 228,
    downs: [{ fromMs: 6399, toMs: 20_348, partition: 0 }],
    crashesMs: [2801],
    diskFails: [{ fromMs: 7113, toMs: 9197 }, { fromMs: 14_132, toMs: 14_582 }, { fromMs: 12_380, toMs: 16_100 }],
  },
];

const usual: Omit<Plan, "seed"> = {
  ...{ topics: 8, partitions: 2, perSecond: 231, publishMs: 20_000, receiveMax: 200, bytesMax: 1e9, whenFull: "block" },
  ...{ inFlightRows: 3, sinkPerSecond: 1000, givesBack: true, downs: [], crashesMs: [], diskFails: [], commitMs: 20 },
};

for (const plan of troubled) {
  Deno.test(`a disk that takes no more in the middle of a topic keeps its order, plan ${plan.seed}`, async () => {
    orderHolds(await play({ ...usual, ...plan }, 400_000));
  });
}

function nothingIsLost({ crashesMs }: Plan, { landed, wanted, left, unacknowledged }: Outcome): void {
  assert.deepEqual({ left: left.readings, unacknowledged }, { left: 0, unacknowledged: 0 });
  const keys = new Set(landed.map(({ topic, n }) => `${topic} ${n}`));
  assert.deepEqual([...wanted.difference(keys)], []);
  assert.deepEqual([...keys.difference(wanted)], []);
  if (crashesMs.length === 0) assert.equal(landed.length, keys.size, "without a crash nothing comes twice");
}

function sumsAddUp({ tally }: Outcome): void {
  assert.equal(tally.sums("real_time").open, 0);
  assert.ok(Object.values(tally.sums("real_time")).every((count) => count >= 0));
}
