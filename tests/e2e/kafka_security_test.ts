/**
 * The Kafka sink against a real Kafka with TLS, SASL and permissions: what works, and what people are told when it does not.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { connectionOpener } from "../../src/sink/kafka/connection.ts";
import { parseBroker } from "../../src/sink/kafka/options.ts";
import { wireReader, wireWriter } from "../../src/sink/kafka/wire.ts";
import type { KafkaSinkOptions } from "../../src/sink/kafka/sink.ts";
import { makeCertificates } from "../support/certificates.ts";
import { kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { allow } from "../support/kafka_acls.ts";
import { eventually, leftOut } from "../support/servers.ts";
import { idsIn, idsOf, numbered, sinkFor } from "../support/kafka_rig.ts";

const suite = "Kafka sink with a secured Kafka";
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

const promises: readonly (readonly [string, Check])[] = [
  ["TLS and SASL with the right CA and password deliver, by each mechanism", securedWell],
  ["a SASL session that ends is renewed while records flow, without a loss or a word", sessionsEnd],
  [
    "a wrong password, a wrong CA, no TLS and a mechanism that is not offered are told with advice, never with the password",
    securedBadly,
  ],
  ["no permission is told with advice, and what waited arrives once it is given", noPermission],
  ["check tells of brokers and topics, good and bad", checks],
  ["doctor compares the clocks and tells quotas, once that is permitted", examined],
  ["check tells whether files may go in transactions, which go once that is permitted", transactions],
];

async function securedWell(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("secured", 1);
  await mayWrite(kafka, "secured", "gateway");
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
    await sink.close();
    assert.deepEqual(events, []);
  }
}

async function sessionsEnd(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("sessions", 1);
  await mayWrite(kafka, "sessions", "gateway");
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
    ["SASL on a listener without", { brokers: kafka.adminBrokers, sasl }, /--kafka-sasl/],
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
  await mayWrite(kafka, "forbidden", "stranger");
  await sink.flush();
  await eventually("the trouble is over", () => sink.status().trouble === null);
  assert.ok(events.every(({ message }) => !message.includes("strange-password")));
  await sink.close();
  assert.deepEqual(await idsIn(kafka, "forbidden"), idsOf(numbered(0, 10)));
}

async function checks(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("checked", 3, { "max.message.bytes": "500000" });
  await mayWrite(kafka, "checked", "gateway");
  const sasl = { mechanism: "scram-sha-256", username: "gateway", password: "right-password" } as const;
  const { sink } = sinkFor(kafka, {
    brokers: [...kafka.brokers, "127.0.0.1:1"],
    topic: "{topic}",
    topicAllow: ["checked", "nowhere"],
    tls: { ca },
    sasl,
  });
  // What was allowed holds a moment later.
  const findings = await eventually("the topic may be used", async () => {
    const found = await sink.check();
    return found.some(({ ok, subject }) => ok && subject.includes("checked")) ? found : null;
  });
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

async function examined(kafka: RunningKafka, ca: string): Promise<void> {
  const examineAs = (username: string, password: string, aheadMs: number) =>
    sinkFor(kafka, {
      brokers: kafka.brokers,
      tls: { ca },
      sasl: { mechanism: "plain", username, password },
    }, { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs }).sink.examine?.();
  const forbidden = await examineAs("gateway", "right-password", 0);
  assert.deepEqual(forbidden?.map(({ ok, result }) => [ok, result]), [
    [true, "not known: this user may not ask its controllers"],
    [true, "not known: this user may not ask for them"],
  ]);
  await setQuota(kafka, "gw-files", 1024 * 1024);
  await allow(kafka, "User:gateway", {
    resource: "cluster",
    name: "kafka-cluster",
    operations: ["describe", "describeConfigs"],
  });
  const permitted = await eventually("they may be asked for", async () => {
    const found = await examineAs("gateway", "right-password", 0);
    return found?.every(({ result }) => !result.startsWith("not known") && !result.startsWith("none")) ? found : null;
  });
  assert.match(permitted[0]?.result ?? "", /^within [\d.]+ (ms|s) of this machine's/);
  assert.equal(permitted[1]?.result, "at each broker gw-files: 1 MiB/s");
  for (const [aheadMs, said] of [[3600_000, /1 h.* ahead of/], [-3600_000, /(1 h|59 min).* behind/]] as const) {
    const [clock] = await examineAs("gateway", "right-password", aheadMs) ?? [];
    assert.equal(clock?.ok, false);
    assert.match(clock?.result ?? "", said);
  }
}

/** Sets the `producer_byte_rate` of a client id. */
async function setQuota(kafka: RunningKafka, clientId: string, bytes: number): Promise<void> {
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(bytes);
  const writer = wireWriter();
  writer.int32(1);
  writer.int32(1);
  writer.string("client-id");
  writer.string(clientId);
  writer.int32(1);
  writer.string("producer_byte_rate");
  const [keep, forReal] = [new Uint8Array(1), new Uint8Array(1)];
  const open = connectionOpener({ clientId: "test", tls: null, sasl: null, connectTimeoutMs: 10_000 }, systemClock);
  const connection = await open(parseBroker(kafka.adminBrokers[0] ?? ""), new AbortController().signal);
  const code = await connection.request({
    apiKey: 49,
    apiVersion: 0,
    apiName: "AlterClientQuotas",
    body: [...writer.parts(), rate, keep, forReal],
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      return reader.array(reader.int16)[0];
    },
  }, 10_000);
  connection.close();
  assert.equal(code, 0);
}

async function transactions(kafka: RunningKafka, ca: string): Promise<void> {
  await kafka.createTopic("rows", 1);
  await mayWrite(kafka, "rows", "stranger");
  const { sink, open } = sinkFor(kafka, {
    brokers: kafka.brokers,
    topic: "rows",
    filesCheckpointTopic: "places",
    tls: { ca },
    sasl: { mechanism: "plain", username: "stranger", password: "strange-password" },
  });
  const ofSubject = async (subject: string) => {
    const found = (await sink.check()).find((finding) => finding.subject.includes(subject));
    return found ?? assert.fail(`nothing is said of ${subject}`);
  };
  const [id, topic] = ["Kafka transactional id", 'Kafka topic "places"'];
  for (const subject of [id, topic]) {
    const { ok, result, advice } = await ofSubject(subject);
    assert.equal(ok, false, result);
    assert.match(result, /no permission/);
    assert.match(advice ?? "", /kafka-acls/);
  }
  await open();
  await eventually("it is told", () => sink.status().trouble?.includes("transactional id"));
  const places = { resource: "topic", name: "places" } as const;
  await allow(kafka, "User:stranger", {
    resource: "transactionalId",
    name: "gw-files",
    operations: ["describe", "write"],
  });
  await eventually("the transactional id is permitted", async () => (await ofSubject(id)).ok);
  await allow(kafka, "User:stranger", { ...places, operations: ["describe", "create"] });
  await eventually("the sink has made it", async () => /no permission to read/.test((await ofSubject(topic)).result));
  await allow(kafka, "User:stranger", { ...places, operations: ["read", "write"] });
  await eventually("it may be read", async () => /compacted, may be read/.test((await ofSubject(topic)).result));
  const chunk = { readings: numbered(0, 3), letters: [], places: [{ key: "gw/f", value: "{}" }] };
  assert.deepEqual(await sink.chunks?.commit(chunk), []);
  assert.ok((await ofSubject(id)).ok, "a check takes nothing away from a gateway that runs");
  assert.deepEqual(await sink.chunks?.commit({ ...chunk, readings: numbered(3, 5) }), []);
  await sink.close();
  assert.deepEqual(await idsIn(kafka, "rows"), idsOf(numbered(0, 5)));
}

/** What an ordinary producer is given of a topic: all but the reading of settings. */
function mayWrite(kafka: RunningKafka, topic: string, user: string): Promise<void> {
  return allow(kafka, `User:${user}`, { resource: "topic", name: topic, operations: ["write", "describe"] });
}
