import assert from "node:assert/strict";
import { openLineFile } from "../../../src/sink/ndjson/line_file.ts";

Deno.test("a new file of readings is its owner's and group's alone; one that is there keeps its rights", async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-rights-" });
  try {
    const othersOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o007;
    (await openLineFile(`${folder}/new`, () => {})).close();
    assert.equal(await othersOf(`${folder}/new`), 0);
    await Deno.writeTextFile(`${folder}/old`, "");
    await Deno.chmod(`${folder}/old`, 0o644);
    (await openLineFile(`${folder}/old`, () => {})).close();
    assert.equal(await othersOf(`${folder}/old`), 4);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
