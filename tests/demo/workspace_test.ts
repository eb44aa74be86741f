import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededDice } from "../../src/core/dice.ts";
import type { FileStatus } from "../../src/core/status.ts";
import { leftFiles, makeWorkspace, planWorkspace, removeWorkspace } from "../../src/demo/workspace.ts";

const active: FileStatus = {
  folder: "",
  name: "b.csv",
  sizeBytes: 200,
  readBytes: 50,
  rowsRead: 5,
  rowsFinished: 5,
  badRows: 0,
  rowsEstimated: 20,
  etaMs: null,
  verdict: "none",
};

Deno.test("a workspace tells which dumps are left and how far they were read, archives aside, and goes whole", async () => {
  const parent = await mkdtemp(join(tmpdir(), "weir-workspace-"));
  try {
    const workspace = planWorkspace(parent, 1_000_000, seededDice(1));
    assert.deepEqual(await readdir(parent), [], "a plan makes nothing");
    await makeWorkspace(workspace);
    await writeFile(join(workspace.folders.shopfloor, "b.csv"), "");
    await writeFile(join(workspace.folders.historian, "c.csv"), "");
    await makeWorkspace({ ...workspace, state: join(workspace.folders.historian, "done") });
    assert.deepEqual(await leftFiles(workspace, [active]), [
      { name: "b.csv", rowsRead: 5 },
      { name: "c.csv", rowsRead: null },
    ]);
    await removeWorkspace(workspace);
    assert.deepEqual(await readdir(parent), []);
  } finally {
    await rm(parent, { recursive: true });
  }
});

Deno.test("two demos of one second do not share a workspace", () => {
  const dice = seededDice(1);
  assert.notEqual(planWorkspace("/tmp", 1000, dice).root, planWorkspace("/tmp", 1000, dice).root);
});
