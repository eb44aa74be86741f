/**
 * Ten thousand files dropped at once, the real program and a real disk.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runGateway } from "../support/gateway.ts";

Deno.test("10,000 files at once: every row arrives once", async () => {
  const root = await Deno.makeTempDir({ prefix: "weir-many-" });
  const count = 10_000;
  await Deno.mkdir(`${root}/drop`);
  for (let i = 0; i < count; i++) {
    await Deno.writeTextFile(
      `${root}/drop/dump-${i}.csv`,
      `device_id,metric,value,ts\npress,count,${i},1767225600000\n`,
    );
  }
  const { code, stderr } = await runGateway([
    "run",
    ...["--once", "--log-level", "warn", "--gateway", "many", "--state-dir", `${root}/state`],
    ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-cap", "none", "--files-after", "keep"],
    ...["--sink", `ndjson:${root}/out.ndjson`],
  ]);
  assert.equal(code, 0, stderr.slice(-2_000));
  const text = await Deno.readTextFile(`${root}/out.ndjson`);
  const numbers = text.trimEnd().split("\n").map((line) => Number(JSON.parse(line)["value"]));
  assert.equal(numbers.length, count, "nothing twice");
  assert.deepEqual(numbers.toSorted((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
  await Deno.remove(root, { recursive: true });
});
