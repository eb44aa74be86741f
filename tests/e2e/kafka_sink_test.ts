/**
 * The Kafka sink against a real Kafka: what Kafka's own tools and librdkafka read back, and what people are told when something is wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { seededDice } from "../../src/core/dice.ts";
import { connectionOpener } from "../../src/sink/kafka/connection.ts";
import { createKafkaSink } from "../../src/sink/kafka/sink.ts";
import vectors from "../testdata/kafka/murmur2_vectors.json" with { type: "json" };
import { kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { eventually, leftOut } from "../support/servers.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";
import { reading } from "../sink/kafka/readings.ts";
import { idsIn, idsOf, numbered, sinkFor } from "../support/kafka_rig.ts";

const suite = "Kafka sink with a real Kafka";
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);
else {
  Deno.test(suite, async (t) => {
    const kafka = await startKafka({ acl: true });
    try {
      for (const [promise, check] of promises) await t.step(promise, () => check(kafka));
    } finally {
      await kafka.close();
    }
  });
}

type Check = (kafka: RunningKafka) => Promise<void>;

/** The last ones stop the server. */
const promises: readonly (readonly [string, Check])[] = [
  [
    "Kafka's DumpLogSegments and librdkafka (CRC checks on) read what was sent, uncompressed",
    (kafka) => readsBack(kafka, "none"),
  ],
  [
    "Kafka's DumpLogSegments and librdkafka (CRC checks on) read what was sent, with gzip",
    (kafka) => readsBack(kafka, "gzip"),
  ],
  [
    "Kafka's DumpLogSegments and librdkafka (CRC checks on) read what was sent, with zstd",
    (kafka) => readsBack(kafka, "zstd"),
  ],
  ["a key lies in the partition that the Java client would choose", partitionsAsJava],
  ["a record that is too large is rejected alone, and the rest of its batch is there", tooLarge],
  ["a record without a key in a compacted topic is rejected, and the rest is there", compacted],
  ["readings for an unknown topic arrive when it is created; other topics go on meanwhile", unknownTopic],
  ["partitions added while running are used", partitionsAdded],
  ["nothing is lost or doubled while connections break and freeze", brokenPaths],
  ["a Kafka that stops and starts again gets everything once; the outage is told once", stopAndStart],
  ["closing while Kafka is frozen or away ends at once", closing],
];

async function readsBack(kafka: RunningKafka, compression: "none" | "gzip" | "zstd"): Promise<void> {
  const topic = `read-back-${compression}`;
  await kafka.createTopic(topic, 1);
  const { sink, open, delivered, rejected } = sinkFor(kafka, {
    topic,
    compression,
    headers: ["source", "position", "gateway"],
  });
  const values = [
    `{"text":"gr\u00fcn \u6e29\u5ea6 \ud83d\ude00"}`,
    "",
    `"${"x".repeat(600_000)}"`,
    `"${"\u20ac".repeat(200_000)}"`,
    ...Array.from({ length: 500 }, (_, i) => `{"n":${i}}`),
  ];
  const keys = ["", null, "k\u00e4y", "key"];
  const readings = values.map((value, i) => ({
    ...reading(`id-${i}`, { key: keys[i % keys.length] ?? null }, value),
    redelivered: i === 5,
  }));
  const before = Date.now();
  await open();
  sink.send("files", readings);
  await sink.flush();
  await sink.close();
  assert.deepEqual([delivered.length, rejected.length], [values.length, 0]);

  const records = await kafka.read(topic);
  assert.deepEqual(records.map(({ value }) => value ?? ""), values);
  records.forEach(({ key, headers, timestampMs }, i) => {
    // kcat shows an empty key as null.
    assert.equal(key ?? "", keys[i % keys.length] ?? "");
    assert.deepEqual(headers, {
      "weir.id": `id-${i}`,
      "weir.source": "dump.csv",
      "weir.position": "row 1, byte 0",
      "weir.gateway": "gw",
      ...(i === 5 ? { "weir.redelivered": "true" } : {}),
    });
    assert.ok(timestampMs >= before && timestampMs <= Date.now());
  });
  const dump = await kafka.dumpLog(topic, 0);
  const batches = dump.split("\n").filter((line) => line.startsWith("baseOffset:"));
  assert.ok(batches.length >= 3);
  for (const batch of batches) {
    assert.match(batch, new RegExp(`magic: 2 compresscodec: ${compression} .*isvalid: true`));
  }
  const recordLines = dump.split("\n").filter((line) => line.startsWith("| offset:"));
  assert.deepEqual(
    recordLines.map((line) => Number(/keySize: (-?\d+)/.exec(line)?.[1])),
    values.map((_, i) =>
      new TextEncoder().encode(keys[i % keys.length] ?? "").length - (keys[i % keys.length] === null ? 1 : 0)
    ),
  );
  recordLines.forEach((line, i) => assert.match(line, new RegExp(`sequence: ${i} headerKeys: \\[weir.id,`)));
}

async function partitionsAsJava(kafka: RunningKafka): Promise<void> {
  await kafka.createTopic("as-java", 12);
  const { sink, open } = sinkFor(kafka, { topic: "as-java" });
  await open();
  sink.send("files", vectors.map(({ key }, i) => reading(String(i), { key })));
  await sink.flush();
  await sink.close();
  const records = await kafka.read("as-java");
  assert.equal(records.length, vectors.length);
  for (const { partition, headers } of records) assert.equal(partition, vectors[Number(headers["weir.id"])]?.of12);
}

async function tooLarge(kafka: RunningKafka): Promise<void> {
  await kafka.createTopic("small", 1, { "max.message.bytes": "20000" });
  const { sink, open, rejected } = sinkFor(kafka, { topic: "small" });
  const readings = [
    ...numbered(0, 50, `"${"v".repeat(1000)}"`),
    ...numbered(50, 51, "x".repeat(30_000)),
    ...numbered(51, 90),
  ];
  await open();
  sink.send("stream", readings);
  await sink.flush();
  await sink.close();
  assert.deepEqual(rejected.map(({ id, reason }) => [id, reason]), [["50", "too_large"]]);
  assert.deepEqual(await idsIn(kafka, "small"), idsOf(readings.filter(({ id }) => id !== "50")));
}

async function compacted(kafka: RunningKafka): Promise<void> {
  await kafka.createTopic("compacted", 1, { "cleanup.policy": "compact" });
  const { sink, open, rejected, events } = sinkFor(kafka, { topic: "compacted" });
  const readings = [...numbered(0, 20), reading("no-key", {}), ...numbered(20, 40)];
  await open();
  sink.send("stream", readings);
  await sink.flush();
  await sink.close();
  assert.deepEqual(rejected.map(({ id, reason }) => [id, reason]), [["no-key", "rejected"]]);
  assert.match(rejected[0]?.detail ?? "", /only records with a key/);
  assert.deepEqual(await idsIn(kafka, "compacted"), idsOf(numbered(0, 40)));
  assert.deepEqual(events, []);
}

async function unknownTopic(kafka: RunningKafka): Promise<void> {
  await kafka.createTopic("there", 1);
  const { sink, open, events, delivered } = sinkFor(kafka, { topic: "{topic}", topicAllow: ["there", "not-yet"] });
  await open();
  const to = (topic: string, from: number) =>
    numbered(from, from + 10).map((r) => ({ ...r, fields: { ...r.fields, topic } }));
  sink.send("files", to("not-yet", 0));
  sink.send("files", to("there", 10));
  await eventually("the other topic goes on", () => delivered.length === 10);
  await eventually("the missing topic is told", () => events.length > 0);
  assert.match(events[0]?.message ?? "", /"not-yet": the topic does not exist\. Create it/);
  assert.match(sink.status().trouble ?? "", /not-yet/);
  await kafka.createTopic("not-yet", 2);
  await sink.flush();
  assert.deepEqual(await idsIn(kafka, "not-yet"), idsOf(numbered(0, 10)));
  await eventually("the trouble is over", () => sink.status().trouble === null);
  const missing = events.filter(({ name, message }) =>
    name === "kafka.trouble_began" && /does not exist/.test(message)
  );
  assert.deepEqual([missing.length, events.at(-1)?.name], [1, "kafka.trouble_over"]);
  await sink.close();
}

async function partitionsAdded(kafka: RunningKafka): Promise<void> {
  await kafka.createTopic("growing", 1);
  const { sink, open } = sinkFor(kafka, { topic: "growing", metadataMaxAgeMs: 200 });
  await open();
  sink.send("files", numbered(0, 20));
  await sink.flush();
  await kafka.admin((admin) => admin.createPartitions({ topicPartitions: [{ topic: "growing", count: 5 }] }));
  let next = 20;
  await eventually("new partitions are used", async () => {
    sink.send("files", numbered(next, next + 20));
    next += 20;
    await sink.flush();
    return new Set((await kafka.read("growing")).map(({ partition }) => partition)).size > 2;
  });
  await sink.close();
  assert.deepEqual(await idsIn(kafka, "growing"), idsOf(numbered(0, next)));
}

async function brokenPaths(kafka: RunningKafka): Promise<void> {
  await kafka.createTopic("broken-paths", 3);
  const port = Number(kafka.adminBrokers[0]?.split(":")[1]);
  await using proxy = startTcpProxy(port);
  // Kafka names its own port in the metadata: the way through the proxy has to be kept.
  const delivered: string[] = [];
  const sink = createKafkaSink({
    brokers: [`127.0.0.1:${proxy.port}`],
    gateway: "gw",
    topic: "broken-paths",
    key: "{key}",
    requestTimeoutMs: 1000,
    backoff: { firstMs: 10, maxMs: 100 },
  }, {
    clock: systemClock,
    dice: seededDice(1),
    emit() {},
    openConnection(clientId) {
      const open = connectionOpener({ clientId, tls: null, sasl: null, connectTimeoutMs: 1000 }, systemClock);
      return (_address, signal) => open({ host: "127.0.0.1", port: proxy.port }, signal);
    },
  });
  await sink.open({
    delivered: (_lane, readings) => void delivered.push(...readings.map(({ id }) => id)),
    rejected: () => assert.fail("rejected"),
  });
  let sent = 0;
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 20; i++) {
      sink.send("stream", numbered(sent, sent + 100));
      sent += 100;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (round % 4 === 3) proxy.freeze();
    else proxy.cut();
  }
  await sink.flush();
  await sink.close();
  const records = await kafka.read("broken-paths");
  assert.equal(records.length, sent, "lost or doubled");
  assert.equal(new Set(records.map(({ headers }) => headers["weir.id"])).size, sent);
  assert.equal(delivered.length, sent);
  const last = new Map<string | null, number>();
  for (const { key, headers } of records) {
    assert.ok((last.get(key) ?? -1) < Number(headers["weir.id"]), "out of order");
    last.set(key, Number(headers["weir.id"]));
  }
}

async function stopAndStart(kafka: RunningKafka): Promise<void> {
  await kafka.createTopic("restarted", 3);
  const { sink, open, events, delivered } = sinkFor(kafka, { topic: "restarted" });
  await open();
  sink.send("stream", numbered(0, 100));
  await sink.flush();
  await kafka.stop("SIGKILL");
  sink.send("stream", numbered(100, 200));
  await eventually("the outage is told", () => events.length > 0);
  assert.match(events[0]?.message ?? "", /refused the connection.*Is Kafka running there/);
  await kafka.start();
  sink.send("stream", numbered(200, 300));
  await sink.flush();
  await eventually("the trouble is over", () => sink.status().trouble === null);
  await sink.close();
  assert.equal(delivered.length, 300);
  assert.deepEqual(await idsIn(kafka, "restarted"), idsOf(numbered(0, 300)));
  // While Kafka starts it may turn into another trouble: then it is the end of that one that is told.
  const outages = events.filter(({ name, data }) => name === "kafka.trouble_began" && data["trouble"] === "connection");
  assert.deepEqual([outages.length, events.at(-1)?.name], [1, "kafka.trouble_over"]);
}

async function closing(kafka: RunningKafka): Promise<void> {
  // Whatever it would wait for would take an hour.
  const hourMs = 3_600_000;
  const waits = { connectTimeoutMs: hourMs, requestTimeoutMs: hourMs, backoff: { firstMs: hourMs, maxMs: hourMs } };
  const { sink, open } = sinkFor(kafka, { topic: "restarted", ...waits });
  await open();
  await kafka.stop("SIGKILL");
  sink.send("files", numbered(0, 10));
  await eventually("it noticed", () => sink.status().trouble !== null);
  let closed = false;
  const closing = sink.close().then(() => closed = true);
  await eventually("it is closed", () => closed);
  await closing;
}
