import assert from "node:assert/strict";
import { WeirError } from "../../../src/core/error.ts";
import { isTopicName, type KafkaSinkOptions, parseBroker, parseOptions } from "../../../src/sink/kafka/options.ts";

const base: KafkaSinkOptions = { brokers: ["a:1"], gateway: "gw", topic: "readings" };

const refusals: readonly (readonly [string, Partial<KafkaSinkOptions>, RegExp])[] = [
  ["no broker", { brokers: [] }, /No Kafka broker/],
  ["a broker with a scheme", { brokers: ["kafka://a:9092"] }, /is not the address/],
  ["a broker with a port that is none", { brokers: ["a:70000"] }, /is not the address/],
  ["an address with control characters", { brokers: ["a\u001b[31m:1"] }, /\\u001b/],
  ["a topic that Kafka does not allow", { topic: "a b" }, /cannot be the name/],
  ["a topic template without a list of topics", { topic: "t-{site}" }, /no topics are allowed/],
  ["a list with a bad topic", { topic: "t-{site}", topicAllow: [".."] }, /"\.\."/],
  ["a key template with a lonely brace", { key: "{device_id" }, /key template/],
  ["a CA that is no certificate", { tls: { ca: "hello" } }, /holds no certificate/],
  ["a CA that is broken", {
    tls: { ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
  }, /cannot be read/],
];
for (const [what, options, message] of refusals) {
  Deno.test(`${what} is refused at once, as configuration`, () => {
    assert.throws(
      () => parseOptions({ ...base, ...options }),
      (thrown) => thrown instanceof WeirError && thrown.code === "configuration" && message.test(thrown.message),
    );
  });
}

Deno.test("brokers are HOST, HOST:PORT or an IPv6 address in brackets", () => {
  assert.deepEqual(parseBroker("kafka.example"), { host: "kafka.example", port: 9092 });
  assert.deepEqual(parseBroker("127.0.0.1:19092"), { host: "127.0.0.1", port: 19092 });
  assert.deepEqual(parseBroker("[::1]:9093"), { host: "::1", port: 9093 });
  assert.deepEqual(parseBroker("[fe80::1]"), { host: "fe80::1", port: 9092 });
});

Deno.test("an empty key template means no keys", () => {
  assert.equal(parseOptions({ ...base, key: "" }).key, null);
  assert.equal(parseOptions({ ...base, key: null }).key, null);
  assert.equal(parseOptions(base).key?.source, "{device_id}");
});

Deno.test("topic names are what Kafka allows", () => {
  for (const good of ["a", "plant.7_line-3", "x".repeat(249), "..."]) assert.ok(isTopicName(good), good);
  for (const bad of ["", ".", "..", "a b", "a/b", "\u00e4", "a\n", "x".repeat(250)]) assert.ok(!isTopicName(bad), bad);
});
