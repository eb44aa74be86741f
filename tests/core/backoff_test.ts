import assert from "node:assert/strict";
import fc from "fast-check";
import { createBackoff } from "../../src/core/backoff.ts";
import { seededDice } from "../../src/core/dice.ts";

Deno.test("each delay lies between half of and the whole of first * 2^failures, never over the ceiling", () => {
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 5000 }), (seed, firstMs) => {
    const backoff = createBackoff({ firstMs, maxMs: 30_000 }, seededDice(seed));
    for (let failures = 0; failures < 50; failures++) {
      const ceiling = Math.min(30_000, firstMs * 2 ** failures);
      const delay = backoff.nextMs();
      assert.ok(delay >= ceiling / 2 && delay <= ceiling, `${delay} of ${ceiling}`);
    }
    backoff.reset();
    assert.ok(backoff.nextMs() <= firstMs);
  }));
});
