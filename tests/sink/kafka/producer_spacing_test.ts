import assert from "node:assert/strict";
import { ids, setUp } from "./producer_rig.ts";

Deno.test("requests to one leader begin at least spacingMs apart, and the first after a pause leaves at once", async () => {
  const { clock, cluster, send, ready, delivered } = setUp({ spacingMs: 5 });
  await ready();
  const started = clock.nowMs();
  for (let i = 0; i < 20; i++) {
    send(String(i));
    await clock.advance(1);
  }
  await clock.advance(100);
  send("last");
  await clock.advance(5);
  assert.deepEqual(cluster.requests.map(({ atMs }) => atMs - started), [0, 5, 10, 15, 20, 120]);
  assert.deepEqual(delivered, [...ids(0, 20), "last"]);
});

Deno.test("a full batch, and a flush, do not wait for spacingMs", async () => {
  const { clock, cluster, send, ready, producer, delivered } = setUp({ spacingMs: 500, batchBytesMax: 2000 });
  await ready();
  send("1");
  await clock.advance(3);
  for (let i = 0; i < 12; i++) send(`x${i}`, "k", "v".repeat(200));
  await clock.advance(3);
  assert.equal(cluster.requests.length, 2);
  send("last");
  const flushed = producer.flush();
  await clock.advance(10);
  await flushed;
  assert.ok(delivered.includes("last"));
  assert.ok(clock.nowMs() < 500);
});
