/**
 * The suite of all sinks, run on the Kafka sink with a real Kafka.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { systemDice } from "../../src/core/dice.ts";
import { createKafkaSink } from "../../src/sink/kafka/sink.ts";
import { sinkContract } from "../contract/sink_contract.ts";
import { kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { numberedReading } from "../support/readings.ts";
import { leftOut } from "../support/servers.ts";

const suite = "Kafka sink: the suite of all sinks";
// The far end is taken away and brought back, so it must be a server of our own.
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);

if (missing === null) {
  let kafka: RunningKafka | null = null;
  let topics = 0;
  Deno.test.beforeAll(async () => {
    kafka = await startKafka({ properties: { "log.flush.interval.messages": "1" } });
  });
  Deno.test.afterAll(() => kafka?.close());

  sinkContract("kafka", async () => {
    if (kafka === null) throw new Error("Kafka was not started");
    const server = kafka;
    const topic = `contract-${topics++}`;
    await server.createTopic(topic, 3);
    const sink = createKafkaSink(
      { brokers: server.brokers, gateway: "contract", topic },
      { clock: systemClock, dice: systemDice, emit: () => {} },
    );
    return {
      sink,
      arrived: async () => (await server.read(topic)).map((record) => record.value ?? ""),
      peer: { away: () => server.stop("SIGKILL"), back: () => server.start() },
      tooLarge: numberedReading("stream", 999, "large", 2_000_000),
      pass: () => new Promise((resolve) => void systemClock.after(20, resolve)),
      dispose: () => Promise.resolve(),
    };
  });
}
