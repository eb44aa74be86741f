/**
 * The long forms of the tests that try to break the guarantees: `deno task soak`. They need Mosquitto, Kafka and kcat as the tests do.
 *
 *     deno task soak                              all of them, one after the other
 *     deno task soak kills --rounds 1000          the kill loop, with servers restarted and killed; default: 200 rounds
 *     deno task soak kills --exactly-once         the same with exactly-once files
 *     deno task soak faults --seeds 50            Kafka's faults; default: 20 seeds
 *     deno task soak steady --minutes 240         steady load with random faults; default: 60 minutes
 *     deno task soak outage --minutes 60          Kafka away at 500 messages/s; default: 10 minutes
 *     deno task soak big-file --gigabytes 20      one file without a cap; default: 5 GB
 *     deno task soak simulation --minutes 600     seeds of the simulation; default: 60 minutes
 *
 * It stops at the first promise that does not hold and names its seed, which `--seed N` plays again.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { kafkaFaults, toldFaults } from "../e2e/kafka_faults.ts";
import { keepingBroker, killLoop, type KillSummary, told } from "../e2e/kill_loop.ts";
import { outage, toldOutage } from "../e2e/outage.ts";
import { playSeed } from "../simulation/seeds.ts";
import { startKafka } from "../support/kafka.ts";
import { startKafkaBehindProxy } from "../support/kafka_proxy.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { say } from "../support/seed.ts";
import { bigFile } from "./big_file.ts";
import { steady } from "./steady.ts";

/** Rounds on one topic: a failing seed is shown again in a minute. */
const roundsPerSeed = 10;
/** Seeds of the simulation between two lines about it. */
const toldEvery = 1_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "200" },
    seeds: { type: "string", default: "20" },
    minutes: { type: "string" },
    gigabytes: { type: "string", default: "5" },
    "exactly-once": { type: "boolean", default: false },
    seed: { type: "string" },
  },
});
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const minutesOr = (usual: number) => Number(values.minutes ?? usual);

const soaks: Readonly<Record<string, () => Promise<void>>> = {
  kills: () => soakKills(Number(values.rounds)),
  faults: () => soakFaults(Number(values.seeds)),
  steady: () => soakSteady(minutesOr(60)),
  outage: () => soakOutage(minutesOr(10)),
  "big-file": () => bigFile(Number(values.gigabytes)),
  simulation: () => soakSimulation(minutesOr(60)),
};

const unknown = positionals.filter((name) => soaks[name] === undefined);
const found = findMosquittoProgram("Soak");
if (unknown.length > 0) say(`There is no ${unknown.join(", ")}; there are ${Object.keys(soaks).join(", ")}`);
if (unknown.length > 0 || found === null) Deno.exit(unknown.length > 0 ? 64 : 69);

const program = found;
await using mosquitto = await startMosquitto(program, { config: keepingBroker });
for (const [name, soak] of Object.entries(soaks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  say(`${name}, first seed ${firstSeed}`);
  await soak();
}

async function soakKills(rounds: number): Promise<void> {
  await using behind = await startKafkaBehindProxy();
  const all: KillSummary[] = [];
  for (let done = 0; done < rounds; done += roundsPerSeed) {
    const seed = firstSeed + done / roundsPerSeed;
    const options = {
      seed,
      rounds: Math.min(roundsPerSeed, rounds - done),
      serversToo: true,
      exactlyOnce: values["exactly-once"],
    };
    const summary = await killLoop({ ...behind, mosquitto }, options);
    all.push(summary);
    say(`kill loop, seed ${seed}: ${told(summary)}`);
  }
  say(`kill loop, sum: ${told(all.reduce(added))}`);
}

async function soakFaults(seeds: number): Promise<void> {
  await using behind = await startKafkaBehindProxy();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const summary = await kafkaFaults({ ...behind, mosquitto }, { seed, rows: 20_000, messages: 3_000, share: 0.02 });
    say(`Kafka's faults, seed ${seed}: ${toldFaults(summary)}`);
  }
}

async function soakSteady(minutes: number): Promise<void> {
  await using behind = await startKafkaBehindProxy();
  await steady({ ...behind, mosquitto }, minutes, firstSeed);
}

async function soakOutage(minutes: number): Promise<void> {
  const kafka = await startKafka({ properties: {} });
  // One that saves its sessions at each change, as the kill loop needs it, takes some 60 messages/s on a busy disk.
  await using broker = await startMosquitto(program, { config: ["max_queued_messages 0"] });
  try {
    const options = { name: `outage-${firstSeed}`, seconds: minutes * 60, messagesPerSecond: 500 };
    say(`an outage of ${minutes} minutes: ${toldOutage(await outage({ kafka, mosquitto: broker }, options))}`);
  } finally {
    await kafka.close();
  }
}

async function soakSimulation(minutes: number): Promise<void> {
  const untilMs = performance.now() + minutes * 60_000;
  let played = 0;
  for (; performance.now() < untilMs; played++) {
    await playSeed(firstSeed + played);
    if ((played + 1) % toldEvery === 0) say(`simulation: ${played + 1} seeds from ${firstSeed} on`);
  }
  say(`simulation: ${minutes} minutes, ${played} seeds from ${firstSeed} on, all hold`);
}

function added(a: KillSummary, b: KillSummary): KillSummary {
  return {
    kills: a.kills + b.kills,
    serverFaults: a.serverFaults + b.serverFaults,
    messages: a.messages + b.messages,
    rows: a.rows + b.rows,
    deadLetters: a.deadLetters + b.deadLetters,
    messagesTwice: a.messagesTwice + b.messagesTwice,
    rowsTwice: a.rowsTwice + b.rowsTwice,
  };
}
