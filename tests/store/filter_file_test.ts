import assert from "node:assert/strict";
import { WeirError } from "../../src/core/error.ts";
import { filterFile } from "../../src/store/filter_file.ts";

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-filters-" });
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("filters come back for the client id that they were written for, and for its owner's eyes only", async () => {
  await inFolder(async (folder) => {
    const stateDir = `${folder}/state`;
    const file = filterFile(stateDir, "gw1");
    assert.deepEqual(await file.read(), []);
    for (const filters of [["a/+", "$share/g/\u00e9/#"], [], ["x".repeat(10_000), "b"]]) {
      await file.write(filters);
      assert.deepEqual(await file.read(), filters);
    }
    assert.deepEqual(await filterFile(stateDir, "gw2").read(), []);
    const names = (await Array.fromAsync(Deno.readDir(stateDir))).map(({ name }) => name);
    assert.deepEqual(names, ["mqtt-filters.json"]);
    assert.equal(((await Deno.stat(`${stateDir}/mqtt-filters.json`)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("a file that is not understood counts as none, and is written over", async () => {
  await inFolder(async (folder) => {
    const file = filterFile(folder, "gw1");
    for (
      const text of ["", "{", "[]", "null", '{"clientId":"gw1"}', '{"clientId":"gw1","filters":[1]}', "\0".repeat(99)]
    ) {
      await Deno.writeTextFile(`${folder}/mqtt-filters.json`, text);
      assert.deepEqual(await file.read(), [], text);
    }
    await file.write(["a"]);
    assert.deepEqual(await file.read(), ["a"]);
  });
});

Deno.test("where it cannot be written that is told as trouble with the state folder", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/mqtt-filters.json`);
    await assert.rejects(filterFile(folder, "gw1").write(["a"]), (thrown) => {
      return thrown instanceof WeirError && thrown.message.includes("mqtt-filters.json");
    });
  });
});
