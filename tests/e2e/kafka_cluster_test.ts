/**
 * The Kafka sink at two brokers, with many sends in flight: leadership moves between them, each of them is stopped or killed and comes
 * back, and the topic is deleted and made again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { kafkaAvailability } from "../support/kafka.ts";
import { brokerNodes, type KafkaCluster, startKafkaCluster } from "../support/kafka_cluster.ts";
import { assertInOrderOnce, numberOf, partitionsFlooded, startFlood, whileSending } from "../support/kafka_flood.ts";
import { sinkFor } from "../support/kafka_rig.ts";
import { existingKafka } from "../support/kafka_tools.ts";
import { say } from "../support/seed.ts";
import { eventually, leftOut } from "../support/servers.ts";
import { assertExactlyOnce, exactlyOnceScene } from "./exactly_once.ts";

const suite = "Two Kafka brokers";
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);
else {
  Deno.test("two brokers, many sends in flight", async (t) => {
    await using cluster = await startKafkaCluster();
    for (const [promise, check] of promises) await t.step(promise, () => check(cluster));
  });
}

const promises: readonly (readonly [string, (cluster: KafkaCluster) => Promise<void>])[] = [
  ["leadership moves between two brokers: 0 lost, 0 doubled, in order", leadershipMoves],
  ["each of two brokers is stopped or killed and comes back: 0 lost, 0 doubled, in order", brokersInTurn],
  [
    "the coordinator of transactions moves between two brokers and is killed: read_committed has each row of a file once",
    coordinatorMoves,
  ],
  [
    "a topic that is deleted and made again, with other numbers of partitions too, gets all that is sent from then on",
    topicMadeAgain,
  ],
];

async function leadershipMoves(cluster: KafkaCluster): Promise<void> {
  let moves = 0;
  const told = await whileSending(cluster, "moving", async (flood) => {
    for (const node of [...brokerNodes, ...brokerNodes]) {
      const before = await cluster.leaders("moving");
      await cluster.lead("moving", node);
      moves += before.filter((leader) => leader !== node).length;
      await flood.caughtUp(`node ${node} leads`);
    }
  });
  assert.ok(moves >= 18, `${moves} moves`);
  say(`leadership of a partition moved ${moves} times: ${told}`);
}

async function brokersInTurn(cluster: KafkaCluster): Promise<void> {
  const told = await whileSending(cluster, "in-turn", async (flood) => {
    for (const [node, signal] of [[1, "SIGTERM"], [2, "SIGKILL"], [1, "SIGKILL"]] as const) {
      await cluster.inSync("in-turn");
      await cluster.stop(node, signal);
      await flood.caughtUp(`broker ${node} is away (${signal})`);
      await cluster.start(node);
      await cluster.inSync("in-turn");
      await flood.caughtUp(`broker ${node} is back`);
    }
  });
  say(`brokers stopped and killed in turn: ${told}`);
}

async function coordinatorMoves(cluster: KafkaCluster): Promise<void> {
  // With one partition, its leader is the coordinator of everybody.
  const state = "__transaction_state";
  // Markers of transactions are no records: a log that ends with one is never read to its end.
  const tools = existingKafka(cluster.adminBrokers, brokerNodes.length);
  await using scene = await exactlyOnceScene(tools, "moved", 2000);
  await scene.drop(4000);
  const gateway = scene.start();
  try {
    await gateway.logged(/go in transactions/, 60_000);
    const arrivedMore = async () => {
      const before = (await scene.arrived()).length;
      await scene.drop(1500);
      await eventually("more rows arrive", async () => (await scene.arrived()).length > before || null, 90_000);
    };
    await arrivedMore();
    for (const node of [...brokerNodes, ...brokerNodes]) {
      await cluster.lead(state, node);
      await arrivedMore();
    }
    for (const topic of [state, scene.topic, scene.checkpointTopic]) await cluster.inSync(topic);
    const [leader] = await cluster.leaders(state);
    const coordinator = brokerNodes.find((node) => node === leader) ?? brokerNodes[0];
    await cluster.stop(coordinator, "SIGKILL");
    await arrivedMore();
    await cluster.start(coordinator);
    await scene.settled();
    assert.equal(await gateway.stop(), 0, gateway.stderr());
    await assertExactlyOnce(scene);
  } finally {
    gateway.signal("SIGKILL");
    await gateway.ended;
  }
}

async function topicMadeAgain(cluster: KafkaCluster): Promise<void> {
  const topic = "made-again";
  await cluster.createTopic(topic, 4);
  const rig = sinkFor(cluster, { topic });
  await rig.open();
  let sent = 0;
  for (const partitions of [4, 2, 7]) {
    const flood = startFlood(rig, sent);
    try {
      await flood.caughtUp("before");
      const gone = new Set(rig.delivered.map(Number));
      const retriesBefore = rig.sink.status().retries;
      await cluster.admin((admin) => admin.deleteTopics({ topics: [topic] }));
      await eventually("the missing topic is told", () => rig.sink.status().trouble?.includes("does not exist"));
      await cluster.createTopic(topic, partitions);
      // A broker may take a few records into the old log until it has heard of the new one.
      for (const partition of partitionsFlooded(partitions)) {
        const isNew = async () => !gone.has(numberOf(await cluster.first(topic, partition)));
        await eventually(`partition ${partition} is the new topic's`, isNew);
      }
      const retries = rig.sink.status().retries - retriesBefore;
      const from = flood.sent;
      await eventually("more is sent", () => flood.sent > from + 1_000);
      await flood.stop();
      sent = flood.sent;
      const records = await cluster.read(topic);
      const numbers = new Set(records.map(numberOf));
      assert.equal(records.length, numbers.size, "doubled");
      // What waited meanwhile went where the key lay before; from here on keys lie where the new number puts them.
      assertInOrderOnce(records.filter((record) => numberOf(record) >= from));
      assert.deepEqual(range(from, sent).filter((n) => !numbers.has(n)), [], "lost of what was sent from then on");
      assert.ok(
        rig.events.some(({ name }) => name === "kafka.log_shorter"),
        "it is said that the old records are gone",
      );
      say(`topic made again with ${partitions} partitions: ${retries} batches were sent again`);
      assert.ok(retries < 1_000, `${retries} batches were sent again: it spins`);
    } finally {
      await flood.halt();
    }
  }
  await rig.sink.close();
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, i) => from + i);
