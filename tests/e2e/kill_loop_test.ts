/**
 * A few rounds of the kill loop in every test run; `deno task soak` has the many.
 *
 * @module
 */
import { kafkaAvailability } from "../support/kafka.ts";
import { startKafkaBehindProxy } from "../support/kafka_proxy.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { printedSeed, say } from "../support/seed.ts";
import { leftOut } from "../support/servers.ts";
import { keepingBroker, killLoop, told } from "./kill_loop.ts";

const suite = "Kill loop";
const rounds = 4;
const program = findMosquittoProgram(suite);
const kafkaMissing = await kafkaAvailability(true);
if (kafkaMissing !== null) leftOut(suite, kafkaMissing);

if (program !== null && kafkaMissing === null) {
  Deno.test("killed at random moments nothing is lost, order holds, and what comes twice is bounded and recognisable", async () => {
    await using behind = await startKafkaBehindProxy();
    await using mosquitto = await startMosquitto(program, { config: keepingBroker });
    const seed = printedSeed("kill loop");
    say(`kill loop: ${told(await killLoop({ ...behind, mosquitto }, { seed, rounds, serversToo: false }))}`);
  });
}
