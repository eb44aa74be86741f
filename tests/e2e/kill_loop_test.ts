/**
 * Twenty rounds of the kill loop in every test run, and a gateway with a deliberate fault that it must find; `deno task soak` has more
 * rounds, with the servers killed too.
 *
 * @module
 */
import assert from "node:assert/strict";
import { kafkaAvailability } from "../support/kafka.ts";
import { startKafkaBehindProxy } from "../support/kafka_proxy.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { printedSeed, say } from "../support/seed.ts";
import { leftOut } from "../support/servers.ts";
import { earlyProgram } from "./early_sink.ts";
import { keepingBroker, killLoop, told } from "./kill_loop.ts";

const suite = "Kill loop";
const rounds = 15;
const program = findMosquittoProgram(suite);
const kafkaMissing = await kafkaAvailability(true);
if (kafkaMissing !== null) leftOut(suite, kafkaMissing);

if (program !== null && kafkaMissing === null) {
  Deno.test("the kill loop", async (t) => {
    await using behind = await startKafkaBehindProxy();
    await using mosquitto = await startMosquitto(program, { config: keepingBroker });
    const seed = printedSeed("kill loop");
    await t.step(
      "killed at random moments nothing is lost, order holds, and what comes twice is bounded and recognisable",
      async () => {
        say(`kill loop: ${told(await killLoop({ ...behind, mosquitto }, { seed, rounds, serversToo: false }))}`);
      },
    );
    await t.step("with exactly-once files no row comes twice either, beside a stream", async () => {
      const options = { seed: seed + 2, rounds: 5, serversToo: false, exactlyOnce: true };
      say(`kill loop, exactly once: ${told(await killLoop({ ...behind, mosquitto }, options))}`);
    });
    await t.step(
      "a gateway that acknowledges before Kafka has it is found out, where the real one passes",
      async () => {
        const folder = await Deno.makeTempDir({ prefix: "weir-early-" });
        const hard = { seed: seed + 1, rounds: 3, serversToo: false, kafkaHardlyReached: true };
        await killLoop({ ...behind, mosquitto }, hard);
        const options = { ...hard, seed: seed + 3, program: await earlyProgram(folder) };
        const found = await killLoop({ ...behind, mosquitto }, options).then(
          () => null,
          (thrown: Error) => thrown.cause,
        );
        assert.ok(found instanceof Error, "all promises held");
        assert.match(found.message, /are lost/);
        await Deno.remove(folder, { recursive: true });
      },
    );
  });
}
