/**
 * The spool on a disk that is full, and in a state file that is damaged: real Mosquitto, real Kafka, the real program, and a small
 * file system of its own (tmpfs), which only root can make.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { arrivalsOf, assertFirstArrivalsInOrder, missingOf } from "../support/arrivals.ts";
import { startGateway } from "../support/gateway.ts";
import { kafkaAvailability, startKafka } from "../support/kafka.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { startSensors } from "../support/sensor_stream.ts";
import { eventually, freePort, leftOut } from "../support/servers.ts";

const suite = "The spool on a bad disk";
const mosquittoProgram = findMosquittoProgram(suite);
const missing = await kafkaAvailability();
if (missing !== null) leftOut(suite, missing);
if (Deno.uid() !== 0) {
  Deno.stderr.writeSync(new TextEncoder().encode(`left out: ${suite}: only root can make a file system\n`));
}

const perSecond = 200;

if (mosquittoProgram !== null && missing === null && Deno.uid() === 0) {
  Deno.test("a full disk under the spool: streams wait in memory, unacknowledged; a damaged state file: set aside, no loop", async (t) => {
    const kafka = await startKafka();
    const state = await Deno.makeTempDir({ prefix: "weir-full-" });
    await mount("-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", state);
    await using mosquitto = await startMosquitto(mosquittoProgram, { config: ["max_queued_messages 0"] });
    await kafka.createTopic("full", 2);
    const port = freePort();
    const start = () =>
      startGateway([
        "run",
        ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}"],
        ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", "full", "--state-dir", state],
        ...["--status-listen", `127.0.0.1:${port}`],
      ]);
    const status = async () => await (await fetch(`http://127.0.0.1:${port}/status.json`)).json();
    let gateway = start();
    const fails = () => gateway.stderr().split("cannot be put aside on disk").length - 1;
    try {
      await gateway.logged(/Receiving from mqtt:/);
      const sensors = await startSensors(mosquitto, perSecond, systemClock);
      await eventually("the stream flows", async () => (await status()).sums.real_time.delivered > perSecond);

      await t.step("full and with room again: it goes on without a restart", async () => {
        await kafka.stop("SIGKILL");
        await gateway.logged(/Readings of streams are put aside on disk:/);
        await fillUp(state);
        await eventually("the full disk is said", () => fails() === 1);
        await eventually("messages wait in memory", async () => {
          const { spool, sources } = await status();
          return spool.stuck === "failing" && sources[0].pendingMessages >= perSecond;
        });
        await Deno.remove(`${state}/ballast`);
        await gateway.logged(/put aside on disk again/);
        await eventually("they are acknowledged", async () => (await status()).sources[0].pendingMessages < perSecond);
        assert.equal(fails(), 1, "said once");
      });

      await t.step("killed on a full disk: nothing was acknowledged that is not safe", async () => {
        await fillUp(state);
        await eventually("the full disk is said again", () => fails() === 2);
        gateway.signal("SIGKILL");
        await gateway.ended;
        await Deno.remove(`${state}/ballast`);
        gateway = start();
        await gateway.logged(/are on disk from before the start/);
        await kafka.start();
        await gateway.logged(/All readings that were put aside on disk are sent/);
        await sensors.pause();
        await eventually("all is acknowledged", async () => {
          const { sources, sums, spool } = await status();
          return sources[0].pendingMessages === 0 && sums.real_time.open === 0 && spool.readings === 0;
        });
        const records = await kafka.read("full");
        assert.deepEqual(missingOf(arrivalsOf(records, "real_time").numbers, sensors.sent), []);
        assertFirstArrivalsInOrder(records, "real_time");
      });

      await t.step("a state file that is damaged is set aside with what was in it, and streams go on", async () => {
        await kafka.stop("SIGKILL");
        await sensors.resume();
        await eventually("much is on disk", async () => (await status()).spool.readings > perSecond);
        await sensors.pause();
        gateway.signal("SIGKILL");
        await gateway.ended;
        // The log alone would be enough to mend the file.
        for (const end of ["", "-wal"]) await Deno.writeFile(`${state}/weir.db${end}`, new Uint8Array(100).fill(7));
        const from = sensors.sent;
        gateway = start();
        assert.match(await gateway.logged(/state file was damaged/), /put aside on disk, are only there/);
        await kafka.start();
        await gateway.logged(/Receiving from mqtt:/);
        await sensors.resume();
        await eventually("more is sent", () => sensors.sent > from + perSecond);
        await sensors.stop();
        const all = async () => {
          const { sources, sums } = await status();
          return sources[0].pendingMessages === 0 && sums.real_time.open === 0;
        };
        await eventually("all is acknowledged", all);
        assert.equal(await gateway.stop(), 0, gateway.stderr());
        const { numbers } = arrivalsOf(await kafka.read("full"), "real_time");
        assert.deepEqual(missingOf(numbers, sensors.sent).filter((n) => n >= from), []);
      });
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
      await new Deno.Command("umount", { args: [state] }).output();
      await Deno.remove(state, { recursive: true });
      await kafka.close();
    }
  });
}

async function mount(...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("mount", { args: [...args] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Leaves no room at all. */
async function fillUp(folder: string): Promise<void> {
  using file = await Deno.open(`${folder}/ballast`, { create: true, write: true });
  for (let size = 1 << 20; size >= 1;) {
    try {
      if (await file.write(new Uint8Array(size)) < size) size >>= 1;
    } catch {
      size >>= 1;
    }
  }
}
