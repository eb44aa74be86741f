/**
 * The cap by itself: what arrives, and what that costs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createCap } from "../../src/scheduler/cap.ts";

const second = 1_000_000;
const limits = { perSecond: 1000, depth: 20 };

/** A cap at which ten rows arrived each 10 ms for a second. */
function steady() {
  const cap = createCap(limits, 0);
  for (let nowUs = 0; nowUs <= second; nowUs += 10_000) {
    cap.arrived(10, nowUs);
    cap.charge(10, nowUs);
  }
  return cap;
}

Deno.test("what arrives at the rate costs nothing", () => {
  const before = createCap(limits, 0);
  for (let nowUs = 0; nowUs <= second; nowUs += 10_000) before.charge(10, nowUs);
  assert.equal(steady().readyAtUs(10), before.readyAtUs(10));
});

Deno.test("after a standstill what comes at once is taken off: nothing leaves until it is within the depth", () => {
  const cap = steady();
  const resumedUs = 6 * second;
  cap.arrived(100, resumedUs);
  cap.arrived(60, resumedUs + 5_000);
  // 160 rows less the depth of 20, and the microsecond.
  assert.equal(cap.readyAtUs(0), resumedUs + 140_001);
  assert.equal(cap.room(resumedUs + 140_001), 0);
  assert.equal(cap.readyAtUs(10), resumedUs + 150_001);
});

Deno.test("what was in flight when the cap was lowered holds files back for a second at most", () => {
  const cap = steady();
  cap.change({ perSecond: 10, depth: 2 }, second);
  cap.arrived(500, 6 * second);
  assert.ok(cap.readyAtUs(0) <= 7 * second + 1, `${cap.readyAtUs(0)}`);
  assert.ok(cap.readyAtUs(0) > 6.8 * second, `${cap.readyAtUs(0)}`);
});

Deno.test("a request that took long costs 20 ms at most, and others soon after it next to nothing", () => {
  const cap = steady();
  assert.equal(cap.room(second + 100_000), 19);
  cap.arrived(100, second + 100_000);
  assert.equal(cap.room(second + 100_000), 0);
  assert.equal(cap.room(second + 120_000), 19);
  cap.arrived(100, second + 200_000);
  assert.equal(cap.room(second + 200_000), 19);
});
