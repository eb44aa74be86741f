import assert from "node:assert/strict";
import fc from "fast-check";
import { planDumps } from "../../src/demo/dump_plan.ts";

const startedAtMs = Date.UTC(2026, 0, 1);

Deno.test("a demo of 30 s at 500 rows/s drops four dumps that fit into its time", () => {
  const plan = [...planDumps({ forMs: 30_000, capRows: 500, startedAtMs })];
  assert.deepEqual(plan.map(({ folder, spec }) => `${folder} ${spec.name}`), [
    "historian historian-2026010100-001.csv",
    "shopfloor shopfloor-2026010100-002.ndjson",
    "historian historian-2026010100-003.csv.gz",
    "shopfloor shopfloor-2026010100-004.json",
  ]);
  const rows = plan.reduce((sum, { spec }) => sum + spec.rows, 0);
  assert.ok(rows > 10_000 && rows < 0.8 * 30 * 500, `${rows} rows`);
});

Deno.test("the plan fits its time, in order, with a few bad rows a dump and no name twice", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1000, max: 600_000 }),
    fc.option(fc.integer({ min: 200, max: 20_000 })),
    (forMs, capRows) => {
      const plan = [...planDumps({ forMs, capRows, startedAtMs })];
      assert.ok(plan.length >= 4);
      assert.equal(new Set(plan.map(({ spec }) => spec.name)).size, plan.length);
      plan.reduce((lastMs, { atMs, spec }) => {
        assert.ok(atMs >= lastMs && atMs < forMs);
        assert.ok(spec.badRows >= 1 && spec.badRows <= 12);
        return atMs;
      }, 0);
      const rows = plan.reduce((sum, { spec }) => sum + spec.rows, 0);
      if (capRows !== null && forMs >= 5000) assert.ok(rows <= capRows * forMs / 1000, `${rows} rows`);
    },
  ));
});

Deno.test("a demo without an end goes on dropping", () => {
  let dumps = 0;
  for (const { atMs } of planDumps({ forMs: null, capRows: 500, startedAtMs })) {
    dumps += 1;
    if (atMs > 3_600_000) break;
  }
  assert.ok(dumps > 200);
});
