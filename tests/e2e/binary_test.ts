/**
 * The compiled programs: what can differ from a run from sources (permissions, the bundle, the worker, the machine) works. The x86_64 one
 * is named in `WEIR_TEST_BINARY_X64`, and then all other end-to-end tests that start the program run it, too; the aarch64 one in
 * `WEIR_TEST_BINARY_ARM64`, with `WEIR_TEST_RUN_ARM64` the words that run it where the machine cannot.
 *
 * @module
 */
import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { dropFile } from "../support/drop_file.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { eventually, leftOut } from "../support/servers.ts";

const native = Deno.env.get("WEIR_TEST_BINARY_X64");
const arm64 = Deno.env.get("WEIR_TEST_BINARY_ARM64");
const emulator = (Deno.env.get("WEIR_TEST_RUN_ARM64") ?? "").split(" ").filter((word) => word !== "");

if (native === undefined) {
  leftOut("the x86_64 program", "WEIR_TEST_BINARY_X64 is not set; compile it with: deno task compile");
} else testsOf("x86_64", [native]);
if (arm64 === undefined) {
  leftOut("the aarch64 program", "WEIR_TEST_BINARY_ARM64 is not set; compile it with: deno task compile:arm64");
} else testsOf("aarch64", [...emulator, arm64]);

function testsOf(architecture: string, program: readonly string[]): void {
  Deno.test(`the ${architecture} program tells its version and commit`, async () => {
    const { code, stdout } = await runGateway(["--version"], {}, program);
    assert.equal(code, 0);
    const version = config.version.replaceAll(".", "\\.");
    assert.match(stdout, new RegExp(`^weir ${version} \\(commit [0-9a-f]{12}\\+?, ${architecture}\\)\n$`));
  });

  Deno.test(`the ${architecture} program refuses wrong settings with 78`, async () => {
    const { code, stderr } = await runGateway(["check", "--files-cap", "fast"], {}, program);
    assert.equal(code, 78);
    assert.match(stderr, /--files-cap/);
  });

  Deno.test(`the ${architecture} program may look at all that doctor tells of the machine`, async () => {
    const stateDir = await Deno.makeTempDir({ prefix: "weir-binary-" });
    const args = ["doctor", "--files-dir", stateDir, "--sink", "stdout", "--state-dir", stateDir, "--json"];
    const { stdout, stderr } = await runGateway(args, {}, program);
    const findings: { readonly subject: string; readonly result: string }[] = JSON.parse(stdout);
    const resultOf = (subject: RegExp) => findings.find((one) => subject.test(one.subject))?.result ?? stderr;
    assert.match(resultOf(/^Disk of the state folder/), /free$/);
    // What the pages of an emulated machine are, nothing tells.
    if (architecture === "x86_64") assert.equal(resultOf(/^Page size/), "4 KiB");
    await Deno.remove(stateDir, { recursive: true });
  });

  Deno.test(`the ${architecture} program comes to the end of a pattern that would take hours to backtrack`, async () => {
    const root = await Deno.makeTempDir({ prefix: "weir-binary-" });
    const site = { type: "string", pattern: "^.*a.*a.*a.*b$" };
    await Deno.writeTextFile(`${root}/schema.json`, JSON.stringify({ type: "object", properties: { site } }));
    await Deno.mkdir(`${root}/drop`);
    await Deno.writeTextFile(`${root}/drop/a.csv`, `site\n${"a".repeat(20_000)}\naaab\n`);
    const { code, stderr } = await runGateway(
      [
        ...["run", "--files-dir", `${root}/drop`, "--files-ready", "rename", "--once", "--gateway", "gw"],
        ...["--schema", `${root}/schema.json`, "--sink", `ndjson:${root}/out.ndjson`, "--state-dir", `${root}/state`],
      ],
      {},
      program,
    );
    assert.equal(code, 0, stderr);
    assert.match(await Deno.readTextFile(`${root}/out.ndjson`), /^[^\n]*"aaab"[^\n]*\n$/);
    await Deno.remove(root, { recursive: true });
  });

  Deno.test(`the ${architecture} program reads a file once, keeps its dead letters, and drains on SIGTERM`, async () => {
    const root = await Deno.makeTempDir({ prefix: "weir-binary-" });
    await Deno.mkdir(`${root}/drop`);
    await Deno.writeTextFile(`${root}/drop/a.csv`, "device_id,metric,value\nd,m,1\nragged\nd,m,3\n");
    const args = [
      ...["run", "--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-poll", "1s"],
      ...["--sink", `ndjson:${root}/out.ndjson`, "--state-dir", `${root}/state`, "--gateway", "gw"],
    ];
    const readings = async () =>
      (await Deno.readTextFile(`${root}/out.ndjson`)).split("\n").filter((line) => line !== "").map((line) =>
        JSON.parse(line).value
      );
    const once = await runGateway([...args, "--once"], {}, program);
    assert.equal(once.code, 0, once.stderr);
    assert.deepEqual(await readings(), [1, 3]);

    const gateway = startGateway(args, {}, program);
    try {
      await gateway.logged(/ is "gw":/);
      await dropFile(`${root}/drop`, "b.csv", "device_id,metric,value\nd,m,4\n");
      await eventually("the second file arrives", async () => (await readings()).includes(4));
      assert.equal(await gateway.stop(), 0, gateway.stderr());
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
    // What the ledger's worker wrote is there for the next process, here one that starts quickly.
    const letters = await runGateway(["dlq", "list", "--json", "--state-dir", `${root}/state`]);
    assert.equal(JSON.parse(letters.stdout).reason, "bad_csv");
    await Deno.remove(root, { recursive: true });
  });
}
