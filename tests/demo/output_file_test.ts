import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readOutput, sizeOf } from "../../src/demo/output_file.ts";

Deno.test("lines are counted by origin, what is no reading apart, and what stood there before not at all", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-output-"));
  try {
    const path = join(folder, "out.ndjson");
    const before = '{"origin":"batch","value":0}\n';
    const lines = [
      '{"origin":"batch","value":1}',
      '{"origin":"real_time","value":2}',
      '{"origin":"batch","value":3}',
      '{"origin":"elsewhere"}',
      '{"origin":"batch"',
      "null",
    ];
    await writeFile(path, before + lines.map((line) => `${line}\n`).join(""));
    const facts = await readOutput(path, before.length);
    assert.deepEqual(facts.lines, { real_time: 1, batch: 2 });
    assert.deepEqual(facts.samples, { real_time: lines[1], batch: lines[2] });
    assert.equal(facts.invalidLines, 3);
    assert.equal(facts.bytes, await sizeOf(path) - before.length);
  } finally {
    await rm(folder, { recursive: true });
  }
});

Deno.test("a file that is not there has no bytes and no lines", async () => {
  const path = join(tmpdir(), "weir-no-such-file.ndjson");
  assert.equal(await sizeOf(path), 0);
  assert.deepEqual((await readOutput(path, 0)).lines, { real_time: 0, batch: 0 });
});
