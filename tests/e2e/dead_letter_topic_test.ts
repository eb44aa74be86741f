/**
 * Dead letters with a real Kafka and a real broker: each is sent to its topic, and what is replayed arrives as what it was.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectPublisher } from "../../src/demo/publisher.ts";
import { dropFile } from "../support/drop_file.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { type ConsumedRecord, kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { eventually, leftOut, patienceMs } from "../support/servers.ts";

const suite = "Dead letters with Kafka and MQTT end to end";
const missing = await kafkaAvailability();
const mosquittoProgram = findMosquitto(suite);
if (missing !== null) leftOut(suite, missing);
else if (mosquittoProgram !== null) {
  Deno.test(suite, async () => {
    const kafka = await startKafka();
    try {
      await using mosquitto = await startMosquitto(mosquittoProgram);
      await lettersAndReplay(kafka, mosquitto);
    } finally {
      await kafka.close();
    }
  });
}

async function lettersAndReplay(
  kafka: RunningKafka,
  mosquitto: { readonly url: string; readonly host: string; readonly port: number },
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "weir-letters-" });
  await Deno.mkdir(`${root}/drop`);
  await kafka.createTopic("readings", 2);
  await kafka.createTopic("dead", 2);
  const state = ["--state-dir", `${root}/state`];
  const args = [
    ...["run", ...state, "--gateway", "gw", "--mqtt-url", mosquitto.url, "--log-format", "text"],
    ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", "none"],
    ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", "readings", "--dead-letter-topic", "dead"],
  ];
  const dead = async () => await kafka.read("dead");

  // The topic's only level is no device yet, and `dev` is no name of it.
  const first = startGateway([...args, "--mqtt-topic", "plant/{site}"]);
  try {
    await first.logged(/Receiving from mqtt:/);
    await dropFile(`${root}/drop`, "a.ndjson", '{"dev":"f","metric":"m","value":1}\n{"broken\n');
    const publisher = await connectPublisher({ host: mosquitto.host, port: mosquitto.port, clientId: "pub" });
    publisher.publish("plant/p1", '{"metric":"m","value":2}');
    await publisher.idle();
    await publisher.close();
    await eventually("three letters are in their topic", async () => (await dead()).length >= 3, patienceMs, 300);
  } finally {
    assert.equal(await first.stop(), 0, first.stderr());
  }
  assert.match(first.stderr(), /dead letters: 0 replayed .*; 3 sent to the topic/);
  const letters = new Map(
    (await dead()).map((record) => [record.headers["weir.reason"] + (record.value ?? ""), record]),
  );
  const [fromFile, fromTopic, broken] = [
    letters.get('missing_field{"dev":"f","metric":"m","value":1}\n') ??
      letters.get('missing_field{"dev":"f","metric":"m","value":1}'),
    letters.get('missing_field{"metric":"m","value":2}'),
    [...letters.values()].find((record) => record.headers["weir.reason"] === "bad_json"),
  ];
  assert.ok(fromFile !== undefined && fromTopic !== undefined && broken !== undefined, JSON.stringify([...letters]));
  for (const record of letters.values()) assert.equal(record.key, record.headers["weir.id"]);
  assert.deepEqual([fromFile.headers["weir.origin"], fromFile.headers["weir.row"], fromFile.headers["weir.byte"]], [
    "batch",
    "1",
    "0",
  ]);
  assert.equal(fromFile.headers["weir.source"], `${root}/drop/a.ndjson`);
  assert.deepEqual(
    [fromTopic.headers["weir.origin"], fromTopic.headers["weir.source"], fromTopic.headers["weir.byte"]],
    [
      "real_time",
      "plant/p1",
      undefined,
    ],
  );

  const second = startGateway([...args, "--mqtt-topic", "plant/{device_id}", "--alias", "device_id=dev"]);
  try {
    await second.logged(/Weir .* is "gw"/);
    const replayed = await runGateway(["dlq", "replay", ...state]);
    assert.equal(replayed.code, 0, replayed.stderr);
    assert.match(replayed.stdout, /3 replayed: 2 delivered again, 0 filtered, 1 failed again/);
  } finally {
    assert.equal(await second.stop(), 0, second.stderr());
  }
  const readings = await kafka.read("readings");
  const told = (record: ConsumedRecord) => {
    const { device_id, origin } = JSON.parse(record.value ?? "");
    return [record.headers["weir.id"], record.key, device_id, origin].join(" ");
  };
  assert.deepEqual(
    readings.map(told).sort(),
    [
      `${fromFile.headers["weir.id"]} f f batch`,
      `${fromTopic.headers["weir.id"]} p1 p1 real_time`,
    ].sort(),
  );
  assert.match(second.stderr(), /real_time: 1 read = 1 delivered/);
  assert.match(second.stderr(), /batch: 2 read = 1 delivered \+ 0 filtered \+ 1 dead-lettered/);
  const left = await runGateway(["dlq", "list", "--json", ...state]);
  assert.deepEqual(left.stdout.trim().split("\n").map((line) => JSON.parse(line).id), [broken.headers["weir.id"]]);
  assert.equal((await dead()).length, 3, "a letter that fails again is not a new one");
}
