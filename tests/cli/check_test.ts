import assert from "node:assert/strict";
import { check } from "../../src/cli/check.ts";
import { WeirError } from "../../src/core/error.ts";
import { fakeContext } from "./fake_context.ts";

const args = ["--files-dir", "/dumps", "--kafka-brokers", "k:9092", "--kafka-topic", "readings"];

Deno.test("check says that the settings are right and what they come to, and starts nothing", async () => {
  const fake = fakeContext(args);
  assert.equal(await check.run(fake.context), 0);
  assert.match(fake.out(), /^The settings are right\.\n/);
  assert.match(fake.out(), /sink {5}Kafka at k:9092, topic readings/);
  assert.deepEqual(fake.seen.calls, []);
});

Deno.test("check tells all mistakes with 78", async () => {
  const fake = fakeContext(["--files-cap", "fast", "--mqtt-qos", "3"]);
  assert.equal(await check.run(fake.context), 78);
  assert.match(fake.err(), /^weir: 5 mistakes in the settings/);
});

Deno.test("what the parts refuse is passed on", async () => {
  const refusal = new WeirError("configuration", "The filter is wrong");
  await assert.rejects(check.run(fakeContext(args, { refusal }).context), refusal);
});

Deno.test("--connect lists what was tried, with advice where it failed, and leaves with 69", async () => {
  const findings = [
    { ok: true, subject: "Folder /dumps", result: "can be read and written" },
    { ok: false, subject: "Kafka k:9092", result: "refused\u001b[31m", advice: "Is it running?" },
  ];
  const fake = fakeContext([...args, "--connect"], { app: { check: () => Promise.resolve(findings) } });
  assert.equal(await check.run(fake.context), 69);
  assert.match(
    fake.out(),
    /ok {4}Folder \/dumps: can be read and written\nFAIL {2}Kafka k:9092: refused\\u001b\[31m\n {6}Is it running\?\n/,
  );
  assert.match(fake.out(), /1 of 2 did not work/);
  assert.ok(!fake.out().includes("\u001b"));
});

Deno.test("--connect leaves with 0 when all works, and has colours only on a terminal", async () => {
  const app = { check: () => Promise.resolve([{ ok: true, subject: "Kafka", result: "fine" }]) };
  const fake = fakeContext([...args, "--connect"], { app, colour: true });
  assert.equal(await check.run(fake.context), 0);
  assert.ok(fake.out().includes("\u001b[32mok"));
});

Deno.test("what can be run with and is wrong all the same is warned of, and costs no exit code", async () => {
  const mqtt = ["--mqtt-url", "mqtt://broker.example", "--mqtt-topic", "a", "--mqtt-username", "u"];
  const machine = { files: { "/pw": "hunter2\n" }, modes: { "/pw": 0o644 } };
  const fake = fakeContext([...args, ...mqtt, "--mqtt-password-file", "/pw"], { machine });
  assert.equal(await check.run(fake.context), 0);
  assert.match(fake.out(), /\nWarning: The secret in "\/pw" is open to everybody on this machine \(mode 0644\).*\.\n/);
  assert.match(fake.out(), /\nWarning: The password for MQTT goes over the network in the clear.*\.\n/);
  assert.ok(!fake.out().includes("hunter2"));
});
