import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { virtualClock } from "../support/virtual_clock.ts";

Deno.test("sleep ends when its time is over and leaves no timer", async () => {
  const clock = virtualClock();
  let woke = false;
  const sleeping = sleep(clock, 100).then(() => (woke = true));
  await clock.advance(99);
  assert.equal(woke, false);
  await clock.advance(1);
  await sleeping;
  assert.equal(clock.timers, 0);
});

Deno.test("sleep ends at once when it is aborted, before or meanwhile", async () => {
  const clock = virtualClock();
  const abort = new AbortController();
  const sleeping = sleep(clock, 100, abort.signal);
  abort.abort();
  await sleeping;
  await sleep(clock, 100, abort.signal);
  assert.equal(clock.timers, 0);
});

Deno.test("the machine's clock is monotonic and a cancelled timer does not fire", async () => {
  const before = systemClock.nowMs();
  let fired = false;
  systemClock.after(0, () => (fired = true)).cancel();
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  assert.ok(systemClock.nowMs() >= before);
  assert.equal(fired, false);
});

Deno.test("a cancelled timer does not fire, even where the runtime calls back what was cleared", async () => {
  const { clearTimeout } = globalThis;
  let fired = false;
  globalThis.clearTimeout = () => {};
  try {
    systemClock.after(0, () => (fired = true)).cancel();
    await new Promise<void>((resolve) => systemClock.after(1, resolve));
  } finally {
    globalThis.clearTimeout = clearTimeout;
  }
  assert.equal(fired, false);
});
