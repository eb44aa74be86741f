/**
 * Kafka's faults in every test run: each loss alone, and all mixed; `deno task soak` has more seeds and connections that hang for longer.
 *
 * @module
 */
import assert from "node:assert/strict";
import { kafkaAvailability } from "../support/kafka.ts";
import { type FaultKind, faultKinds, startKafkaBehindProxy } from "../support/kafka_proxy.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { printedSeed, say } from "../support/seed.ts";
import { leftOut } from "../support/servers.ts";
import { kafkaFaults, toldFaults } from "./kafka_faults.ts";

const suite = "Kafka's faults";
const program = findMosquitto(suite);
const kafkaMissing = await kafkaAvailability(true);
if (kafkaMissing !== null) leftOut(suite, kafkaMissing);

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
        const options = { seed: seed++, kinds, rows: 6_000, messages: 1_000, hangMsMax: 2_000 };
        const summary = await kafkaFaults({ ...behind, mosquitto }, options);
        say(toldFaults(summary));
        const faults = Object.values(summary.happened).reduce((sum, times) => sum + times, 0);
        assert.ok(faults >= 3, "nothing to stand up to");
      });
    }
  });
}
