import assert from "node:assert/strict";
import { join } from "node:path";
import { machineDisk } from "../../../src/source/files/disk.ts";
import { eventually } from "../../support/servers.ts";
import { csv, rows, withRig } from "./harness.ts";

Deno.test("a file is read only after it stood still for the quiet time", () =>
  withRig({}, async (rig) => {
    const path = await rig.drop("a.csv", csv(3));
    await rig.pass(9000);
    assert.equal(rig.take().length, 0);
    await Deno.writeTextFile(path, "row3\n", { append: true });
    await rig.pass(9000);
    assert.equal(rig.take().length, 0, "it grew: the time begins again");
    await rig.flowUntil(() => rig.values().length === 4, "it is read");
    assert.deepEqual(rig.values(), rows(4));
  }));

Deno.test("a step of the wall clock completes nothing", () =>
  withRig({ pollMs: 500 }, async (rig) => {
    await rig.drop("a.csv", csv(3));
    await rig.pass(2000);
    rig.clock.stepWall(3_600_000);
    await rig.pass(5000);
    assert.equal(rig.take().length, 0);
  }));

Deno.test("a file that ends in the middle of a row waits twice as long", () =>
  withRig({ pollMs: 500 }, async (rig) => {
    await rig.drop("a.csv", "name\nrow0\nro");
    await rig.pass(15_000);
    assert.equal(rig.take().length, 0);
    await rig.flowUntil(() => rig.exists("done/2026/01/01/a.csv"), "it is read all the same");
    assert.deepEqual(rig.values(), ["row0", "ro"]);
  }));

Deno.test("with rename a file is read at once", () =>
  withRig({ ready: "rename", pollMs: 500 }, async (rig) => {
    await rig.drop(".a.csv", csv(2));
    await rig.pass(2000);
    assert.equal(rig.take().length, 0);
    await Deno.rename(join(rig.folder, ".a.csv"), join(rig.folder, "a.csv"));
    await rig.until(() => rig.source.flows[0]?.ready() === 2, "it is read");
  }));

Deno.test("with markers a file waits for its marker, and the marker goes when the file goes", () =>
  withRig({ ready: "marker", pollMs: 500 }, async (rig) => {
    await rig.drop("a.csv", csv(2, "a"));
    await rig.drop("b.csv", csv(2, "b"));
    await rig.pass(30_000);
    assert.equal(rig.take().length, 0);
    await rig.drop("b.csv.done", "");
    await rig.flowUntil(async () => rig.values().length > 0 && !await rig.exists("b.csv.done"), "b is done");
    assert.deepEqual(rig.values(), rows(2, "b"));
    await rig.drop("_SUCCESS", "");
    await rig.flowUntil(async () => rig.values().length === 4 && !await rig.exists("_SUCCESS"), "a is done");
    assert.ok(await rig.exists("done/2026/01/01/a.csv"));
  }));

Deno.test("a _SUCCESS that is older than the file does not make it complete", () =>
  withRig({ ready: "marker", pollMs: 500 }, async (rig) => {
    const marker = await rig.drop("_SUCCESS", "");
    await Deno.utime(marker, 1000, 1000);
    await rig.drop("a.csv", csv(2), 2_000_000);
    await rig.pass(5000);
    assert.equal(rig.take().length, 0);
    assert.ok(await rig.exists("_SUCCESS"));
  }));

Deno.test("names of files being written, unknown endings, links and our own folders are never read", () =>
  withRig({ ready: "rename", recursive: true, pollMs: 500 }, async (rig) => {
    const outside = await Deno.makeTempFile({ suffix: ".csv" });
    await Deno.writeTextFile(outside, csv(5, "outside"));
    try {
      for (
        const name of [".a.csv", "a.csv.tmp", "a.csv.part", "a.csv.filepart", "a.csv.inprogress", "~a.csv", "a.txt"]
      ) {
        await rig.drop(name, csv(1));
      }
      for (const folder of ["done", "error", "sub", ".hidden"]) await Deno.mkdir(join(rig.folder, folder));
      await rig.drop("done/x.csv", csv(1, "done"));
      await rig.drop("error/x.csv", csv(1, "error"));
      await rig.drop(".hidden/x.csv", csv(1, "hidden"));
      await rig.drop("sub/x.csv", csv(2, "sub"));
      await Deno.symlink(outside, join(rig.folder, "link.csv"));
      await Deno.symlink("/", join(rig.folder, "sub", "root"));
      await rig.flowUntil(() => rig.exists("done/2026/01/01/sub/x.csv.receipt.json"), "the one file is done");
      await rig.pass(2000);
      assert.deepEqual(rig.values(), rows(2, "sub"));
      assert.equal(rig.said("files.link_ignored").length, 1, "said once");
    } finally {
      await Deno.remove(outside);
    }
  }));

Deno.test("sub-folders are read on request only", () =>
  withRig({ ready: "rename", pollMs: 500 }, async (rig) => {
    await Deno.mkdir(join(rig.folder, "sub"));
    await rig.drop("sub/x.csv", csv(2));
    await rig.pass(3000);
    assert.equal(rig.take().length, 0);
  }));

Deno.test("an own pattern chooses the files", () =>
  withRig({ ready: "rename", pattern: ["plant?_*.{txt,csv}"], pollMs: 500 }, async (rig) => {
    await rig.drop("plant1_a.txt", "one\n");
    await rig.drop("plantX.csv", csv(1));
    await rig.drop("other.csv", csv(1));
    await rig.flowUntil(() => rig.exists("done/2026/01/01/plant1_a.txt"), "the one file is done");
    await rig.pass(2000);
    assert.deepEqual(rig.values(), ["one"]);
  }));

Deno.test("files are read in the order of the time in the name, then mtime, then name, one at a time", () =>
  withRig({ ready: "rename", pollMs: 500, readAheadRows: 4 }, async (rig) => {
    const t = Date.UTC(2026, 0, 1);
    await rig.source.close();
    await rig.drop("dump_20260101T1200.csv", csv(3, "noon"), t);
    await rig.drop("dump_20260101T0900.csv", csv(3, "nine"), t + 20 * 3_600_000);
    await rig.drop("b.csv", csv(3, "b"), t + 10 * 3_600_000);
    await rig.drop("a.csv", csv(3, "a"), t + 10 * 3_600_000);
    await rig.restart();
    await rig.flowUntil(() => rig.values().length === 12, "all are read");
    assert.deepEqual(rig.values(), ["nine", "a", "b", "noon"].flatMap((name) => rows(3, name)));
  }));

Deno.test("a missing folder is waited for and said once", () =>
  withRig({ pollMs: 500, ready: "rename" }, async (rig) => {
    await rig.source.close();
    await Deno.remove(rig.folder, { recursive: true });
    await rig.restart();
    await rig.pass(10_000);
    assert.equal(rig.said("files.folder_unavailable").length, 1);
    await Deno.mkdir(rig.folder);
    await rig.drop("a.csv", csv(2));
    await rig.flowUntil(() => rig.values().length === 2, "the file is read");
    assert.equal(rig.said("files.folder_available").length, 1);
    assert.equal(rig.said("files.folder_unavailable").length, 1);
  }));

Deno.test("a directory event makes the next look come sooner than the poll", () => {
  let hint = () => {};
  const watch = (_folder: string, changed: () => void) => {
    hint = changed;
    return { close() {} };
  };
  return withRig({ ready: "rename", pollMs: 3_600_000, disk: { watch } }, async (rig) => {
    await rig.pass(1000);
    await rig.drop("a.csv", csv(2));
    await rig.pass(5000);
    assert.equal(rig.take().length, 0);
    hint();
    await rig.until(() => rig.source.flows[0]?.ready() === 2, "it is read, long before the poll");
  });
});

Deno.test("the machine's disk gives hints, and none about what is merely read", async () => {
  const folder = await Deno.makeTempDir();
  let hints = 0;
  const watch = machineDisk.watch(folder, () => hints += 1);
  try {
    await Deno.writeTextFile(join(folder, "a.csv"), "x");
    await eventually("it gives a hint", () => hints > 0);
  } finally {
    watch.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("once: what is there is finished, what comes later is left, a missing folder is finished", () =>
  withRig({ once: true, pollMs: 500, quietMs: 3000 }, async (rig) => {
    await rig.source.close();
    await rig.drop("a.csv", csv(5, "a"));
    await rig.drop("alien.csv", csv(5, "b"));
    await rig.restart();
    let finished = false;
    rig.source.finished().then(() => finished = true);
    await rig.pass(1000);
    await rig.drop("later.csv", csv(5, "later"));
    assert.equal(finished, false, "it waits for those that were there to be quiet");
    await rig.flowUntil(() => finished, "it is finished");
    assert.deepEqual(rig.values(), rows(5, "a"));
    assert.ok(await rig.exists("done/2026/01/01/a.csv.receipt.json"));
    assert.ok(await rig.exists("error/alien.csv.error.json"));
    await rig.pass(10_000);
    assert.ok(await rig.exists("later.csv"));
    await rig.source.close();
    await Deno.remove(rig.folder, { recursive: true });
    await rig.restart();
    let emptyFinished = false;
    rig.source.finished().then(() => emptyFinished = true);
    await rig.until(() => emptyFinished, "a missing folder is finished");
    await Deno.mkdir(rig.folder);
  }));
