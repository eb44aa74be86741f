import assert from "node:assert/strict";
import fc from "fast-check";
import { createDelayWindow } from "../../src/ops/delay.ts";
import { virtualClock } from "../support/virtual_clock.ts";

Deno.test("an empty delay window says so", () => {
  assert.deepEqual(createDelayWindow(virtualClock()).status(), { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
});

Deno.test("quantiles are never too low and at most a tenth too high", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0.2, max: 100_000, noNaN: true }), { minLength: 1 }), (delays) => {
    const window = createDelayWindow(virtualClock());
    window.record(delays.map((delay) => ({ arrivedMs: -delay })));
    const sorted = [...delays].sort((a, b) => a - b);
    for (const [share, seen] of [[0.5, window.status().p50Ms], [0.99, window.status().p99Ms]] as const) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
      assert.ok(seen >= exact * 0.999_999 && seen <= exact * 1.100_001, `${share}: ${seen} for ${exact}`);
    }
    assert.equal(window.status().maxMs, Math.max(...delays));
  }));
});

Deno.test("delays are forgotten after ten seconds, and after any pause", () => {
  const clock = virtualClock();
  const window = createDelayWindow(clock);
  window.record([{ arrivedMs: -5 }]);
  clock.advanceSync(9000);
  assert.equal(window.status().count, 1);
  clock.advanceSync(1000);
  assert.equal(window.status().count, 0);
  window.record([{ arrivedMs: 9_993 }]);
  clock.advanceSync(3_600_000);
  assert.equal(window.status().count, 0);
});
