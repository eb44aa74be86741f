/**
 * The kill loop: the real program at a real Mosquitto and a real Kafka, with a stream and a dump under way, is killed (SIGKILL) at random
 * moments, started again, and again. At the end nothing may be lost, what came first must be in order for each key, and what came twice
 * must be within the bound and recognisable.
 *
 * The moments come from a seed, which is printed: the same seed gives the same moments, though not the same interleaving.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { type Dice, seededDice } from "../../src/core/dice.ts";
import { arrivalsOf, assertFirstArrivalsInOrder, missingOf } from "../support/arrivals.ts";
import { dropFile } from "../support/drop_file.ts";
import { type Gateway, runGateway, startGateway } from "../support/gateway.ts";
import type { RunningKafka } from "../support/kafka.ts";
import type { KafkaProxy } from "../support/kafka_proxy.ts";
import type { Mosquitto } from "../support/mosquitto.ts";
import { type SensorStream, startSensors, topics } from "../support/sensor_stream.ts";
import { eventually, patienceMs } from "../support/servers.ts";

/** How a loop is to be. */
export interface KillLoopOptions {
  readonly seed: number;
  /** Starts of the program that end by SIGKILL. */
  readonly rounds: number;
  /** Now and then Mosquitto is restarted and Kafka killed as well. */
  readonly serversToo: boolean;
  /** With `--files-exactly-once`: no row may come twice. Default: off. */
  readonly exactlyOnce?: boolean;
  /**
   * Nearly every request to Kafka is lost until the last kill, and every life takes in readings: each kill hits what Kafka has not. For
   * programs that are to be found out. Default: off.
   */
  readonly kafkaHardlyReached?: boolean;
  /** The program, without its arguments. Default: the one under test. */
  readonly program?: readonly string[];
}

/** What came of it; the promises held, or it would have thrown. */
export interface KillSummary {
  readonly kills: number;
  readonly serverFaults: number;
  readonly messages: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly messagesTwice: number;
  readonly rowsTwice: number;
}

/** One line for people. */
export function told(summary: KillSummary): string {
  const { kills, serverFaults, messages, rows, deadLetters, messagesTwice, rowsTwice } = summary;
  return `${kills} kills, ${serverFaults} server faults: ${messages} messages and ${rows} rows, 0 lost; ` +
    `${deadLetters} bad rows, each a dead letter once; sent twice and recognisable: ${messagesTwice} messages ` +
    `(${(messagesTwice / kills).toFixed(1)} a kill), ${rowsTwice} rows (${(rowsTwice / kills).toFixed(1)} a kill)`;
}

const capRows = 1000;
/** At this cap: in flight, a second between two commits of the checkpoint, and the burst. */
export const rowsTwiceMaxPerKill = 160 + capRows + 20;
/** `--mqtt-receive-max`: what can be taken in and not acknowledged. */
export const messagesTwiceMaxPerKill = 2000;

const rowsPerFile = 900;
const badEvery = 150;
const messagesPerSecond = 250;
const devices = 10;
const longestLifeMs = 1_800;

/** Lines of a mosquitto.conf that keeps what was promised to us (see docs/guarantees.md). */
export const keepingBroker = ["max_queued_messages 0", "autosave_on_changes true", "autosave_interval 1"] as const;

/** Runs the loop on a topic and in folders of its own. */
export async function killLoop(
  servers: { readonly kafka: RunningKafka; readonly proxy: KafkaProxy; readonly mosquitto: Mosquitto },
  options: KillLoopOptions,
): Promise<KillSummary> {
  const { kafka, mosquitto } = servers;
  const { exactlyOnce = false } = options;
  const dice = seededDice(options.seed);
  const root = await Deno.makeTempDir({ prefix: "weir-kill-" });
  const topic = `kill-${options.seed}`;
  await Deno.mkdir(`${root}/drop`);
  await kafka.createTopic(topic, 3);
  // Requests take their time on the way, and die with their sender: otherwise hardly a reading would be in flight when the kill comes.
  const { kafkaHardlyReached = false } = options;
  servers.proxy.misbehave({
    dice: seededDice(options.seed + 1),
    kinds: [kafkaHardlyReached ? "request_lost" : "request_late"],
    share: kafkaHardlyReached ? 0.95 : 0.5,
    hangMsMax: 0,
  });
  const start = () => startGateway(argumentsFor(root, topic, servers, exactlyOnce), {}, options.program);
  let gateway = start();
  let sensors: SensorStream | null = null;
  try {
    // The session has to be there before the first message: what is published to nobody is nobody's.
    await gateway.logged(/Subscribed to/);
    sensors = await startSensors(mosquitto, messagesPerSecond, systemClock);
    let serverFaults = 0;
    let dumps = 0;
    for (let round = 0; round < options.rounds; round++) {
      await dropDump(root, dumps++);
      // Half of the lives end at any moment from the very start on, half of them at any moment while readings flow.
      if (dice() < 0.5 || kafkaHardlyReached) await gateway.logged(/Receiving from mqtt:/);
      if (kafkaHardlyReached) await takenIn(mosquitto, topic);
      await sleep(systemClock, dice() * longestLifeMs, new AbortController().signal);
      if (options.serversToo && dice() < 0.25) {
        await serverFault(servers, sensors, dice);
        serverFaults += 1;
      }
      gateway.signal("SIGKILL");
      await gateway.ended;
      assertNoDefect(gateway);
      gateway = start();
    }
    // What is read last, of each topic and device, is read after the last kill: once it is there, whatever is missing before it is lost.
    if (kafkaHardlyReached) servers.proxy.misbehave(null);
    await gateway.logged(/Connected to mqtt:/);
    await dropDump(root, dumps++);
    await spoken(sensors);
    await sensors.stop();
    const kills = options.rounds;
    const summary = await settled(gateway, { root, topic, kafka, dumps, sent: sensors.sent, kills, exactlyOnce });
    await Deno.remove(root, { recursive: true });
    return { ...summary, serverFaults };
  } catch (thrown) {
    throw new Error(`Kill loop with seed ${options.seed}; folders are kept in ${root}:\n${gateway.stderr()}`, {
      cause: thrown,
    });
  } finally {
    servers.proxy.misbehave(null);
    await sensors?.stop();
    gateway.signal("SIGKILL");
    await gateway.ended;
  }
}

/** Waits until the broker has given more to the gateway: on a slow machine, too, a kill comes after something was taken in. */
async function takenIn(mosquitto: Mosquitto, clientId: string): Promise<void> {
  const given = () => mosquitto.log().split(`Sending PUBLISH to ${clientId} `).length;
  const before = given();
  await eventually("readings are taken in", () => given() > before + 5 * topics);
}

/** Waits until the sensors have said more, each of them. */
async function spoken(sensors: SensorStream): Promise<void> {
  const { sent } = sensors;
  await eventually("the sensors have spoken", () => sensors.sent > sent + 5 * topics);
}

interface Expected {
  readonly root: string;
  readonly topic: string;
  readonly kafka: RunningKafka;
  readonly dumps: number;
  readonly sent: number;
  readonly kills: number;
  readonly exactlyOnce: boolean;
}

/** Waits until everything is there, stops the last gateway and holds what arrived against the promises. */
async function settled(gateway: Gateway, expected: Expected): Promise<Omit<KillSummary, "serverFaults">> {
  const { kafka, topic, root, dumps, sent, kills, exactlyOnce } = expected;
  const badRows = dumps * (rowsPerFile / badEvery);
  const rows = dumps * rowsPerFile - badRows;
  const read = async () => {
    const records = await kafka.read(topic);
    return { records, messages: arrivalsOf(records, "real_time"), rows: arrivalsOf(records, "batch") };
  };
  await eventually(
    "the last reading of each topic and device is in Kafka and all files are archived",
    async () => {
      const now = await read();
      const left = await namesIn(`${root}/drop`);
      return range(sent - topics, sent).every((number) => now.messages.numbers.has(number)) &&
        range(rows - devices, rows).every((number) => now.rows.numbers.has(number)) && left.join() === "done";
    },
    patienceMs + kills * 4_000,
    500,
  );
  assert.equal(await gateway.stop(), 0, gateway.stderr());
  const { records, ...arrived } = await read();
  assert.deepEqual(missingOf(arrived.messages.numbers, sent), [], "messages are lost");
  assert.deepEqual(missingOf(arrived.rows.numbers, rows), [], "rows are lost");
  assertFirstArrivalsInOrder(records, "real_time");
  assertFirstArrivalsInOrder(records, "batch");
  assert.equal(arrived.rows.recognisable, arrived.rows.twice, "a row that came twice has one weir.id");
  assert.equal(arrived.messages.recognisable, arrived.messages.twice, "a message that came twice can be told");
  // kcat reads as a read_committed reader does: what a killed gateway left uncommitted is not there.
  if (exactlyOnce) assert.equal(arrived.rows.twice, 0, "rows came twice");
  assert.ok(arrived.rows.twice <= kills * rowsTwiceMaxPerKill, `${arrived.rows.twice} rows twice in ${kills} kills`);
  assert.ok(arrived.messages.twice <= kills * messagesTwiceMaxPerKill, `${arrived.messages.twice} messages twice`);
  const letters = await deadLettersOf(root);
  assert.deepEqual([new Set(letters).size, letters.length], [badRows, badRows], "each bad row is a dead letter once");
  return {
    kills,
    messages: sent,
    rows,
    deadLetters: letters.length,
    messagesTwice: arrived.messages.twice,
    rowsTwice: arrived.rows.twice,
  };
}

function argumentsFor(
  root: string,
  topic: string,
  { kafka, mosquitto }: { readonly kafka: RunningKafka; readonly mosquitto: Mosquitto },
  exactlyOnce: boolean,
): readonly string[] {
  return [
    "run",
    ...["--log-level", "debug", "--gateway", "kill", "--state-dir", `${root}/state`],
    ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}", "--mqtt-client-id", topic],
    ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", `${capRows}`],
    ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", topic],
    ...(exactlyOnce ? ["--files-exactly-once", "--files-checkpoint-topic", `${topic}-checkpoints`] : []),
  ];
}

/** A dump of ten devices whose values count on from dump to dump; some of its rows are bad. */
async function dropDump(root: string, dump: number): Promise<void> {
  const good = rowsPerFile - rowsPerFile / badEvery;
  let number = dump * good;
  const lines = Array.from(
    { length: rowsPerFile },
    (_, row) =>
      row % badEvery === 7 ? `press-${row % devices},ragged` : `press-${row % devices},count,${number++},1767225600000`,
  );
  // Its time orders it behind the earlier ones.
  const name = `dump-${String(dump).padStart(6, "0")}.csv`;
  await dropFile(`${root}/drop`, name, `device_id,metric,value,ts\n${lines.join("\n")}\n`);
}

/** Mosquitto restarted in good order, or Kafka killed and started again. The sensors wait meanwhile: only Weir is under test. */
async function serverFault(
  { kafka, mosquitto }: { readonly kafka: RunningKafka; readonly mosquitto: Mosquitto },
  sensors: SensorStream,
  dice: Dice,
): Promise<void> {
  if (dice() < 0.5) {
    await sensors.pause();
    await mosquitto.stop();
    await mosquitto.start();
    await sensors.resume();
  } else {
    await kafka.stop("SIGKILL");
    await kafka.start();
  }
}

/** A killed program has no exit code of its own; but it must not have ended by a defect before. */
function assertNoDefect(gateway: Gateway): void {
  assert.doesNotMatch(gateway.stderr(), /defect|Uncaught|Unhandled|TypeError/, gateway.stderr());
}

async function deadLettersOf(root: string): Promise<readonly string[]> {
  const listed = await runGateway(["dlq", "list", "--json", "--limit", "100000", "--state-dir", `${root}/state`]);
  assert.equal(listed.code, 0, listed.stderr);
  return listed.stdout.split("\n").filter((line) => line !== "").map((line) => String(JSON.parse(line)["id"]));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
