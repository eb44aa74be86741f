import assert from "node:assert/strict";
import { readBatch } from "./batch_reader.ts";
import { ids, once, setUp } from "./producer_rig.ts";

Deno.test("a record that is too large is rejected alone, whether Kafka tells its limit or not", async () => {
  for (const tellsBytesMax of [true, false]) {
    const { clock, cluster, producer, send, ready, log, rejected, delivered } = setUp();
    cluster.bytesMax = 2000;
    cluster.tellsBytesMax = tellsBytesMax;
    await ready();
    for (const id of ids(0, 30)) send(id, "k", id === "13" ? "x".repeat(3000) : "small");
    await clock.advance(5000);
    const rest = ids(0, 30).filter((id) => id !== "13");
    assert.deepEqual(log(), rest);
    assert.deepEqual(delivered, rest);
    assert.deepEqual(rejected.map(({ id, reason }) => [id, reason]), [["13", "too_large"]]);
    assert.match(rejected[0]?.detail ?? "", /3\.0 KiB .* topic "t" takes/);
    if (tellsBytesMax) {
      for (const { batches } of cluster.requests) {
        assert.ok((batches[0]?.bytes.length ?? 0) <= 2000, "sent for nothing");
      }
    }
    assert.equal(producer.status().maybeDoubled, 0);
  }
});

Deno.test("a record over the limit of the gateway itself is rejected at once", async () => {
  const { clock, send, ready, rejected, delivered } = setUp({ recordBytesMax: 1000 });
  await ready();
  send("0", "k", "x".repeat(1001));
  send("1");
  assert.deepEqual(rejected.map(({ id, reason }) => [id, reason]), [["0", "too_large"]]);
  await clock.advance(100);
  assert.deepEqual(delivered, ["1"]);
});

Deno.test("a record that Kafka calls invalid is rejected alone, and the rest goes on in order", async () => {
  const { clock, cluster, send, ready, log, rejected } = setUp();
  await ready();
  cluster.poison = "poison";
  for (const id of ids(0, 30)) send(id, "k", ["3", "4", "29"].includes(id) ? "poison" : "good");
  await clock.advance(5000);
  assert.deepEqual(log(), ids(0, 30).filter((id) => !["3", "4", "29"].includes(id)));
  assert.deepEqual(rejected.map(({ id, reason }) => [id, reason]), [["3", "rejected"], ["4", "rejected"], [
    "29",
    "rejected",
  ]]);
});

Deno.test("a refusal of a batch that may be in the log takes a new producer id: its sequence is never used again", async () => {
  const { clock, cluster, producer, send, ready, sequences } = setUp();
  await ready();
  cluster.course = once({ kind: "answer_lost" }, { kind: "code", code: 10, written: false });
  ids(0, 2).forEach((id) => send(id));
  await clock.advance(5000);
  const stamps = cluster.requests.map(({ batches }) => readBatch(batches[0]?.bytes ?? new Uint8Array()));
  assert.deepEqual(stamps.map(({ producerId }) => producerId), [100n, 100n, 101n, 101n]);
  assert.deepEqual(sequences(), [0, 0, 0, 1]);
  assert.equal(producer.status().maybeDoubled, 2);
});

Deno.test("a wrong clock is told, and the batch is stamped anew once it is right", async () => {
  const { clock, cluster, send, ready, log, events } = setUp();
  await ready();
  cluster.course = once({ kind: "code", code: 32, written: false });
  ids(0, 3).forEach((id) => send(id));
  await clock.advance(3);
  assert.match(events[0]?.message ?? "", /Set the clock of this gateway/);
  clock.stepWall(3_600_000);
  await clock.advance(1000);
  assert.deepEqual(log(), ids(0, 3));
  const [wrong, right] = cluster.requests.map(({ batches }) => readBatch(batches[0]?.bytes ?? new Uint8Array()));
  assert.ok((right?.timestampMs ?? 0) - (wrong?.timestampMs ?? 0) > 3_500_000);
  assert.equal(right?.sequence, wrong?.sequence);
});

for (const code of [45, 47, 59]) {
  Deno.test(`code ${code} gives the partition a producer id of its own, counts what was in doubt, and loses nothing`, async () => {
    const { clock, cluster, producer, send, ready, log, delivered, events } = setUp({ partitions: 2 });
    await ready();
    ids(0, 10).forEach((id) => send(id, `key-${id}`));
    await clock.advance(100);
    cluster.course = once({ kind: "request_lost" }, { kind: "code", code, written: false });
    send("10", "key-0");
    await clock.advance(5000);
    assert.equal(delivered.length, 11);
    assert.equal(producer.status().maybeDoubled, 1);
    assert.ok(events.some(({ name }) => name === "kafka.maybe_doubled"));
    const ofPartition = [0, 1].find((partition) => log(partition).includes("10"));
    const last = readBatch(cluster.requests.at(-1)?.batches[0]?.bytes ?? new Uint8Array());
    assert.deepEqual([last.producerId, last.sequence], [101n, 0]);
    // The other partition goes on under the first id.
    const otherKey = ids(0, 10).find((id) => log(1 - (ofPartition ?? 0)).includes(id));
    send("11", `key-${otherKey}`);
    await clock.advance(100);
    assert.equal(readBatch(cluster.requests.at(-1)?.batches[0]?.bytes ?? new Uint8Array()).producerId, 100n);
  });
}

Deno.test("a Kafka that refuses every producer id is not asked in a tight loop", async () => {
  const { clock, cluster, send, ready } = setUp();
  await ready();
  cluster.course = () => ({ kind: "code", code: 47, written: false });
  send("0");
  await clock.advance(60_000);
  assert.ok(
    cluster.requests.length > 20 && cluster.requests.length < 80,
    `${cluster.requests.length} requests a minute`,
  );
});

Deno.test("a producer id below 0 is never used", async () => {
  const { clock, cluster, send, ready, delivered } = setUp();
  const original = cluster.initProducerId;
  let asked = 0;
  cluster.initProducerId = async () => asked++ < 3 ? { code: 0, producerId: -1n, producerEpoch: -1 } : await original();
  await ready();
  send("0");
  await clock.advance(5000);
  // The model fails on a batch without an id.
  assert.deepEqual(delivered, ["0"]);
});
