import assert from "node:assert/strict";
import fc from "fast-check";
import { leastInWindow, median, mostInWindow, quantile } from "./statistics.ts";

const times = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 40 });
const windowMs = fc.integer({ min: 1, max: 30 });
const count = (events: readonly number[], inside: (time: number) => boolean) => events.filter(inside).length;
/** Starts of windows at and between whole milliseconds. */
const starts = Array.from({ length: 241 }, (_, i) => i / 2 - 30);

Deno.test("quantiles are nearest ranks", () => {
  assert.equal(quantile([5, 1, 3, 2, 4], 0.99), 5);
  assert.equal(quantile([5, 1, 3, 2, 4], 0.2), 1);
  assert.equal(median([3, 1, 2]), 2);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("the most in a window is what counting every window gives", () => {
  fc.assert(fc.property(times, windowMs, (events, ms) => {
    const counted = Math.max(0, ...starts.map((from) => count(events, (time) => time >= from && time < from + ms)));
    assert.equal(mostInWindow(events, ms), counted);
  }));
});

Deno.test("the least in a window is what counting every window between the first and the last event gives", () => {
  fc.assert(fc.property(times, windowMs, (events, ms) => {
    const [first, last] = [Math.min(...events), Math.max(...events)];
    const within = starts.filter((from) => from >= first && from + ms <= last);
    const counted = within.map((from) => count(events, (time) => time > from && time <= from + ms));
    assert.deepEqual(leastInWindow(events, ms), counted.length === 0 ? NaN : Math.min(...counted));
  }));
});
