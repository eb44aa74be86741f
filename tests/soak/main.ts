/**
 * The long forms of the tests that try to break the guarantees: `deno task soak`. They need Mosquitto, Kafka and kcat as the tests do.
 *
 *     deno task soak                         50,000 simulated worlds, 200 rounds of the kill loop, 20 seeds of Kafka's faults
 *     deno task soak --rounds 1000 --seed 7  more rounds; the first seed
 *     deno task soak --rounds 0 --faults 50  Kafka's faults, after the simulation
 *     deno task soak --rounds 0 --faults 0 --simulation 1000000    the simulation alone, for a day
 *
 * It stops at the first promise that does not hold and names its seed, which `--seed N --rounds 10` shows again.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { kafkaFaults, toldFaults } from "../e2e/kafka_faults.ts";
import { keepingBroker, killLoop, type KillSummary, told } from "../e2e/kill_loop.ts";
import { playSeed } from "../simulation/seeds.ts";
import { startKafkaBehindProxy } from "../support/kafka_proxy.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { say } from "../support/seed.ts";

/** How often the simulation tells how far it is, in seeds. */
const toldEvery = 5000;
/** Rounds on one topic: a failing seed is shown again in a minute. */
const roundsPerSeed = 10;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    faults: { type: "string", default: "20" },
    simulation: { type: "string", default: "50000" },
    seed: { type: "string" },
  },
});
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
await soakSimulation(Number(values.simulation));
if (Number(values.rounds) + Number(values.faults) === 0) Deno.exit(0);
const program = findMosquittoProgram("Soak");
if (program === null) Deno.exit(69);

await using mosquitto = await startMosquitto(program, { config: keepingBroker });
await soakKills(Number(values.rounds));
await soakFaults(Number(values.faults));

async function soakSimulation(seeds: number): Promise<void> {
  for (let played = 0; played < seeds; played++) {
    await playSeed(firstSeed + played);
    if ((played + 1) % toldEvery === 0) say(`simulation: ${played + 1} seeds from ${firstSeed} on`);
  }
}

async function soakKills(rounds: number): Promise<void> {
  if (rounds === 0) return;
  await using behind = await startKafkaBehindProxy();
  const all: KillSummary[] = [];
  for (let done = 0; done < rounds; done += roundsPerSeed) {
    const seed = firstSeed + done / roundsPerSeed;
    const options = { seed, rounds: Math.min(roundsPerSeed, rounds - done), serversToo: true };
    const summary = await killLoop({ ...behind, mosquitto }, options);
    all.push(summary);
    say(`kill loop, seed ${seed}: ${told(summary)}`);
  }
  say(`kill loop, sum: ${told(all.reduce(added))}`);
}

async function soakFaults(seeds: number): Promise<void> {
  if (seeds === 0) return;
  await using behind = await startKafkaBehindProxy();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const summary = await kafkaFaults({ ...behind, mosquitto }, { seed, rows: 20_000, messages: 3_000, share: 0.02 });
    say(`Kafka's faults, seed ${seed}: ${toldFaults(summary)}`);
  }
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
