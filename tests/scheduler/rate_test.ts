/**
 * The rate by itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createRate, rateLimitMax } from "../../src/scheduler/rate.ts";

const second = 1_000_000;

Deno.test("a new rate has nothing to spend", () => {
  const rate = createRate({ perSecond: 10, depth: 20 }, 5);
  assert.equal(rate.conforms(1, 5), false);
  assert.equal(rate.room(5), 0);
  // One row after a tenth of a second, and the microsecond that the clock is not trusted with.
  assert.equal(rate.readyAtUs(1), 5 + second / 10 + 1);
});

Deno.test("an amount conforms at the very microsecond that readyAtUs names and not before", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.integer({ min: 2, max: 5_000 }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 3 * second }), fc.integer({ min: 0, max: 5_000 })), { maxLength: 20 }),
    (perSecond, quantum, steps) => {
      const rate = createRate({ perSecond, depth: quantum + Math.ceil(perSecond / 100) }, 0);
      let nowUs = 0;
      for (const [pauseUs, rows] of steps) {
        nowUs += pauseUs;
        rate.charge(rows, nowUs);
      }
      const readyUs = Math.max(nowUs, rate.readyAtUs(quantum));
      if (readyUs > nowUs) assert.equal(rate.conforms(quantum, readyUs - 1), false);
      assert.equal(rate.conforms(quantum, readyUs), true);
    },
  ));
});

Deno.test("nothing adds up: after a day of single rows the rate is exact to the row", () => {
  for (const perSecond of [1, 3, 7, 999]) {
    const rate = createRate({ perSecond, depth: 12 + Math.ceil(perSecond / 100) }, 0);
    let rows = 0;
    let nowUs = 0;
    while (rows < 50_000) {
      nowUs = rate.readyAtUs(1);
      rate.charge(1, nowUs);
      rows += 1;
    }
    assert.ok(Math.abs(nowUs - rows * second / perSecond) <= 2, `${rows} rows at ${perSecond}/s took ${nowUs} us`);
  }
});

Deno.test("a year of rest gives a depth and no more", () => {
  const rate = createRate({ perSecond: 1_000_000, depth: 10_500 }, 0);
  const yearUs = 365 * 86_400 * second;
  assert.equal(rate.room(yearUs), 10_499);
  rate.charge(10_499, yearUs);
  assert.equal(rate.conforms(1, yearUs), false);
});

Deno.test("a change of the rate leaves the debt alone, in rows", () => {
  const rate = createRate({ perSecond: 100, depth: 50 }, 0);
  rate.change({ perSecond: 1, depth: 50 }, 10 * second);
  rate.charge(49, 10 * second);
  assert.equal(rate.room(10 * second), 0);
  rate.change({ perSecond: 1000, depth: 50 }, 10 * second);
  assert.equal(rate.room(10 * second), 0);
  assert.equal(rate.room(10 * second + 9_500), 10);
});

Deno.test("more than conforms goes into debt, and later rows wait for it", () => {
  const rate = createRate({ perSecond: 100, depth: 10 }, 0);
  rate.charge(1_000, second);
  assert.equal(rate.restedAtUs(), 11 * second);
  assert.equal(rate.conforms(1, 10 * second), false);
  assert.equal(rate.conforms(9, 11 * second), true);
});

Deno.test("a clock that goes back gives nothing and takes nothing", () => {
  const rate = createRate({ perSecond: 100, depth: 10 }, second);
  assert.equal(rate.room(0), 0);
  assert.equal(rate.room(2 * second), 9);
  assert.equal(rate.room(second), 9);
});

Deno.test("limits that are not whole numbers in range are refused", () => {
  for (const perSecond of [0, -1, 0.5, NaN, Infinity, rateLimitMax + 1]) {
    assert.throws(() => createRate({ perSecond, depth: 1 }, 0), /whole number/);
  }
  const rate = createRate({ perSecond: 1, depth: 2 }, 0);
  assert.throws(() => rate.change({ perSecond: 1, depth: 0 }, 0), /depth.*is 0/);
});
