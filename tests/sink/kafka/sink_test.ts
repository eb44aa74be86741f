import assert from "node:assert/strict";
import { seededDice } from "../../../src/core/dice.ts";
import type { Lane } from "../../../src/core/flow.ts";
import type { Reading, Reason } from "../../../src/core/reading.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import type { KafkaRequest } from "../../../src/sink/kafka/requests.ts";
import { createKafkaSink, type KafkaSinkOptions } from "../../../src/sink/kafka/sink.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { reading } from "./readings.ts";

/** A sink whose brokers refuse every connection. */
function setUp(options: Partial<KafkaSinkOptions> = {}) {
  const clock = virtualClock();
  const rejected: (readonly [Lane, string, Reason, string])[] = [];
  const said: string[] = [];
  const clientIds: string[] = [];
  const sink = createKafkaSink({ brokers: ["a:1", "b:1"], gateway: "gw", topic: "readings", ...options }, {
    clock,
    dice: seededDice(1),
    emit: (_level, name, message) => void said.push(`${name}: ${message}`),
    openConnection(clientId) {
      clientIds.push(clientId);
      return ({ host }) => Promise.reject(new PathError("refused", `Kafka broker ${host}:1 refused the connection`));
    },
  });
  const open = () =>
    sink.open({
      delivered: () => assert.fail("nothing can be delivered"),
      rejected: (lane: Lane, { id }: Reading, reason, detail) => void rejected.push([lane, id, reason, detail]),
    });
  return { clock, sink, open, rejected, said, clientIds };
}

Deno.test("a topic that the template cannot give is rejected as bad_topic, at once and with the reason", async () => {
  const { sink, open, rejected } = setUp({ topic: "plant-{site}", topicAllow: ["plant-a"] });
  await open();
  sink.send("files", [
    reading("1", { site: "b" }),
    reading("2", {}),
    reading("3", { site: "a" }),
    reading("4", { site: "x\u001b[31m y" }),
    reading("5", { site: null }),
  ]);
  assert.deepEqual(rejected, [
    ["files", "1", "bad_topic", 'The topic "plant-b" is not on the list of allowed topics'],
    ["files", "2", "bad_topic", 'The topic template "plant-{site}" needs "site", which the reading has not'],
    ["files", "4", "bad_topic", 'The topic "plant-x\\u001b[31m y" cannot be the name of a Kafka topic'],
    ["files", "5", "bad_topic", 'The topic template "plant-{site}" needs "site", which the reading has not'],
  ]);
  assert.equal(sink.status().inFlightReadings, 1);
  await sink.close();
});

Deno.test("streams and files have a client each, and an outage of both is told once", async () => {
  const { clock, sink, open, said, clientIds } = setUp();
  await open();
  await clock.advance(60_000);
  assert.deepEqual(clientIds, ["gw-stream", "gw-files"]);
  assert.equal(said.length, 1);
  assert.match(
    said[0] ?? "",
    /^kafka\.trouble_began: Kafka broker [ab]:1 refused the connection\. Is Kafka running there/,
  );
  assert.deepEqual({ ...sink.status(), trouble: sink.status().trouble !== null }, {
    kind: "kafka",
    connected: false,
    trouble: true,
    inFlightReadings: 0,
    retries: 0,
    throttledMs: 0,
  });
  await sink.close();
});

Deno.test("rows of files go in requests of a batch, so that a stream never waits long for the encoding; streams in larger ones", async () => {
  const clock = virtualClock();
  const requests: { readonly client: string; readonly bytes: number }[] = [];
  const address = { host: "a", port: 1 };
  const leaders = [0, 0, 0, 0];
  const answers: Readonly<Record<string, unknown>> = {
    Metadata: {
      controller: 0,
      nodes: [{ node: 0, ...address }],
      topics: [{ topic: "readings", code: 0, leaders }],
    },
    InitProducerId: { code: 0, producerId: 1n, producerEpoch: 0 },
    DescribeConfigs: null,
  };
  const sink = createKafkaSink({ brokers: ["a:1"], gateway: "gw", topic: "readings", key: "{d}" }, {
    clock,
    dice: seededDice(1),
    emit: () => {},
    openConnection: (client) => () =>
      Promise.resolve({
        address,
        live: true,
        request<T>({ apiName, body }: KafkaRequest<T>) {
          if (apiName !== "Produce") return Promise.resolve(answers[apiName] as T);
          requests.push({ client, bytes: body.reduce((sum, piece) => sum + piece.length, 0) });
          return new Promise<T>(() => {});
        },
        retire() {},
        close() {},
      }),
  });
  await sink.open({ delivered() {}, rejected: (_lane, _reading, _reason, detail) => assert.fail(detail) });
  await clock.advance(100);
  for (const lane of ["stream", "files"] as const) {
    sink.send(
      lane,
      Array.from({ length: 4000 }, (_, i) => reading(`${i}`, { d: `${i % 40}` }, `"${"x".repeat(200)}"`)),
    );
    await clock.advance(100);
  }
  const of = (client: string) => requests.filter((request) => request.client === client).map(({ bytes }) => bytes);
  const [stream, files] = [of("gw-stream"), of("gw-files")];
  assert.ok(stream.length === 1 && (stream[0] ?? 0) > 800_000, `${stream}`);
  assert.ok(files.length === 4 && Math.max(...files) < 264 * 1024, `${files}`);
  await sink.close();
});

Deno.test("close ends while nothing can be reached, and leaves no timer", async () => {
  const { clock, sink, open } = setUp();
  await open();
  sink.send("stream", [reading("1")]);
  await clock.advance(500);
  await sink.close();
  assert.equal(clock.timers, 0);
});

Deno.test("check needs no open, names each broker, and says what to do", async () => {
  const { sink } = setUp();
  const findings = await sink.check();
  assert.deepEqual(findings.map(({ ok, subject }) => [ok, subject]), [[false, "Kafka broker a:1"], [
    false,
    "Kafka broker b:1",
  ]]);
  assert.match(findings[0]?.advice ?? "", /--kafka-brokers/);
});

Deno.test("sending before open is a defect", () => {
  assert.throws(() => setUp().sink.send("stream", [reading("1")]), /before it was opened/);
});
