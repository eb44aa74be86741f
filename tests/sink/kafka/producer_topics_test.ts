/**
 * The producer when a topic changes: partitions come and go, and the topic is deleted and made again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ids, once, setUp } from "./producer_rig.ts";

Deno.test("new partitions are found, and the order of every key holds across the change", async () => {
  const { clock, cluster, send, ready, allLogs, log, delivered } = setUp({ partitions: 2, metadataMaxAgeMs: 1000 });
  await ready();
  cluster.course = once({ kind: "answer_lost" }, { kind: "request_lost" }, { kind: "answer_lost" });
  const keys = ids(0, 50);
  let n = 0;
  for (let step = 0; step < 400; step++) {
    if (step === 40) cluster.setPartitions("t", 7);
    for (const key of keys) send(`${key}#${n++}`, key);
    await clock.advance(10);
  }
  await clock.advance(5000);
  assert.equal(delivered.length, n);
  assert.equal(allLogs().length, n);
  assert.ok([2, 3, 4, 5, 6].every((partition) => log(partition).length > 0), "new partitions are used");
  // Delivered in the order of sending for each key: nothing of the new partition was acknowledged before the old ones.
  for (const key of keys) {
    const numbers = delivered.filter((id) => id.startsWith(`${key}#`)).map((id) => Number(id.split("#")[1]));
    assert.deepEqual(numbers, numbers.toSorted((x, y) => x - y));
  }
});

Deno.test("a topic made anew with fewer partitions gets what waited for those that are gone", async () => {
  const { clock, cluster, send, ready, allLogs, producer } = setUp({ partitions: 6 });
  await ready();
  cluster.removeTopic("t");
  ids(0, 60).forEach((id) => send(id, `key-${id}`));
  await clock.advance(3000);
  cluster.addTopic("t", 2);
  await clock.advance(20_000);
  assert.deepEqual(allLogs().toSorted(), ids(0, 60).toSorted());
  assert.equal(producer.status().inFlightReadings, 0);
});

Deno.test("a partition that old metadata hid for a while goes on under a new producer id: its first batch is no duplicate", async () => {
  const { clock, cluster, send, ready, allLogs, delivered, log } = setUp({ partitions: 4, metadataMaxAgeMs: 1000 });
  await ready();
  const sendTen = (from: number) => ids(from, from + 10).forEach((id) => send(id, "key-3"));
  sendTen(0);
  await clock.advance(100);
  assert.equal(log(3).length, 10, "the key lies in a partition that goes away");
  const metadata = cluster.metadata;
  // A broker that lags behind the others.
  cluster.metadata = async (names) => {
    const known = await metadata(names);
    return { ...known, topics: known.topics.map((topic) => ({ ...topic, leaders: topic.leaders.slice(0, 2) })) };
  };
  await clock.advance(1500);
  cluster.metadata = metadata;
  await clock.advance(1500);
  sendTen(10);
  await clock.advance(1000);
  assert.equal(log(3).length, 20);
  assert.deepEqual(allLogs(), ids(0, 20));
  assert.deepEqual(delivered, ids(0, 20));
});

Deno.test("a topic that was deleted and made again is said once, and gets what is sent from then on", async () => {
  const { clock, cluster, send, ready, allLogs, events } = setUp({ partitions: 3 });
  await ready();
  ids(0, 30).forEach((id) => send(id, `key-${id}`));
  await clock.advance(100);
  assert.equal(allLogs().length, 30);
  cluster.removeTopic("t");
  cluster.addTopic("t", 3);
  ids(30, 40).forEach((id) => send(id, `key-${id}`));
  await clock.advance(100);
  assert.deepEqual(allLogs().toSorted(), ids(30, 40));
  assert.deepEqual(events.map(({ name }) => name), ["kafka.log_shorter"]);
  assert.match(events[0]?.message ?? "", /"t" goes on at offset 0 of partition \d, .* it was deleted and made again/);
});
