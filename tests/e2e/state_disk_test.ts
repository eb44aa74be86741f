/**
 * The disk of the state folder takes no writes any more while the gateway runs, and takes them again: real Mosquitto, the real program,
 * and a small file system of its own, which only root can make.
 *
 * Linux refuses to remount a file system read-only while files on it are open for writing, as a database's are; only the file system
 * itself does that, when it is damaged, and then not back. So the database and its log are made immutable instead (`chattr +i`, which ext4
 * holds against open files too): to who writes it is the same, each write fails. Memory that is mapped, as SQLite's index of the log, can
 * be written to on a file system that went read-only, so that file stays as it is.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectPublisher } from "../../src/demo/publisher.ts";
import { systemClock } from "../../src/core/clock.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { findMosquittoProgram, startMosquitto } from "../support/mosquitto.ts";
import { startSensors } from "../support/sensor_stream.ts";
import { eventually, freePort } from "../support/servers.ts";

const suite = "A state disk that takes no writes";
const mosquittoProgram = findMosquittoProgram(suite);
/** Rows of each of two dumps. */
const rows = 200;
const patienceMs = 90_000;

/** A file system that can be made immutable. */
interface SmallDisk extends AsyncDisposable {
  readonly folder: string;
  /** Whether what lies on it can be written. */
  writable(yes: boolean): Promise<void>;
}

/** Makes one; else why it cannot be had. */
async function smallDisk(): Promise<SmallDisk | string> {
  if (Deno.uid() !== 0) return "only root can make a file system";
  const dir = await Deno.makeTempDir({ prefix: "weir-disk-" });
  const folder = `${dir}/mounted`;
  await Deno.mkdir(folder);
  await Deno.writeFile(`${dir}/image`, new Uint8Array());
  await Deno.truncate(`${dir}/image`, 32 << 20);
  const failed = await run("mkfs.ext4", "-q", "-F", `${dir}/image`) ??
    await run("mount", "-o", "loop", `${dir}/image`, folder);
  if (failed !== null) {
    await Deno.remove(dir, { recursive: true });
    return failed;
  }
  return {
    folder,
    async writable(yes) {
      for (const name of ["weir.db", "weir.db-wal"]) {
        assert.equal(await run("chattr", yes ? "-i" : "+i", `${folder}/state/${name}`), null);
      }
    },
    async [Symbol.asyncDispose]() {
      await run("chattr", "-R", "-i", folder);
      await run("umount", folder);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

const disk = mosquittoProgram === null ? suite : await smallDisk();
if (typeof disk === "string") Deno.stderr.writeSync(new TextEncoder().encode(`left out: ${suite}: ${disk}\n`));

if (mosquittoProgram !== null && typeof disk !== "string") {
  Deno.test("a state disk that takes no writes: files pause, streams go on, nothing is acknowledged that is not safe, and all goes on without a restart", async () => {
    await using small = disk;
    await using mosquitto = await startMosquitto(mosquittoProgram, { config: ["max_queued_messages 0"] });
    const root = await Deno.makeTempDir({ prefix: "weir-state-" });
    const out = `${root}/out.ndjson`;
    const state = `${small.folder}/state`;
    await Deno.mkdir(`${root}/drop`);
    const port = freePort();
    const gateway = startGateway([
      "run",
      ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{site}/{device_id}/{metric}"],
      ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", "1000"],
      ...["--sink", `ndjson:${out}`, "--state-dir", state, "--status-listen", `127.0.0.1:${port}`],
    ]);
    const status = async () => await (await fetch(`http://127.0.0.1:${port}/status.json`)).json();
    const delivered = async (origin: "real_time" | "batch") => (await status()).sums[origin].delivered;
    try {
      await gateway.logged(/Receiving from mqtt:/, patienceMs);
      const sensors = await startSensors(mosquitto, 50, systemClock);
      const drop = async (name: string, from: number) => {
        const lines = Array.from({ length: rows }, (_, row) => `press-1,count,${from + row}\n`);
        await Deno.writeTextFile(`${root}/drop/${name}.part`, `device_id,metric,value\n${lines.join("")}`);
        await Deno.rename(`${root}/drop/${name}.part`, `${root}/drop/${name}`);
      };
      await drop("a.csv", 0);
      await eventually("the stream flows", async () => await delivered("real_time") > 0, patienceMs);
      await gateway.logged(/Finished "a.csv"/, patienceMs);

      await small.writable(false);
      await drop("b.csv", rows);
      await gateway.logged(/Cannot write checkpoints, files pause/, patienceMs);
      const bad = await connectPublisher({ host: mosquitto.host, port: mosquitto.port, clientId: "bad" });
      assert.ok(bad.publish("plant/north/sensor-1/count", "{"));
      await gateway.logged(/Dead letters cannot be stored: .*nothing is lost/, patienceMs);
      const before = { real_time: await delivered("real_time"), batch: await delivered("batch") };
      await eventually("streams go on", async () => await delivered("real_time") > before.real_time + 100, patienceMs);
      // No PUBACK overtakes that of the message whose dead letter is not stored.
      const pending = async () => (await status()).sources[0].pendingMessages;
      await eventually("PUBACKs wait", async () => await pending() > 100, patienceMs);
      assert.equal(await delivered("batch"), before.batch, "no row is read where no checkpoint can be written");
      assert.ok((await Deno.stat(`${root}/drop/b.csv`)).isFile);

      await small.writable(true);
      await gateway.logged(/Checkpoints can be written again; files go on/, patienceMs);
      await gateway.logged(/Dead letters are stored again/, patienceMs);
      await gateway.logged(/Finished "b.csv"/, patienceMs);
      await bad.idle();
      await bad.close();
      await sensors.stop();
      await eventually("all is acknowledged", async () => {
        const { sources, sums } = await status();
        return sources[0].pendingMessages === 0 && sums.real_time.read === sensors.sent + 1;
      }, patienceMs);
      assert.equal(await gateway.stop(), 0, gateway.stderr());
      const values = (await Deno.readTextFile(out)).trimEnd().split("\n").map((line) => JSON.parse(line));
      const of = (origin: string) =>
        values.filter((one) => one.origin === origin).map(({ value }) => Number(value)).toSorted((a, b) => a - b);
      assert.deepEqual(of("batch"), Array.from({ length: 2 * rows }, (_, row) => row), "each row once");
      assert.deepEqual(of("real_time"), Array.from({ length: sensors.sent }, (_, n) => n), "each message once");
      const letters = await runGateway(["dlq", "list", "--json", "--state-dir", state]);
      assert.equal(letters.stdout.trimEnd().split("\n").length, 1, letters.stdout);
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** Runs a command; null when it succeeds, else what it says. */
async function run(command: string, ...args: readonly string[]): Promise<string | null> {
  try {
    const { success, stderr } = await new Deno.Command(command, { args: [...args] }).output();
    return success ? null : `${command}: ${new TextDecoder().decode(stderr).trim()}`;
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    return `there is no ${command}`;
  }
}
