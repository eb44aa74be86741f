import assert from "node:assert/strict";
import fc from "fast-check";
import { seededDice } from "../../../src/core/dice.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import { readBatch } from "./batch_reader.ts";
import type { Course } from "./model_cluster.ts";
import { ids, once, setUp } from "./producer_rig.ts";

Deno.test("readings that were sent before anything is known arrive once metadata and a producer id are there", async () => {
  const { clock, send, delivered, log, producer } = setUp();
  ids(0, 10).forEach((id) => send(id));
  await clock.advance(100);
  assert.deepEqual(delivered, ids(0, 10));
  assert.deepEqual(log(), ids(0, 10));
  assert.equal(producer.status().inFlightReadings, 0);
});

Deno.test("what is sent in one go leaves in one batch, at once when nothing is under way", async () => {
  const { clock, cluster, send, ready, reports } = setUp();
  await ready();
  ids(0, 10).forEach((id) => send(id));
  const before = clock.nowMs();
  await clock.advance(2);
  assert.deepEqual(cluster.requests.map(({ atMs }) => atMs), [before]);
  assert.deepEqual(reports, [ids(0, 10)]);
});

Deno.test("while a request is under way, records gather for lingerMs and no longer", async () => {
  const { clock, cluster, send, ready } = setUp({ partitions: 6 });
  await ready();
  cluster.course = () => ({ kind: "late", lateMs: 0 });
  // Keys of two partitions that one node leads.
  const [a, b] = ["k0", "k11"];
  send("1", a);
  await clock.advance(1);
  const { node } = cluster.requests[0] ?? { node: -1 };
  for (let partition = 0; partition < 6; partition++) cluster.setLeader("t", partition, node);
  const started = clock.nowMs();
  let sent = 0;
  for (; cluster.requests.filter((r) => r.node === node).length < 2 && sent < 40; sent++) {
    send(`b${sent}`, `${b}${sent}`);
    await clock.advance(1);
  }
  const second = cluster.requests.filter((r) => r.node === node)[1];
  assert.ok(
    second !== undefined && second.atMs - started >= 4 && second.atMs - started <= 6,
    `${second?.atMs} ${started}`,
  );
});

Deno.test("a full batch does not wait for lingerMs", async () => {
  const { clock, cluster, send, ready } = setUp({ partitions: 3, lingerMs: 500, batchBytesMax: 2000 });
  await ready();
  for (let partition = 0; partition < 3; partition++) cluster.setLeader("t", partition, 0);
  cluster.course = once({ kind: "well" });
  await clock.advance(60_000);
  cluster.course = () => ({ kind: "late", lateMs: 0 });
  send("1", "a");
  await clock.advance(1);
  for (let i = 0; i < 60; i++) send(`x${i}`, `key${i}`, "v".repeat(200));
  await clock.advance(1);
  assert.ok(cluster.requests.length >= 2);
});

Deno.test("the partitions of one leader go into one request, and none that is empty", async () => {
  const { clock, cluster, send, ready } = setUp({ partitions: 9 });
  await ready();
  for (let i = 0; i < 200; i++) send(String(i), `key-${i}`);
  await clock.advance(0);
  assert.deepEqual(cluster.requests.map(({ node }) => node).sort(), [0, 1, 2]);
  for (const { batches } of cluster.requests) {
    assert.equal(batches.length, 3);
    for (const { bytes } of batches) assert.ok(readBatch(bytes).records.length > 0);
  }
});

Deno.test("a lost answer is retried with the same bytes, and the record is in the log once", async () => {
  const { clock, cluster, send, ready, log, delivered } = setUp();
  await ready();
  cluster.course = once({ kind: "answer_lost" }, { kind: "answer_lost" }, { kind: "request_lost" });
  ids(0, 5).forEach((id) => send(id));
  await clock.advance(1);
  // What comes later must not slip into the batch, nor overtake it.
  ids(5, 9).forEach((id) => send(id));
  await clock.advance(3000);
  assert.deepEqual(log(), ids(0, 9));
  assert.deepEqual(delivered, ids(0, 9));
  const [first, second, third] = cluster.requests.map(({ batches }) => batches[0]?.bytes);
  assert.deepEqual(first, second);
  assert.deepEqual(first, third);
});

for (const code of [3, 5, 6, 7, 14, 16, 19, 20, 56, 74, -1, 2, 29, 31, 999]) {
  for (const written of [false, true]) {
    Deno.test(`code ${code}${written ? " for a batch that was written" : ""} is retried until it works, with nothing lost or doubled`, async () => {
      const { clock, cluster, send, ready, log, delivered, events } = setUp();
      await ready();
      const same: Course = { kind: "code", code, written };
      cluster.course = once(same, same, same, same);
      ids(0, 5).forEach((id) => send(id));
      await clock.advance(5);
      ids(5, 8).forEach((id) => send(id));
      await clock.advance(20_000);
      assert.deepEqual(log(), ids(0, 8));
      assert.deepEqual(delivered, ids(0, 8));
      assert.deepEqual(events.map(({ name }) => name), ["kafka.trouble_began", "kafka.trouble_over"]);
    });
  }
}

Deno.test("a request that arrives after we gave it up and sent it again is not in the log twice", async () => {
  const { clock, cluster, send, ready, log, delivered } = setUp();
  await ready();
  cluster.course = once({ kind: "late", lateMs: 2000 });
  ids(0, 5).forEach((id) => send(id));
  await clock.advance(1200);
  ids(5, 8).forEach((id) => send(id));
  await clock.advance(20_000);
  assert.deepEqual(log(), ids(0, 8));
  assert.deepEqual(delivered, ids(0, 8));
});

Deno.test("when the leader moves, the batch follows it", async () => {
  const { clock, cluster, send, ready, log } = setUp();
  await ready();
  cluster.setLeader("t", 0, 2);
  ids(0, 5).forEach((id) => send(id));
  await clock.advance(500);
  assert.deepEqual(log(), ids(0, 5));
  assert.deepEqual(cluster.requests.map(({ node }) => node), [0, 2]);
});

Deno.test("a partition without a leader waits and blocks no other", async () => {
  const { clock, cluster, send, ready, delivered } = setUp({ partitions: 2 });
  cluster.setLeader("t", 0, -1);
  await ready();
  ids(0, 40).forEach((id) => send(id, `key-${id}`));
  await clock.advance(3000);
  assert.ok(delivered.length > 0 && delivered.length < 40);
  cluster.setLeader("t", 0, 1);
  await clock.advance(5000);
  assert.equal(delivered.length, 40);
});

Deno.test("an unknown topic is told once with advice, blocks no other topic, and is caught up when it is there", async () => {
  const { clock, cluster, send, ready, delivered, events, troubles, log } = setUp();
  await ready();
  ids(0, 3).forEach((id) => send(id, "k", "v", "missing"));
  ids(3, 6).forEach((id) => send(id));
  await clock.advance(60_000);
  assert.deepEqual(delivered, ids(3, 6));
  assert.equal(events.length, 1);
  assert.match(events[0]?.message ?? "", /"missing": the topic does not exist\. Create it/);
  assert.match(troubles.text() ?? "", /missing/);
  cluster.addTopic("missing", 1);
  await clock.advance(3000);
  assert.deepEqual(log(0, "missing"), ids(0, 3));
  assert.deepEqual(events.map(({ name }) => name), ["kafka.trouble_began", "kafka.trouble_over"]);
  assert.equal(troubles.text(), null);
});

Deno.test("an outage is told once when it begins and once when it is over, however much is tried meanwhile", async () => {
  const { clock, cluster, send, ready, events, delivered, troubles } = setUp({ partitions: 9 });
  await ready();
  cluster.pathError = new PathError("refused", "Kafka broker model:0 refused the connection");
  const original = cluster.produce;
  cluster.produce = () => Promise.reject(cluster.pathError);
  ids(0, 50).forEach((id) => send(id, id));
  await clock.advance(120_000);
  assert.deepEqual(events.map(({ name }) => name), ["kafka.trouble_began"]);
  assert.match(troubles.text() ?? "", /refused the connection\. Is Kafka running there/);
  cluster.pathError = null;
  cluster.produce = original;
  await clock.advance(10_000);
  assert.equal(delivered.length, 50);
  assert.deepEqual(events.map(({ name }) => name), ["kafka.trouble_began", "kafka.trouble_over"]);
  assert.equal(troubles.text(), null);
});

Deno.test("readings without a key go to one partition a batch, and to all partitions in turn", async () => {
  const { clock, cluster, send, ready, log } = setUp({ partitions: 4 });
  await ready();
  for (let round = 0; round < 8; round++) {
    for (const id of ids(0, 5)) send(`${round}-${id}`, null);
    await clock.advance(10);
  }
  assert.equal(cluster.requests.length, 8);
  for (let partition = 0; partition < 4; partition++) assert.equal(log(partition).length, 10);
});

Deno.test("a throttled producer leaves the broker alone for as long as it asks, and counts it", async () => {
  const { clock, cluster, producer, send, ready } = setUp();
  await ready();
  cluster.throttleMs = 700;
  send("0");
  await clock.advance(3);
  send("1");
  await clock.advance(2000);
  const [first, second] = cluster.requests.map(({ atMs }) => atMs);
  assert.ok((second ?? 0) - (first ?? 0) >= 700);
  assert.equal(producer.status().throttledMs, 1400);
});

Deno.test("flush resolves once everything before it is reported, and does not wait for what comes later", async () => {
  const { clock, cluster, producer, send, ready } = setUp({ partitions: 3 });
  await ready();
  cluster.course = once({ kind: "late", lateMs: 0 });
  ids(0, 20).forEach((id) => send(id, id));
  let flushed = false;
  void producer.flush().then(() => flushed = true);
  await clock.advance(900);
  assert.equal(flushed, false);
  cluster.course = (_, batches) =>
    readBatch(batches[0]?.bytes ?? new Uint8Array()).records[0]?.headers[0]?.[1]?.startsWith("later")
      ? { kind: "late", lateMs: 0 }
      : { kind: "well" };
  for (let i = 0; i < 300 && !flushed; i++) {
    send(`later-${i}`, `l${i}`);
    await clock.advance(10);
  }
  assert.equal(flushed, true);
});

Deno.test("a flush does not wait for lingerMs", async () => {
  const { clock, cluster, send, ready, producer } = setUp({ partitions: 3, lingerMs: 500 });
  await ready();
  for (let partition = 0; partition < 3; partition++) cluster.setLeader("t", partition, 0);
  cluster.course = once({ kind: "well" });
  await clock.advance(60_000);
  cluster.course = () => ({ kind: "late", lateMs: 0 });
  send("1", "a");
  await clock.advance(1);
  for (let i = 0; i < 6; i++) send(`x${i}`, `key${i}`);
  await clock.advance(1);
  const before = cluster.requests.length;
  void producer.flush();
  await clock.advance(1);
  assert.equal(cluster.requests.length, before + 1);
});

Deno.test("after close nothing is reported, no timer is left, and a flush ends", async () => {
  const { clock, cluster, producer, send, ready, delivered } = setUp();
  await ready();
  cluster.course = () => ({ kind: "late", lateMs: 0 });
  send("0");
  await clock.advance(1);
  const flushed = producer.flush();
  producer.close();
  await flushed;
  await clock.advance(100_000);
  assert.deepEqual(delivered, []);
  assert.equal(cluster.closed, true);
  assert.equal(clock.timers, 0);
});

Deno.test("a defect is not taken for a network error", async () => {
  const { clock, cluster, send, ready } = setUp();
  await ready();
  const seen: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    seen.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", listener);
  try {
    cluster.produce = () => Promise.reject(new TypeError("a defect"));
    send("0");
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 0));
  } finally {
    globalThis.removeEventListener("unhandledrejection", listener);
  }
  assert.deepEqual(seen.map(String), ["TypeError: a defect"]);
});

Deno.test("whatever goes wrong, nothing is lost or doubled, keys keep their order, and each reading is reported once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.integer({ min: 1, max: 6 }),
      fc.boolean(),
      async (seed, partitions, tellsBytesMax) => {
        const dice = seededDice(seed);
        const roll = (n: number) => Math.floor(dice() * n);
        const { clock, cluster, producer, send, delivered, rejected, allLogs, log } = setUp({
          partitions,
          dice,
          batchBytesMax: 600 + roll(4000),
          requestBytesMax: 1000 + roll(8000),
          metadataMaxAgeMs: 3000,
        });
        cluster.bytesMax = 1500;
        cluster.tellsBytesMax = tellsBytesMax;
        cluster.poison = "poison";
        let faults = true;
        // Codes with which Kafka refuses what may be in the log already make doubles that nobody can prevent: they are tested apart.
        const codes = [3, 5, 6, 7, 19, 20, 56, 74, -1, 2, 14, 29];
        cluster.course = () => {
          if (!faults) return { kind: "well" };
          switch (roll(8)) {
            case 0:
              return { kind: "request_lost" };
            case 1:
              return { kind: "answer_lost" };
            case 2:
              return { kind: "late", lateMs: roll(3000) };
            case 3:
              return { kind: "code", code: codes[roll(codes.length)] ?? 6, written: roll(2) === 0 };
            default:
              return { kind: "well" };
          }
        };
        let count = partitions;
        const sent: string[] = [];
        const bad = new Set<string>();
        for (let step = 0; step < 150; step++) {
          for (let i = roll(12); i > 0; i--) {
            const key = `key-${roll(10)}`;
            const id = `${key}#${sent.length}`;
            sent.push(id);
            const kind = roll(60);
            if (kind <= 1) bad.add(id);
            send(id, key, kind === 0 ? "poison" : kind === 1 ? "x".repeat(2000) : "v".repeat(roll(120)));
          }
          if (roll(20) === 0) cluster.setLeader("t", roll(partitions), roll(4) - 1);
          if (roll(60) === 0) cluster.setPartitions("t", count += roll(3));
          cluster.pathError = roll(30) === 0
            ? new PathError("refused", "refused")
            : step % 7 === 0
            ? null
            : cluster.pathError;
          await clock.advance(roll(150));
        }
        faults = false;
        cluster.pathError = null;
        for (let partition = 0; partition < partitions; partition++) cluster.setLeader("t", partition, 1);
        await clock.advance(60_000);

        const reported = [...delivered, ...rejected.map(({ id }) => id)];
        assert.equal(new Set(reported).size, reported.length, "reported twice");
        assert.deepEqual(reported.toSorted(), sent.toSorted(), "every reading has one report");
        assert.deepEqual(new Set(rejected.map(({ id }) => id)), bad, "the bad ones, and only they, are rejected");
        const logged = allLogs();
        assert.equal(new Set(logged).size, logged.length, "doubled");
        assert.deepEqual(logged.toSorted(), delivered.toSorted(), "the log holds what was reported");
        const inOrder = (list: readonly string[], what: string) => {
          const last = new Map<string, number>();
          for (const id of list) {
            const [key = "", number = ""] = id.split("#");
            assert.ok((last.get(key) ?? -1) < Number(number), `${what}: ${id} after ${last.get(key)}`);
            last.set(key, Number(number));
          }
        };
        for (let partition = 0; partition < count; partition++) {
          inOrder(log(partition), `order in partition ${partition}`);
        }
        inOrder(delivered, "order of the reports");
        assert.equal(producer.status().inFlightReadings, 0);
        producer.close();
      },
    ),
    { numRuns: 60 },
  );
});
