/**
 * What is promised of the spool, as checks of an outcome.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Outcome } from "./world.ts";

/** Of what arrives for the first time, each topic's readings come in the order in which they were published. */
export function orderHolds({ landed }: Outcome): void {
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
