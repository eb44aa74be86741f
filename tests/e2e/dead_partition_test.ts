/**
 * One of two Kafka brokers dies, and with it one of two partitions: real Mosquitto, real Kafka, the real program. The streams of the
 * other partition are not to notice, and those of the dead one wait on disk, acknowledged.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { createPartitioner } from "../../src/sink/kafka/partitioner.ts";
import { arrivalsOf, assertFirstArrivalsInOrder, missingOf } from "../support/arrivals.ts";
import { startGateway } from "../support/gateway.ts";
import { kafkaAvailability } from "../support/kafka.ts";
import { startKafkaCluster } from "../support/kafka_cluster.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { say } from "../support/seed.ts";
import { startSensors, topics } from "../support/sensor_stream.ts";
import { eventually, freePort, leftOut } from "../support/servers.ts";

const suite = "One dead partition";
const mosquittoProgram = findMosquittoProgram(suite);
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);

const perSecond = 200;
/** The dead partition gets more than this during its outage: were it not acknowledged, nothing would come in any more. */
const receiveMax = 1000;

const partitionOf = createPartitioner();
const deadPartition = 1;
const isDead = (n: number) => partitionOf(`sensor-${n % topics}`, 2) === deadPartition;

if (mosquittoProgram !== null && missing === null) {
  Deno.test("with one partition dead the other streams go on, and its own wait on disk, acknowledged: 0 lost, 0 doubled, in order", async () => {
    const state = await Deno.makeTempDir({ prefix: "weir-dead-" });
    await using cluster = await startKafkaCluster();
    await using mosquitto = await startMosquitto(mosquittoProgram);
    await cluster.admin((admin) =>
      admin.createTopics({
        topics: [{
          topic: "halves",
          replicaAssignment: [{ partition: 0, replicas: [1] }, { partition: deadPartition, replicas: [2] }],
        }],
        // It would wait by itself, but gives up when a broker does not know the new topic at once.
        waitForLeaders: false,
      })
    );
    await eventually(
      "both partitions have their leaders",
      async () => (await cluster.leaders("halves")).join() === "1,2",
    );
    const port = freePort();
    const gateway = startGateway([
      "run",
      ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}"],
      ...["--mqtt-receive-max", `${receiveMax}`, "--status-listen", `127.0.0.1:${port}`],
      ...["--kafka-brokers", cluster.adminBrokers.join(","), "--kafka-topic", "halves", "--state-dir", state],
    ]);
    try {
      await gateway.logged(/Receiving from mqtt:/);
      const status = async () => await (await fetch(`http://127.0.0.1:${port}/status.json`)).json();
      const delivered = async () => Number((await status()).sums.real_time.delivered);
      const sensors = await startSensors(mosquitto, perSecond, systemClock);
      await eventually("both get theirs", () => sensors.sent > perSecond);
      await sensors.pause();
      await eventually("all is in Kafka", async () => await delivered() === sensors.sent);

      await cluster.stop(2, "SIGKILL");
      const before = sensors.sent;
      await sensors.resume();
      await gateway.logged(/Readings of streams are put aside on disk/);
      await eventually(
        "more came in than may be unacknowledged",
        () => count(before, sensors.sent, isDead) > receiveMax * 1.1,
      );
      const living = count(before, sensors.sent, (n) => !isDead(n));
      // Nothing of the dead partition can be among them.
      await eventually("the others go on", async () => await delivered() >= before + living);
      // All of them came in by the same connection as the others, and what is taken in goes to the disk in turn.
      const { spool, streamDelay, sources } = await eventually("its own wait on disk", async () => {
        const now = await status();
        return now.spool.readings > receiveMax / 2 ? now : null;
      });
      say(
        `delay of the others p99 ${streamDelay.p99Ms} ms, ${spool.readings} on disk, ${
          sources[0].pendingMessages
        } open`,
      );

      await cluster.start(2);
      await gateway.logged(/All readings that were put aside on disk are sent/);
      await sensors.stop();
      await eventually("all is in Kafka", async () => await delivered() === sensors.sent);
      assert.equal(await gateway.stop(), 0, gateway.stderr());
      const records = await cluster.read("halves");
      const { numbers, twice } = arrivalsOf(records, "real_time");
      assert.deepEqual([missingOf(numbers, sensors.sent), twice], [[], 0]);
      assertFirstArrivalsInOrder(records, "real_time");
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
      await Deno.remove(state, { recursive: true });
    }
  });
}

function count(from: number, to: number, isOne: (n: number) => boolean): number {
  let found = 0;
  for (let n = from; n < to; n++) if (isOne(n)) found += 1;
  return found;
}
