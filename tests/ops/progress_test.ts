import assert from "node:assert/strict";
import type { AppStatus } from "../../src/core/status.ts";
import { createProgressWatch, stuckMs } from "../../src/ops/progress.ts";
import { fakeStatus } from "../cli/fake_context.ts";
import { virtualClock } from "../support/virtual_clock.ts";

/** Whether it is taken to move when `status` stays the same for longer than allowed. */
async function movesAfterLongSilence(status: AppStatus): Promise<boolean> {
  const clock = virtualClock();
  const watch = createProgressWatch(clock);
  for (let i = 0; i < 8; i++) {
    watch.moves(status);
    await clock.advance(stuckMs / 4);
  }
  return watch.moves(status);
}

Deno.test("readings on their way that nothing holds up and that do not move are a standstill", async () => {
  assert.equal(await movesAfterLongSilence(fakeStatus(3)), false);
});

Deno.test("a reading that waits in the inbox while all credits are free is a standstill", async () => {
  const status = fakeStatus(0);
  const sources = status.sources.map((one) => one.kind === "mqtt" ? { ...one, inboxReadings: 1 } : one);
  assert.equal(await movesAfterLongSilence({ ...status, sources }), false);
});

Deno.test("an idle gateway, and one that waits for its sink, is well for any time", async () => {
  assert.equal(await movesAfterLongSilence(fakeStatus(0)), true);
  const open = fakeStatus(3);
  assert.equal(await movesAfterLongSilence({ ...open, sink: { ...open.sink, trouble: "Kafka is away" } }), true);
  assert.equal(await movesAfterLongSilence({ ...open, sink: { ...open.sink, connected: false } }), true);
});

Deno.test("one verdict, one retry or one throttled moment within the time is progress", async () => {
  const clock = virtualClock();
  const watch = createProgressWatch(clock);
  const base = fakeStatus(3);
  const { real_time } = base.sums;
  const steps: readonly AppStatus[] = [
    base,
    { ...base, sums: { ...base.sums, real_time: { ...real_time, delivered: real_time.delivered + 1 } } },
    { ...base, sink: { ...base.sink, retries: 1 } },
    { ...base, sink: { ...base.sink, retries: 1, throttledMs: 5 } },
  ];
  for (const step of steps) {
    assert.equal(watch.moves(step), true);
    await clock.advance(stuckMs - 1);
  }
  assert.equal(watch.moves(base), true);
});

Deno.test("dead letters that cannot be stored are waited for, until they can", async () => {
  const clock = virtualClock();
  const watch = createProgressWatch(clock);
  const event = (name: string) => watch.take({ level: "error", name, message: "", data: { lane: "files" } });
  event("letters.stuck");
  watch.moves(fakeStatus(3));
  await clock.advance(2 * stuckMs);
  assert.equal(watch.moves(fakeStatus(3)), true);
  event("letters.recovered");
  await clock.advance(2 * stuckMs);
  assert.equal(watch.moves(fakeStatus(3)), false);
});
