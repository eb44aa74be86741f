/**
 * Store and forward, end to end: real Mosquitto, real Kafka, the real program. Kafka is away while sensors go on and Weir is killed in
 * the middle; the broker keeps few messages, so the disk has to.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { arrivalsOf, assertFirstArrivalsInOrder, missingOf } from "../support/arrivals.ts";
import { startGateway } from "../support/gateway.ts";
import { countOf, kafkaAvailability, startKafka } from "../support/kafka.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { startSensors } from "../support/sensor_stream.ts";
import { eventually, leftOut, patienceMs } from "../support/servers.ts";

const suite = "Store and forward end to end";
const mosquittoProgram = findMosquittoProgram(suite);
const kafkaMissing = await kafkaAvailability();
if (kafkaMissing !== null) leftOut(suite, kafkaMissing);

const perSecond = 500;
const brokerKeepsMax = 5_000;
/** How long Kafka is away; `deno task soak` may have longer. */
const outageMs = 1000 * Number(Deno.env.get("WEIR_TEST_OUTAGE_SECONDS") ?? 16);

if (mosquittoProgram !== null && kafkaMissing === null) {
  Deno.test("an outage of Kafka with 500 messages/s and a SIGKILL in it: all arrive in order, and the spool is empty afterwards", async () => {
    const kafka = await startKafka();
    const state = await Deno.makeTempDir({ prefix: "weir-spool-" });
    try {
      // Less than the outage brings: what Weir does not take is lost at the broker.
      await using mosquitto = await startMosquitto(mosquittoProgram, {
        config: [`max_queued_messages ${brokerKeepsMax}`],
      });
      await kafka.createTopic("spooled", 4);
      const args = [
        "run",
        ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}"],
        ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", "spooled", "--state-dir", state],
      ];
      const first = startGateway(args);
      await first.logged(/Receiving from mqtt:/);
      const sensors = await startSensors(mosquitto, perSecond, systemClock);
      const count = () => countOf(kafka, "spooled");
      await eventually("the stream is in Kafka", async () => await count() > perSecond, patienceMs, 200);
      await kafka.stop("SIGKILL");
      await first.logged(/Readings of streams are put aside on disk/);
      const before = sensors.sent;
      await sleep(systemClock, outageMs / 2);
      first.signal("SIGKILL");
      // They wait for the second: how long its start takes, and with it how much the broker has to keep, is the machine's speed.
      await sensors.pause();
      await first.ended;
      const second = startGateway(args);
      try {
        await second.logged(/readings of streams \(.*\) are on disk from before the start/);
        await second.logged(/Connected to mqtt:/);
        await sensors.resume();
        await sleep(systemClock, outageMs / 2);
        await eventually("more came than the broker keeps", () => sensors.sent > before + brokerKeepsMax);
        await kafka.start();
        await second.logged(/All readings that were put aside on disk are sent/);
        await sensors.stop();
        await eventually(
          "everything is in Kafka",
          async () => arrivalsOf(await kafka.read("spooled"), "real_time").numbers.size >= sensors.sent,
          patienceMs,
          500,
        );
        assert.equal(await second.stop(), 0, second.stderr());
      } finally {
        second.signal("SIGKILL");
        await sensors.stop();
      }
      const records = await kafka.read("spooled");
      const { numbers, twice } = arrivalsOf(records, "real_time");
      assert.deepEqual(missingOf(numbers, sensors.sent), []);
      assertFirstArrivalsInOrder(records, "real_time");
      // What the killed one had not acknowledged: at most its receive maximum, and what was on its way to being removed.
      assert.ok(twice <= 2_500, `${twice} came twice`);
      assert.match(second.stderr(), /real_time: .* 0 dropped/);
    } finally {
      await kafka.close();
      await Deno.remove(state, { recursive: true });
    }
  });
}
