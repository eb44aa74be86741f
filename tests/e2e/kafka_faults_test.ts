/**
 * Kafka's faults in every test run: each loss alone, and all mixed; `deno task soak` has more seeds and connections that hang for longer.
 *
 * @module
 */
import { seededDice } from "../../src/core/dice.ts";
import { kafkaAvailability } from "../support/kafka.ts";
import { type KafkaFlood, whileSending } from "../support/kafka_flood.ts";
import { type FaultKind, faultKinds, type KafkaBehindProxy, startKafkaBehindProxy } from "../support/kafka_proxy.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { printedSeed, say } from "../support/seed.ts";
import { eventually, leftOut } from "../support/servers.ts";
import { kafkaFaults, sumOf, toldFaults } from "./kafka_faults.ts";

const suite = "Kafka's faults";
const program = findMosquitto(suite);
const kafkaMissing = await kafkaAvailability(true);
if (kafkaMissing !== null) leftOut(suite, kafkaMissing);

const hangSeeds = 3;
const hangFaults = 20;
const hangReadings = 4_000;
const patienceMs = 700;

const scenes: readonly (readonly [promise: string, kinds: readonly FaultKind[]])[] = [
  ["acknowledgements lost: 0 lost, 0 doubled, in order", ["acknowledgement_lost"]],
  ["requests lost, whole or in part: 0 lost, 0 doubled, in order", ["request_lost", "cut_in_frame"]],
  ["all mixed, late answers too: 0 lost, 0 doubled, in order", faultKinds],
];

if (program !== null && kafkaMissing === null) {
  Deno.test("through a bad network, without a restart", async (t) => {
    await using behind = await startKafkaBehindProxy();
    await using mosquitto = await startMosquitto(program);
    let seed = printedSeed("Kafka's faults");
    for (const [promise, kinds] of scenes) {
      await t.step(promise, async () => {
        const options = { seed: seed++, kinds, rows: 6_000, messages: 1_000, faults: 3, hangMsMax: 2_000 };
        say(toldFaults(await kafkaFaults({ ...behind, mosquitto }, options)));
      });
    }
    await t.step(
      "connections hang beyond Weir's patience, with many sends in flight: 0 lost, 0 doubled, in order",
      async () => {
        for (let i = 0; i < hangSeeds; i++) await hangs(behind, seed++);
      },
    );
  });
}

/** The sink alone, which is less patient than the gateway's, so that many connections are given up in a few seconds. */
async function hangs({ kafka, proxy }: KafkaBehindProxy, seed: number): Promise<void> {
  const faultsSoFar = () => sumOf(proxy.happened);
  const before = faultsSoFar();
  const act = (flood: KafkaFlood) => {
    proxy.misbehave({ dice: seededDice(seed), kinds: faultKinds, share: 0.2, hangMsMax: 3 * patienceMs });
    return eventually(
      "enough went wrong",
      () => faultsSoFar() - before >= hangFaults && flood.sent >= hangReadings,
    ).then(() => {});
  };
  try {
    const options = { brokers: kafka.brokers, requestTimeoutMs: patienceMs };
    const told = await whileSending(kafka, `hangs-${seed}`, act, options);
    say(`hanging connections, seed ${seed}, ${faultsSoFar() - before} faults: ${told}`);
  } finally {
    proxy.misbehave(null);
  }
}
