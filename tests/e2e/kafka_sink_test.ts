/**
 * The Kafka sink against a real Kafka: what Kafka's own tools and librdkafka read back, and what people are told when something is wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { seededDice } from "../../src/core/dice.ts";
import type { Event } from "../../src/core/event.ts";
import type { Lane } from "../../src/core/flow.ts";
import type { Reading, Reason } from "../../src/core/reading.ts";
import { connectionOpener } from "../../src/sink/kafka/connection.ts";
import { createKafkaSink, type KafkaSinkOptions } from "../../src/sink/kafka/sink.ts";
import vectors from "../testdata/kafka/murmur2_vectors.json" with { type: "json" };
import { makeCertificates } from "../support/certificates.ts";
import { kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { eventually, leftOut } from "../support/servers.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";
import { reading } from "../sink/kafka/readings.ts";

const suite = "Kafka sink with a real Kafka";
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);
else {
  Deno.test({
    name: suite,
    async fn(t) {
      const certificates = await makeCertificates();
      const kafka = await startKafka({
        tls: { keyAndCertificatePem: certificates.key + certificates.certificate },
        users: { gateway: "right-password", stranger: "strange-password" },
        acl: true,
        // Sessions end soon: ours are renewed ten seconds before.
        properties: { "connections.max.reauth.ms": "11000" },
      });
      try {
        for (const [promise, check] of promises) await t.step(promise, () => check(kafka, certificates.ca));
      } finally {
        await kafka.close();
      }
    },
  });
}

type Check = (kafka: RunningKafka, ca: string) => Promise<void>;

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
  ["TLS and SASL with the right CA and password deliver, by each mechanism", securedWell],
  ["a SASL session that ends is renewed while records flow, without a loss or a word", sessionsEnd],
  [
    "a wrong password, a wrong CA, no TLS and a mechanism that is not offered are told with advice, never with the password",
    securedBadly,
  ],
  ["no permission is told with advice, and what waited arrives once it is given", noPermission],
  ["check tells of brokers and topics, good and bad", checks],
  ["nothing is lost or doubled while connections break and freeze", brokenPaths],
  ["a Kafka that stops and starts again gets everything once; the outage is told once", stopAndStart],
  ["closing while Kafka is frozen or away ends at once", closing],
];

/** A sink and all that it reported. */
function sinkFor(kafka: RunningKafka, options: Partial<KafkaSinkOptions> = {}) {
  const events: Event[] = [];
  const delivered: string[] = [];
  const rejected: { readonly id: string; readonly reason: Reason; readonly detail: string }[] = [];
  const sink = createKafkaSink(
    { brokers: kafka.adminBrokers, gateway: "gw", topic: "unset", key: "{key}", requestTimeoutMs: 3000, ...options },
    {
      clock: systemClock,
      dice: seededDice(1),
      emit: (level, name, message, data = {}) => void events.push({ level, name, message, data }),
    },
  );
  const report = {
    delivered: (_lane: Lane, readings: readonly Reading[]) => void delivered.push(...readings.map(({ id }) => id)),
    rejected: (_lane: Lane, { id }: Reading, reason: Reason, detail: string) =>
      void rejected.push({ id, reason, detail }),
  };
  return { sink, events, delivered, rejected, open: () => sink.open(report) };
}

const numbered = (from: number, to: number, value = "{}") =>
  Array.from({ length: to - from }, (_, i) => reading(String(from + i), { key: `key-${(from + i) % 7}` }, value));
const idsOf = (readings: readonly Reading[]) => readings.map(({ id }) => id).toSorted();

async function idsIn(kafka: RunningKafka, topic: string): Promise<readonly string[]> {
  return (await kafka.read(topic)).map(({ headers }) => headers["weir.id"] ?? "").toSorted();
}

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
  assert.deepEqual(events.map(({ name }) => name), ["kafka.trouble_began", "kafka.trouble_over"]);
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

async function securedWell(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("secured", 1);
  await allow(kafka, "secured", "gateway");
  for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const) {
    const { sink, open, delivered, events } = sinkFor(kafka, {
      brokers: kafka.brokers,
      topic: "secured",
      tls: { ca },
      sasl: { mechanism, username: "gateway", password: "right-password" },
    });
    await open();
    sink.send("stream", numbered(0, 10));
    await sink.flush();
    assert.equal(delivered.length, 10);
    assert.equal(sink.status().connected, true);
    await sink.close();
    assert.deepEqual(events, []);
  }
}

async function sessionsEnd(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("sessions", 1);
  await allow(kafka, "sessions", "gateway");
  const { sink, open, events } = sinkFor(kafka, {
    brokers: kafka.brokers,
    topic: "sessions",
    tls: { ca },
    sasl: { mechanism: "scram-sha-256", username: "gateway", password: "right-password" },
  });
  await open();
  const until = performance.now() + 3500;
  let sent = 0;
  while (performance.now() < until) {
    sink.send("stream", numbered(sent, sent + 5));
    sent += 5;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await sink.flush();
  await sink.close();
  const ids = (await kafka.read("sessions")).map(({ headers }) => Number(headers["weir.id"]));
  assert.deepEqual(ids, Array.from({ length: sent }, (_, i) => i));
  assert.deepEqual(events, []);
}

async function securedBadly(kafka: RunningKafka, ca: string): Promise<void> {
  const { ca: otherCa } = await makeCertificates();
  const sasl = { mechanism: "plain", username: "gateway", password: "right-password" } as const;
  const cases: readonly (readonly [string, Partial<KafkaSinkOptions>, RegExp])[] = [
    [
      "PLAIN",
      { tls: { ca }, sasl: { ...sasl, password: "wrong-secret" } },
      /refused the user name or the password.*Check --kafka-username/,
    ],
    [
      "SCRAM",
      { tls: { ca }, sasl: { ...sasl, mechanism: "scram-sha-512", password: "wrong-secret" } },
      /refused the user name or the password/,
    ],
    ["CA", { tls: { ca: otherCa }, sasl }, /could not agree on TLS.*--kafka-ca-file/],
    ["well-known CAs", { tls: { ca: null }, sasl }, /could not agree on TLS.*--kafka-ca-file/],
    ["no TLS", { sasl, connectTimeoutMs: 1000 }, /(did not answer within|closed the connection).*--kafka-tls/],
    [
      "TLS to a plain listener",
      { brokers: kafka.adminBrokers, tls: { ca }, connectTimeoutMs: 1000 },
      /(did not answer within|TLS|closed).*(--kafka-tls|a TLS one)/,
    ],
    ["SASL on a listener without", { brokers: kafka.adminBrokers, sasl, connectTimeoutMs: 1000 }, /--kafka-sasl/],
  ];
  for (const [name, options, expected] of cases) {
    const { sink, open, events } = sinkFor(kafka, { brokers: kafka.brokers, topic: "secured", ...options });
    await open();
    sink.send("stream", numbered(0, 10));
    await eventually(`${name} is told`, () => events.length > 0);
    assert.match(events[0]?.message ?? "", expected, name);
    assert.match(sink.status().trouble ?? "", expected, name);
    const [finding] = await sink.check();
    assert.equal(finding?.ok, false);
    assert.match(`${finding?.result}. ${finding?.advice}`, expected, name);
    await sink.close();
    assert.equal(events.length, 1, `${name}: ${events.map(({ message }) => message).join("\n")}`);
    assert.doesNotMatch(JSON.stringify([events, finding]), /wrong-secret|right-password/);
  }
}

async function noPermission(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("forbidden", 1);
  const { sink, open, events } = sinkFor(kafka, {
    brokers: kafka.brokers,
    topic: "forbidden",
    tls: { ca },
    sasl: { mechanism: "plain", username: "stranger", password: "strange-password" },
  });
  await open();
  sink.send("files", numbered(0, 10));
  await eventually("it is told", () => sink.status().trouble?.includes("no permission"));
  assert.match(sink.status().trouble ?? "", /kafka-acls/);
  await allow(kafka, "forbidden", "stranger");
  await sink.flush();
  await eventually("the trouble is over", () => sink.status().trouble === null);
  assert.ok(events.every(({ message }) => !message.includes("strange-password")));
  await sink.close();
  assert.deepEqual(await idsIn(kafka, "forbidden"), idsOf(numbered(0, 10)));
}

async function checks(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("checked", 3, { "max.message.bytes": "500000" });
  await allow(kafka, "checked", "gateway");
  const sasl = { mechanism: "scram-sha-256", username: "gateway", password: "right-password" } as const;
  const { sink } = sinkFor(kafka, {
    brokers: [...kafka.brokers, "127.0.0.1:1"],
    topic: "{topic}",
    topicAllow: ["checked", "nowhere"],
    tls: { ca },
    sasl,
  });
  const findings = await sink.check();
  assert.deepEqual(findings.map(({ ok }) => ok), [true, false, true, false]);
  assert.match(findings[0]?.result ?? "", /connected, TLS, SCRAM-SHA-256 as "gateway"/);
  assert.match(findings[1]?.result ?? "", /refused the connection/);
  const ofTopic = (name: string) => findings.find(({ subject }) => subject.includes(name));
  assert.match(ofTopic("checked")?.result ?? "", /^3 partitions/);
  assert.match(ofTopic("nowhere")?.result ?? "", /does not exist|no permission/);
  assert.ok(ofTopic("nowhere")?.advice);
  const plain = await sinkFor(kafka, { topic: "checked" }).sink.check();
  assert.match(plain[1]?.result ?? "", /3 partitions, batches up to 488 KiB/);
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
  const outages = events.filter(({ data }) => data["trouble"] === "connection").map(({ name }) => name);
  assert.deepEqual(outages, ["kafka.trouble_began", "kafka.trouble_over"]);
}

async function closing(kafka: RunningKafka): Promise<void> {
  const { sink, open } = sinkFor(kafka, { topic: "restarted" });
  await open();
  await kafka.stop("SIGKILL");
  sink.send("files", numbered(0, 10));
  await eventually("it noticed", () => sink.status().trouble !== null);
  const before = performance.now();
  await sink.close();
  assert.ok(performance.now() - before < 1000);
}

function allow(kafka: RunningKafka, topic: string, user: string): Promise<unknown> {
  const topicResource = 2;
  const literal = 3;
  const allowPermission = 3;
  return kafka.admin((admin) =>
    // All operations but the reading of settings: what an ordinary producer is given.
    admin.createAcls({
      acl: [4, 8].map((operation) => ({
        resourceType: topicResource,
        resourceName: topic,
        resourcePatternType: literal,
        principal: `User:${user}`,
        host: "*",
        operation,
        permissionType: allowPermission,
      })),
    })
  );
}
