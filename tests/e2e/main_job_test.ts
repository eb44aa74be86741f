/**
 * The main job, end to end: real Mosquitto, real Kafka, the real program. Every message and every row arrives exactly once, marked with
 * its origin, rows in order per key; and after a SIGKILL in the middle of a dump nothing is lost and what comes twice is recognisable.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { connectPublisher } from "../../src/demo/publisher.ts";
import { dropFile } from "../support/drop_file.ts";
import { startGateway } from "../support/gateway.ts";
import { type ConsumedRecord, countOf, kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { findMosquitto, type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { eventually, leftOut, patienceMs } from "../support/servers.ts";

const suite = "The main job end to end";
const mosquittoProgram = findMosquitto(suite);
const kafkaMissing = await kafkaAvailability();
if (kafkaMissing !== null) leftOut(suite, kafkaMissing);

if (mosquittoProgram !== null && kafkaMissing === null) {
  Deno.test(suite, async (t) => {
    const kafka = await startKafka();
    try {
      await using mosquitto = await startMosquitto(mosquittoProgram);
      await t.step(
        "every message and every row arrives exactly once, in order per key, with its origin",
        () => everythingOnce(kafka, mosquitto),
      );
      await t.step(
        "a SIGKILL in the middle of a dump loses no row, and what is sent twice has the same weir.id",
        () => killedInTheMiddle(kafka),
      );
      await t.step(
        "SIGTERM drains: what was taken in arrives, and a restart goes on at the next row",
        () => stoppedInTheMiddle(kafka),
      );
      await t.step(
        "an outage of Kafka pauses everything, is said once, and loses and doubles nothing",
        () => kafkaAway(kafka, mosquitto),
      );
    } finally {
      await kafka.close();
    }
  });
}

const rows = 5_000;
const messages = 1_000;

async function everythingOnce(kafka: RunningKafka, mosquitto: Mosquitto): Promise<void> {
  const place = await makePlace();
  await kafka.createTopic("main", 4);
  const gateway = startGateway([
    "run",
    ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}"],
    ...filesArgs(place, "2000"),
    ...kafkaArgs(kafka, "main"),
  ]);
  try {
    await gateway.logged(/Receiving from mqtt:/);
    await dropCsv(place.drop, "dump.csv", rows);
    await publish(mosquitto, messages);
    await eventually(
      "everything is in Kafka",
      async () => await countOf(kafka, "main") >= rows + messages,
      patienceMs,
      500,
    );
    assert.equal(await gateway.stop(), 0, gateway.stderr());
  } finally {
    gateway.signal("SIGKILL");
  }
  const records = await kafka.read("main");
  const values = records.map(valueOf);
  const fromFile = values.filter((value) => value["origin"] === "batch");
  const fromStream = values.filter((value) => value["origin"] === "real_time");
  assert.equal(records.length, rows + messages, "nothing twice");
  assert.deepEqual(sortedNumbers(fromFile), range(rows), "each row once");
  assert.deepEqual(sortedNumbers(fromStream), range(messages), "each message once");
  assert.equal(new Set(records.map((record) => record.headers["weir.id"])).size, records.length, "ids are unique");
  assertOrderPerKey(records, "batch");
  assertOrderPerKey(records, "real_time");
  assert.match(gateway.stderr(), /batch: 5,000 read = 5,000 delivered \+ 0 filtered \+ 0 dead-lettered/);
  assert.match(gateway.stderr(), /real_time: 1,000 read = 1,000 delivered \+ 0 filtered \+ 0 dead-lettered/);
  assert.deepEqual(await namesIn(place.drop), ["done"], "the file is archived");
}

async function killedInTheMiddle(kafka: RunningKafka): Promise<void> {
  const place = await makePlace();
  await kafka.createTopic("killed", 4);
  await dropCsv(place.drop, "dump.csv", rows);
  const args = ["run", "--once", ...filesArgs(place, "500"), ...kafkaArgs(kafka, "killed")];
  const first = startGateway(args);
  await eventually("some rows are in Kafka", async () => await countOf(kafka, "killed") > 500, patienceMs, 50);
  first.signal("SIGKILL");
  await first.ended;
  const before = await countOf(kafka, "killed");
  assert.ok(before < rows, `killed in the middle, not after ${before} rows`);

  const second = startGateway(args);
  assert.equal(await second.ended, 0, second.stderr());
  const records = await kafka.read("killed");
  const byId = new Map(records.map((record) => [record.headers["weir.id"], record.value]));
  assert.deepEqual(sortedNumbers([...byId.values()].map(parsed)), range(rows), "no row is lost");
  // In flight (Kf), acknowledged since the last commit, which is a second old at most, and the burst: 160 + 1000 + 20 at a cap of 1000. At
  // half that cap it is half as much; a machine with much else to do commits later than it should.
  const twice = records.length - byId.size;
  assert.ok(twice <= 160 + 1000 + 20, `${twice} rows were sent twice`);
  for (const record of records) {
    const other = byId.get(record.headers["weir.id"]);
    assert.equal(parsed(record.value)["value"], parsed(other ?? null)["value"], "one id, one row");
  }
}

async function stoppedInTheMiddle(kafka: RunningKafka): Promise<void> {
  const place = await makePlace();
  await kafka.createTopic("stopped", 2);
  await dropCsv(place.drop, "dump.csv", rows);
  const args = ["run", "--once", ...filesArgs(place, "2000"), ...kafkaArgs(kafka, "stopped")];
  const first = startGateway(args);
  await eventually("some rows are in Kafka", async () => await countOf(kafka, "stopped") > 500, patienceMs, 50);
  assert.equal(await first.stop(), 0, first.stderr());
  const second = startGateway(args);
  assert.equal(await second.ended, 0, second.stderr());
  const records = await kafka.read("stopped");
  assert.deepEqual(sortedNumbers(records.map(valueOf)), range(rows), "every row once: nothing lost, nothing twice");
}

/** Kafka is killed while both sides flow, and comes back: what was taken in meanwhile was held, not lost. */
async function kafkaAway(kafka: RunningKafka, mosquitto: Mosquitto): Promise<void> {
  // A server that somebody lent us is not ours to kill.
  if (kafka.dir === null) return;
  const place = await makePlace();
  await kafka.createTopic("away", 2);
  await dropCsv(place.drop, "dump.csv", rows);
  const gateway = startGateway([
    "run",
    ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}"],
    ...["--mqtt-client-id", "away"],
    ...filesArgs(place, "1000"),
    ...kafkaArgs(kafka, "away"),
  ]);
  try {
    await gateway.logged(/Receiving from mqtt:/);
    await eventually("some rows are in Kafka", async () => await countOf(kafka, "away") > 500, patienceMs, 50);
    await kafka.stop("SIGKILL");
    await gateway.logged(/ERROR .*Kafka/);
    await publish(mosquitto, messages);
    await kafka.start();
    await eventually(
      "everything is in Kafka",
      async () => await countOf(kafka, "away") >= rows + messages,
      patienceMs,
      200,
    );
    assert.equal(await gateway.stop(), 0, gateway.stderr());
  } finally {
    gateway.signal("SIGKILL");
  }
  const records = await kafka.read("away");
  assert.equal(records.length, rows + messages, "nothing twice");
  const values = records.map(valueOf);
  assert.deepEqual(sortedNumbers(values.filter((value) => value["origin"] === "batch")), range(rows));
  assert.deepEqual(sortedNumbers(values.filter((value) => value["origin"] === "real_time")), range(messages));
  assertOrderPerKey(records, "batch");
  assertOrderPerKey(records, "real_time");
  const said = gateway.stderr().split("\n").filter((line) => /ERROR/.test(line) && /refused the connection/.test(line));
  assert.ok(said.length <= 1, `said once:\n${said.join("\n")}`);
}

interface Place {
  readonly drop: string;
  readonly state: string;
}

async function makePlace(): Promise<Place> {
  const root = await Deno.makeTempDir({ prefix: "weir-e2e-" });
  await Deno.mkdir(`${root}/drop`);
  return { drop: `${root}/drop`, state: `${root}/state` };
}

function filesArgs(place: Place, cap: string): readonly string[] {
  return [
    ...["--files-dir", place.drop, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", cap],
    ...["--state-dir", place.state, "--gateway", "e2e"],
  ];
}

function kafkaArgs(kafka: RunningKafka, topic: string): readonly string[] {
  return ["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", topic];
}

/** Rows of ten devices whose values count up. */
async function dropCsv(folder: string, name: string, count: number): Promise<void> {
  const lines = range(count).map((i) => `press-${i % 10},count,${i},${1_767_225_600_000 + i}`);
  await dropFile(folder, name, `device_id,metric,value,ts\n${lines.join("\n")}\n`);
}

/** Messages of seven devices whose values count up, at QoS 1. */
async function publish(mosquitto: Mosquitto, count: number): Promise<void> {
  const publisher = await connectPublisher({ host: mosquitto.host, port: mosquitto.port, clientId: "e2e-sensors" });
  for (let i = 0; i < count;) {
    if (publisher.publish(`plant/north/sensor-${i % 7}/count`, `{"value":${i}}`)) i += 1;
    else await new Promise<void>((resolve) => void systemClock.after(1, resolve));
  }
  await publisher.idle();
  await publisher.close();
}

function assertOrderPerKey(records: readonly ConsumedRecord[], origin: string): void {
  const last = new Map<string, number>();
  const placeOf = new Map<string, number>();
  for (const record of [...records].sort((a, b) => a.partition - b.partition || a.offset - b.offset)) {
    const value = valueOf(record);
    if (value["origin"] !== origin) continue;
    const key = record.key ?? "";
    assert.equal(key, value["device_id"], "the key is the device");
    assert.equal(placeOf.get(key) ?? record.partition, record.partition, "a key has one partition");
    placeOf.set(key, record.partition);
    assert.ok(Number(value["value"]) > (last.get(key) ?? -1), `${key}: ${value["value"]} after ${last.get(key)}`);
    last.set(key, Number(value["value"]));
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
}

function valueOf(record: ConsumedRecord): Record<string, unknown> {
  return parsed(record.value);
}

function parsed(text: string | null): Record<string, unknown> {
  return JSON.parse(text ?? "null");
}

function sortedNumbers(values: readonly Record<string, unknown>[]): readonly number[] {
  return values.map((value) => Number(value["value"])).sort((a, b) => a - b);
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
