import assert from "node:assert/strict";
import { parse } from "yaml";
import { findPeers } from "./peers.ts";

const environment = (variables: Readonly<Record<string, string>>) => ({ get: (name: string) => variables[name] });
const job = { brokers: ["127.0.0.1:1", "127.0.0.1:2"], topic: "t" };
const file = { ...job, path: "/tmp/with space/dump.csv" };
const mqtt = { ...job, host: "127.0.0.1", port: 1883, prefix: "p" };

Deno.test("those are run beside that the environment names", () => {
  assert.deepEqual(findPeers(environment({})), []);
  assert.deepEqual(findPeers(environment({ BENCH_TELEGRAF: "", BENCH_BENTHOS: "/b" })).map(({ name }) => name), [
    "Benthos",
  ]);
  const both = findPeers(environment({ BENCH_TELEGRAF: "/t", BENCH_BENTHOS: "/b" }));
  assert.deepEqual(both.map(({ program }) => program), ["/t", "/b"]);
});

Deno.test("Benthos's settings are YAML that says where from and where to", () => {
  const [benthos] = findPeers(environment({ BENCH_BENTHOS: "/b" }));
  assert.ok(benthos);
  const output = {
    kafka_franz: {
      seed_brokers: job.brokers,
      topic: "t",
      key: '${! json("device_id") }',
      idempotent_write: true,
      max_in_flight: 10,
    },
  };
  const csv = parse(benthos.fromFile({ ...file, format: "csv" }));
  assert.deepEqual(csv.input, { csv: { paths: [file.path], batch_count: 1000 } });
  assert.deepEqual(csv.output, output);
  assert.match(csv.pipeline.processors[0].mapping, /root\.value = this\.value\.number\(\)\n/);
  const ndjson = parse(benthos.fromFile({ ...file, format: "ndjson" }));
  assert.deepEqual(ndjson.input.broker.inputs, [{ file: { paths: [file.path], codec: "lines" } }]);
  const stream = parse(benthos.fromMqtt(mqtt));
  assert.deepEqual(stream.input.broker.inputs[0].mqtt.topics, ["p/+/+"]);
  assert.equal(stream.input.broker.inputs[0].mqtt.qos, 1);
  assert.deepEqual(stream.output, output);
});

Deno.test("Telegraf's settings say where from and where to", () => {
  const [telegraf] = findPeers(environment({ BENCH_TELEGRAF: "/t" }));
  assert.ok(telegraf);
  for (const text of [telegraf.fromFile({ ...file, format: "csv" }), telegraf.fromMqtt(mqtt)]) {
    assert.match(text, /brokers = \["127\.0\.0\.1:1", "127\.0\.0\.1:2"\]\n {2}topic = "t"\n/);
    assert.match(text, /required_acks = -1\n/);
  }
  assert.match(telegraf.fromFile({ ...file, format: "csv" }), /files = \["\/tmp\/with space\/dump\.csv"\]/);
  assert.match(telegraf.fromMqtt(mqtt), /servers = \["tcp:\/\/127\.0\.0\.1:1883"\]\n {2}topics = \["p\/\+\/\+"\]\n/);
});
