/**
 * The Kafka sink against a real Kafka that wants client certificates: what works, and what people are told when it does not, each cause by
 * its name, in the log once and in `check`; and exactly the permissions that docs/security.md names.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KafkaSinkOptions } from "../../src/sink/kafka/sink.ts";
import { makeAuthority } from "../support/certificates.ts";
import { kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { allow } from "../support/kafka_acls.ts";
import { numbered, sinkFor } from "../support/kafka_rig.ts";
import { eventually, leftOut } from "../support/servers.ts";

const suite = "Kafka sink with a Kafka that wants client certificates";
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);
else {
  Deno.test({
    name: suite,
    async fn(t) {
      const people = await cast();
      const kafka = await startKafka({
        tls: { keyAndCertificatePem: people.server.key + people.server.certificate, clientCa: people.ca },
        tlsBeside: [people.expiredServer, people.elsewhere].map(({ key, certificate }) => key + certificate),
        acl: true,
      });
      try {
        for (const [promise, check] of promises) await t.step(promise, () => check(kafka, people));
      } finally {
        await kafka.close();
      }
    },
  });
}

const past = { from: new Date("2020-01-01T00:00:00Z"), to: new Date("2020-01-31T00:00:00Z") };

/** Everybody who has a certificate. */
async function cast() {
  await using authority = await makeAuthority("Plant CA");
  await using stranger = await makeAuthority("Other CA");
  const client = (name: string) => authority.issue({ name, server: null });
  return {
    ca: authority.ca,
    otherCa: stranger.ca,
    server: await authority.issue({ name: "kafka" }),
    expiredServer: await authority.issue({ name: "kafka", ...past }),
    elsewhere: await authority.issue({ name: "kafka", server: "DNS:elsewhere.example" }),
    gateway: await client("gateway"),
    writer: await client("writer"),
    nobody: await client("nobody"),
    expired: await authority.issue({ name: "gateway", server: null, ...past }),
    foreign: await stranger.issue({ name: "gateway", server: null }),
  };
}

type Cast = Awaited<ReturnType<typeof cast>>;
type Check = (kafka: RunningKafka, people: Cast) => Promise<void>;

const promises: readonly (readonly [string, Check])[] = [
  ["the right certificate writes, as who it says", rightCertificate],
  ["every wrong certificate, ours and the server's, is told by its cause", wrongCertificates],
  ["a certificate that was renewed is shown at the next connection", renewedCertificate],
  ["Write on the topic is all the permission that is needed", fewestPermissions],
];

async function rightCertificate(kafka: RunningKafka, { ca, gateway }: Cast): Promise<void> {
  await kafka.createTopic("mtls", 1);
  await allow(kafka, "User:CN=gateway", { resource: "topic", name: "mtls", operations: ["write", "describe"] });
  const { sink, open, delivered, events } = at(kafka, { topic: "mtls", tls: { ca, identity: gateway } });
  await open();
  sink.send("stream", numbered(0, 10));
  sink.send("files", numbered(10, 20));
  await sink.flush();
  assert.equal(delivered.length, 20);
  const findings = await sink.check();
  assert.deepEqual(findings.map(({ ok }) => ok), [true, true]);
  assert.match(findings[0]?.result ?? "", /connected, TLS with a client certificate/);
  await sink.close();
  assert.deepEqual(events, []);
}

async function wrongCertificates(kafka: RunningKafka, people: Cast): Promise<void> {
  const { ca } = people;
  const [expiredServer = "", elsewhere = ""] = kafka.besideBrokers;
  await Promise.all([
    refused(kafka, "none", { tls: { ca } }, /wants a client certificate, and there is none.*--kafka-cert-file/),
    refused(
      kafka,
      "expired",
      { tls: { ca, identity: people.expired } },
      /our client certificate, which expired on 2020-01-31.*--kafka-cert-file/,
    ),
    refused(
      kafka,
      "of another CA",
      { tls: { ca, identity: people.foreign } },
      /does not accept our client certificate, issued by "Other CA"/,
    ),
    refused(
      kafka,
      "wrong CA",
      { tls: { ca: people.otherCa, identity: people.gateway } },
      /its certificate is not trusted: it was issued by "Plant CA".*--kafka-ca-file/,
    ),
    refused(
      kafka,
      "server expired",
      { brokers: [expiredServer], tls: { ca } },
      /its certificate expired on 2020-01-31/,
    ),
    refused(
      kafka,
      "other host",
      { brokers: [elsewhere], tls: { ca } },
      /is for "DNS:elsewhere.example" and not for "127.0.0.1"/,
    ),
    refused(
      kafka,
      "no permission",
      { topic: "mtls", tls: { ca, identity: people.nobody } },
      /no permission|without permission to describe a topic Kafka says the same/,
      "topic",
    ),
  ]);
}

async function renewedCertificate(kafka: RunningKafka, { ca, expired, gateway }: Cast): Promise<void> {
  let identity = expired;
  const { sink, open, delivered, events } = at(kafka, { topic: "mtls", tls: () => ({ ca, identity }) });
  await open();
  sink.send("stream", numbered(0, 10));
  await eventually("the expired one is refused", () => sink.status().trouble?.includes("expired on 2020-01-31"));
  identity = gateway;
  await sink.flush();
  assert.equal(delivered.length, 10);
  await eventually("the trouble is over", () => sink.status().trouble === null);
  assert.deepEqual(events.map(({ name }) => name), ["kafka.trouble_began", "kafka.trouble_over"]);
  await sink.close();
}

async function fewestPermissions(kafka: RunningKafka, { ca, writer }: Cast): Promise<void> {
  await kafka.createTopic("least", 1);
  const { sink, open, delivered, events } = at(kafka, { topic: "least", tls: { ca, identity: writer } });
  await allow(kafka, "User:CN=writer", { resource: "topic", name: "least", operations: ["write"] });
  await open();
  // Write implies Describe (AclOperation): neither IdempotentWrite on the cluster (Kafka 3.0 and newer) nor DescribeConfigs is needed.
  sink.send("stream", numbered(0, 10));
  await sink.flush();
  assert.equal(delivered.length, 10);
  assert.deepEqual((await sink.check()).map(({ ok }) => ok), [true, true]);
  assert.deepEqual(events, []);
  await sink.close();
}

function at(kafka: RunningKafka, options: Partial<KafkaSinkOptions>) {
  return sinkFor(kafka, { brokers: kafka.brokers, backoff: { firstMs: 50, maxMs: 200 }, ...options });
}

/** Asserts that a sink with these options says once why it cannot write, and that its check says the same. */
async function refused(
  kafka: RunningKafka,
  name: string,
  options: Partial<KafkaSinkOptions>,
  expected: RegExp,
  about: "broker" | "topic" = "broker",
): Promise<void> {
  const { sink, open, events } = at(kafka, { topic: "mtls", ...options });
  await open();
  sink.send("stream", numbered(0, 10));
  await eventually(`${name} is told`, () => events.length > 0);
  assert.match(events[0]?.message ?? "", expected, name);
  const findings = await sink.check();
  const finding = findings.find(({ subject }) => subject.startsWith(`Kafka ${about}`));
  assert.equal(finding?.ok, false, name);
  assert.match(`${finding?.result}. ${finding?.advice}`, expected, `check: ${name}`);
  await sink.close();
  // Without permission two things are refused, each by its name: the producer id and the topic.
  const said = events.map(({ message }) => message);
  assert.equal(new Set(said).size, said.length, name);
  assert.ok(said.length <= (about === "topic" ? 2 : 1), `${name}: ${said.join("\n")}`);
  assert.doesNotMatch(JSON.stringify([events, findings]), /PRIVATE KEY/);
}
