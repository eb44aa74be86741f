/**
 * What bad input gets, through the real program: never a crash, never silence, never a stuck pipeline.
 *
 * @module
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { connectPublisher } from "../../src/demo/publisher.ts";
import { dropFile } from "../support/drop_file.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { findMosquitto, startMosquitto } from "../support/mosquitto.ts";
import { eventually } from "../support/servers.ts";

interface Place {
  readonly root: string;
  readonly drop: string;
  readonly out: string;
  readonly args: readonly string[];
}

async function makePlace(): Promise<Place> {
  const root = await Deno.makeTempDir({ prefix: "weir-bad-" });
  const drop = `${root}/drop`;
  const out = `${root}/out.ndjson`;
  await Deno.mkdir(drop);
  const args = [
    ...["--files-dir", drop, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", "none"],
    ...["--sink", `ndjson:${out}`, "--state-dir", `${root}/state`, "--gateway", "gw"],
  ];
  return { root, drop, out, args };
}

async function readingsIn(path: string): Promise<readonly Record<string, unknown>[]> {
  return (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function lettersOf(place: Place): Promise<readonly Record<string, unknown>[]> {
  const listed = await runGateway(["dlq", "list", "--json", "--state-dir", `${place.root}/state`]);
  assert.equal(listed.code, 0, listed.stderr);
  return listed.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

Deno.test("bad rows become dead letters with row, byte and reason, and the good ones around them arrive", async () => {
  const place = await makePlace();
  const head = new TextEncoder().encode("device_id,metric,value,ts\na,m,1,1767225600\nragged\n");
  const invalid = new Uint8Array([0x62, 0x2c, 0x6d, 0x2c, 0xff, 0xfe, 0x2c, 0x31, 0x0a]);
  const rest = new TextEncoder().encode(
    `,m,3,1767225600\nc,m,4,not a time\n${"x".repeat(1_100_000)},m,5,1767225600\n"open,m,6,1\nd,m,7,1767225600\n`,
  );
  await Deno.writeFile(`${place.drop}/a.csv`, new Uint8Array([...head, ...invalid, ...rest]));
  const ran = await runGateway(["run", "--once", ...place.args]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual((await readingsIn(place.out)).map((reading) => reading["value"]), [1, 7]);
  const reasons = (await lettersOf(place)).map((letter) => [letter["row"], letter["reason"]]);
  assert.deepEqual(reasons.sort((a, b) => Number(a[0]) - Number(b[0])), [
    [2, "bad_csv"],
    [3, "invalid_utf8"],
    [4, "missing_field"],
    [5, "wrong_type"],
    [6, "too_long"],
    [7, "bad_csv"],
  ]);
  assert.match(ran.stderr, /8 read = 2 delivered \+ 0 filtered \+ 6 dead-lettered/);
});

Deno.test("files that cannot be used go to error/ with a reason, and the others go on", async () => {
  const place = await makePlace();
  const text = "device_id,metric,value\n" + "a,m,1\n".repeat(20_000);
  const packed = gzipSync(new TextEncoder().encode(text));
  await Deno.writeFile(`${place.drop}/cut.csv.gz`, packed.subarray(0, packed.length - 20));
  await Deno.writeTextFile(`${place.drop}/no-device.csv`, "metric,value\nm,1\n");
  await Deno.writeTextFile(`${place.drop}/twice.csv`, "device_id,value,metric,value\na,1,m,2\n");
  await Deno.writeTextFile(`${place.drop}/zz-good.csv`, "device_id,metric,value\nlast,m,2\n");
  const ran = await runGateway(["run", "--once", ...place.args]);
  assert.equal(ran.code, 0, ran.stderr);
  const last = (await readingsIn(place.out)).at(-1);
  assert.equal(last?.["device_id"], "last");
  const errors = (await Array.fromAsync(Deno.readDir(`${place.drop}/error`))).map((entry) => entry.name).sort();
  assert.deepEqual(errors, [
    "cut.csv.gz",
    "cut.csv.gz.error.json",
    "no-device.csv",
    "no-device.csv.error.json",
    "twice.csv",
    "twice.csv.error.json",
  ]);
  const why = JSON.parse(await Deno.readTextFile(`${place.drop}/error/no-device.csv.error.json`));
  assert.match(why.reason, /device_id/);
  const cut = JSON.parse(await Deno.readTextFile(`${place.drop}/error/cut.csv.gz.error.json`));
  assert.ok(cut.delivered > 0, "rows before the cut are sent");
});

Deno.test("a second instance on the same state folder is refused with 75", async () => {
  const place = await makePlace();
  const first = startGateway(["run", ...place.args]);
  try {
    await first.logged(/Weir .* is "gw"/);
    const second = await runGateway(["run", ...place.args]);
    assert.equal(second.code, 75, second.stderr);
    assert.match(second.stderr, new RegExp(String(first.pid)), "it names the process that holds it");
  } finally {
    assert.equal(await first.stop(), 0);
  }
});

Deno.test("all mistakes in the settings are told at once, with the nearest name, and the exit code is 78", async () => {
  const ran = await runGateway(["run", "--files-capp", "5", "--files-quiet", "10 parsecs", "--mqtt-qos", "2"]);
  assert.equal(ran.code, 78);
  for (const part of ["--files-cap", "10 parsecs", "--mqtt-qos"]) assert.ok(ran.stderr.includes(part), part);
});

const mosquittoProgram = findMosquitto("Bad MQTT input end to end");
if (mosquittoProgram !== null) {
  Deno.test("a broker and a folder that are not there are waited for and said once; bad messages stop nothing", async () => {
    const place = await makePlace();
    await using mosquitto = await startMosquitto(mosquittoProgram, { off: true });
    await Deno.remove(place.drop);
    const gateway = startGateway([
      "run",
      ...["--mqtt-url", mosquitto.url, "--mqtt-topic", "plant/{device_id}/{metric}", "--mqtt-topic", "other/#"],
      ...place.args,
    ]);
    try {
      await gateway.logged(/ERROR .*127\.0\.0\.1/);
      await mosquitto.start();
      await gateway.logged(/Receiving from mqtt:/);
      const publisher = await connectPublisher({ host: mosquitto.host, port: mosquitto.port, clientId: "bad" });
      const messages: readonly (readonly [string, string | Uint8Array])[] = [
        ["plant/a/temp", '{"value":1}'],
        ["plant/a/temp", "{not json"],
        ["plant/a/temp", new Uint8Array([0xff, 0xfe, 0x00])],
        ["plant/a/temp", ""],
        ["plant/a/temp", '{"value":{"deep":1}}'],
        ["other/x", '{"value":5}'],
        ["plant/a/temp", "{\u001b[31m evil"],
        ["plant/a/temp", '[{"value":2},{"value":3},7]'],
        ["plant/a/temp", "4"],
      ];
      for (const [topic, payload] of messages) publisher.publish(topic, payload);
      await publisher.idle();
      await eventually("the good ones arrived", async () => (await readingsIn(place.out)).length >= 4);
      await Deno.mkdir(place.drop);
      await dropFile(place.drop, "late.csv", "device_id,metric,value\nz,m,9\n");
      await eventually("the folder is found", async () => (await readingsIn(place.out)).length >= 5);
      await publisher.close();
    } finally {
      assert.equal(await gateway.stop(), 0, gateway.stderr());
    }
    const values = (await readingsIn(place.out)).map((reading) => reading["value"]);
    assert.deepEqual(values, [1, 2, 3, 4, 9]);
    const letters = await lettersOf(place);
    assert.equal(letters.length, 7, JSON.stringify(letters));
    const log = gateway.stderr();
    assert.ok(!log.includes("\u001b[31m"), "nothing hostile reaches the log");
    const refused = log.split("\n").filter((line) => /ECONNREFUSED|refused/i.test(line));
    assert.equal(refused.length, 1, `said once:\n${refused.join("\n")}`);
    const missing = log.split("\n").filter((line) => /does not exist/.test(line));
    assert.equal(missing.length, 1, `said once:\n${missing.join("\n")}`);
  });
}
