import assert from "node:assert/strict";
import { createTimeLimits } from "../../../src/sink/kafka/time_limits.ts";
import { virtualClock } from "../../support/virtual_clock.ts";

function setUp() {
  const clock = virtualClock();
  const over: string[] = [];
  let timersSet = 0;
  const limits = createTimeLimits({
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    after(delayMs, callback) {
      timersSet += 1;
      return clock.after(delayMs, callback);
    },
  }, (limitMs) => over.push(`${limitMs} at ${clock.nowMs()}`));
  return { clock, over, limits, timersSet: () => timersSet };
}

Deno.test("each thing that is not ended is told when its own time is up, once", () => {
  const { clock, over, limits } = setUp();
  limits.begin(300);
  clock.advanceSync(50);
  limits.begin(100);
  const end = limits.begin(120);
  clock.advanceSync(60);
  end();
  limits.begin(500);
  clock.advanceSync(10_000);
  assert.deepEqual(over, ["100 at 150", "300 at 300", "500 at 610"]);
  assert.equal(clock.timers, 0);
});

Deno.test("a thousand requests in a row that are answered in time set no timer each", () => {
  const { clock, over, limits, timersSet } = setUp();
  for (let i = 0; i < 1000; i++) {
    const end = limits.begin(30_000);
    clock.advanceSync(10);
    end();
  }
  assert.equal(timersSet(), 1);
  // The one that is set looks, finds nothing, and sets no other.
  clock.advanceSync(60_000);
  assert.deepEqual(over, []);
  assert.equal(timersSet(), 1);
});

Deno.test("what begins with less time than what is there does not wait for it", () => {
  const { clock, over, limits } = setUp();
  limits.begin(30_000);
  limits.begin(10);
  clock.advanceSync(10);
  assert.deepEqual(over, ["10 at 10"]);
  clock.advanceSync(29_990);
  assert.deepEqual(over, ["10 at 10", "30000 at 30000"]);
});

Deno.test("when all is ended nothing is told any more, and no timer stays", () => {
  const { clock, over, limits } = setUp();
  limits.begin(100);
  limits.begin(200);
  limits.endAll();
  assert.equal(clock.timers, 0);
  clock.advanceSync(1000);
  assert.deepEqual(over, []);
});

Deno.test("all may be ended from inside the telling: what was due at the same moment is not told then", () => {
  const clock = virtualClock();
  const over: number[] = [];
  const limits = createTimeLimits(clock, (limitMs) => {
    over.push(limitMs);
    limits.endAll();
  });
  limits.begin(100);
  limits.begin(100);
  limits.begin(200);
  clock.advanceSync(100);
  assert.deepEqual(over, [100]);
  assert.equal(clock.timers, 0);
});
