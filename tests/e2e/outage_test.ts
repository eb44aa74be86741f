/**
 * An outage of Kafka of a minute in every test run; `deno task soak outage` has a longer one.
 *
 * @module
 */
import { kafkaAvailability, startKafka } from "../support/kafka.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { say } from "../support/seed.ts";
import { leftOut } from "../support/servers.ts";
import { outage, toldOutage } from "./outage.ts";

const suite = "An outage of a minute";
const program = findMosquittoProgram(suite);
const kafkaMissing = await kafkaAvailability(true);
if (kafkaMissing !== null) leftOut(suite, kafkaMissing);

if (program !== null && kafkaMissing === null) {
  Deno.test("Kafka away for a minute at 500 messages/s: all arrive, once, in order, and live readings are live again", async () => {
    // It does not die, so it need not save its sessions all the time, which on a busy disk takes longer than a minute.
    await using mosquitto = await startMosquitto(program, { config: ["max_queued_messages 0"] });
    const kafka = await startKafka({ properties: {} });
    try {
      const options = { name: "outage", seconds: 60, messagesPerSecond: 500 };
      say(`an outage of a minute: ${toldOutage(await outage({ kafka, mosquitto }, options))}`);
    } finally {
      await kafka.close();
    }
  });
}
