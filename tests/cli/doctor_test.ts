/**
 * `weir doctor` on a machine without servers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { doctor } from "../../src/cli/doctor.ts";
import { queueFinding } from "../../src/cli/doctor_broker.ts";
import { machineFindings, pageSizeIn, pageSizeOfKernel } from "../../src/cli/doctor_machine.ts";
import { loadSettings } from "../../src/config/load.ts";
import { fakeMachine } from "../config/fake_machine.ts";
import { fakeContext } from "./fake_context.ts";

const nobody = "http://127.0.0.1:1/status.json";

Deno.test("findings of the parts and of the machine are told with what to do; something wrong is 69", async () => {
  const stateDir = await Deno.makeTempDir({ prefix: "weir-doctor-" });
  try {
    const args = ["--files-dir", "/drop", "--sink", "stdout", "--state-dir", stateDir, "--status-url", nobody];
    const bad = { ok: false, subject: "Folder \u001b[31m", result: "does not exist", advice: "make it" };
    const sick = fakeContext(args, {
      app: { check: () => Promise.resolve([bad]), examine: () => Promise.resolve([{ ...bad, subject: "Beyond" }]) },
    });
    assert.equal(await doctor.run(sick.context), 69, sick.err());
    assert.match(sick.out(), /FAIL {2}Folder \\u001b\[31m: does not exist\n {8}make it\n/);
    assert.match(sick.out(), /ok {4}Running gateway: No gateway answers/);
    assert.match(sick.out(), /FAIL {2}Beyond: .*\n[^]*2 of \d+ need something to be done/);
    assert.equal(sick.out().includes("\u001b"), false);

    const well = fakeContext([...args, "--json"]);
    assert.equal(await doctor.run(well.context), 0, well.out());
    const subjects = JSON.parse(well.out()).map((finding: { subject: string }) => finding.subject).join("\n");
    for (const subject of [/Page size/, /Clock/, /Disk of the state folder/, /Rights on the state folder/]) {
      assert.match(subjects, subject);
    }
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});

Deno.test("a clock that was never set, and a state folder that others can read, are wrong", async () => {
  const stateDir = await Deno.makeTempDir({ prefix: "weir-doctor-" });
  try {
    await Deno.chmod(stateDir, 0o755);
    const args = [
      "--files-dir",
      "/drop",
      "--sink",
      "stdout",
      "--state-dir",
      stateDir,
      "--dead-letter-max",
      "1000000GiB",
    ];
    const loaded = loadSettings("doctor", args, fakeMachine());
    assert.ok(loaded.kind === "settings");
    const wrong = (await machineFindings(loaded.settings, 0)).filter(({ ok }) => !ok);
    assert.deepEqual(wrong.map(({ subject }) => subject.split(" ")[0]), ["Clock", "Disk", "Rights"]);
    assert.match(wrong.at(-1)?.advice ?? "", /chmod 700/);

    const streams = ["--mqtt-url", "mqtt://127.0.0.1", "--mqtt-topic", "a/#", "--spool-max", "1000000GiB"];
    const spooling = loadSettings("doctor", [...streams, "--sink", "stdout", "--state-dir", stateDir], fakeMachine());
    assert.ok(spooling.kind === "settings");
    const [, disk] = (await machineFindings(spooling.settings, 0)).filter(({ ok }) => !ok);
    assert.match(disk?.advice ?? "", /or lower .* or --spool-max \(/);
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});

Deno.test("the page size is read from the auxiliary vector, or from what the kernel was built with", () => {
  const vector = new BigUint64Array([16n, 7n, 6n, 16384n, 0n, 0n]);
  assert.equal(pageSizeIn(new Uint8Array(vector.buffer)), 16384);
  assert.equal(pageSizeIn(new Uint8Array(7)), null);
  assert.equal(pageSizeOfKernel("# CONFIG_ARM64_4K_PAGES is not set\nCONFIG_ARM64_16K_PAGES=y\n"), 16384);
  assert.equal(pageSizeOfKernel("CONFIG_X86=y\n"), null);
});

Deno.test("Mosquitto is told about its defaults, with what it dropped", () => {
  const told = new Map([["$SYS/broker/version", "mosquitto version 2.0.11\u001b"], [
    "$SYS/broker/publish/messages/dropped",
    "7",
  ]]);
  assert.match(queueFinding(told).result, /mosquitto version 2\.0\.11\\u001b.*dropped 7 messages/);
  assert.match(queueFinding(told).advice ?? "", /max_queued_messages/);
  assert.match(queueFinding(new Map()).result, /does not tell/);
});
