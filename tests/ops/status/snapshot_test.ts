import assert from "node:assert/strict";
import { createHistory } from "../../../src/ops/status/snapshot.ts";
import { fakeStatus } from "./fake_gateway.ts";

Deno.test("rates are means over two seconds, of each origin and of what arrived", () => {
  const history = createHistory();
  assert.deepEqual(history.rates(), { real_time: 0, batch: 0, delivered: 0 });
  for (const upMs of [0, 1003, 1999, 3010, 4000]) history.add(fakeStatus(upMs));
  const { real_time, batch, delivered } = history.rates();
  assert.ok(Math.abs(real_time - 300) < 1, String(real_time));
  assert.ok(Math.abs(batch - 500) < 1, String(batch));
  assert.ok(Math.abs(delivered - 800) < 2, String(delivered));
});

Deno.test("the history keeps five minutes and says where nothing was measured", () => {
  const history = createHistory();
  for (let second = 0; second < 400; second++) history.add(fakeStatus(second * 1000));
  assert.equal(history.points().length, 300);
  assert.deepEqual(history.points().at(-1), [399_000, 300, 500, 2.5, 41]);
  history.add(fakeStatus(400_000, { streamDelay: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 } }));
  assert.deepEqual(history.points().at(-1)?.slice(3), [null, null]);
});
