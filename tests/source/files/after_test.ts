import assert from "node:assert/strict";
import { join } from "node:path";
import { machineDisk } from "../../../src/source/files/disk.ts";
import { csv, type Rig, rows, withRig } from "./harness.ts";

const quick = { ready: "rename", pollMs: 500 } as const;
const archive = "done/2026/01/01";

const states = (rig: Rig) => [...rig.store.records.values()].map((record) => record.state).sort();

Deno.test("nothing is archived, deleted or said to be done before the last ack", async () => {
  for (const after of ["archive", "delete", "keep"] as const) {
    await withRig({ ...quick, after }, async (rig) => {
      await rig.drop("a.csv", csv(10));
      await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
      const taken = rig.take();
      rig.settle(taken.slice(1));
      await rig.pass(5000);
      assert.ok(await rig.exists("a.csv"));
      assert.deepEqual(states(rig).filter((state) => state !== "reading"), []);
      rig.settle(taken.slice(0, 1));
      await rig.until(() => states(rig).includes("archived"), "it is done");
      assert.equal(await rig.exists("a.csv"), after === "keep");
    });
  }
});

Deno.test("an archived file keeps its mtime, and a second one of its name gets a suffix", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(2, "x"), 1_500_000_000_000);
    await rig.flowUntil(() => rig.exists(archive, "a.csv.receipt.json"), "the first is archived");
    await rig.drop("a.csv", csv(2, "y"));
    await rig.flowUntil(() => rig.exists(archive, "a.csv.2.receipt.json"), "the second is archived");
    assert.equal((await Deno.stat(join(rig.folder, archive, "a.csv"))).mtime?.getTime(), 1_500_000_000_000);
    assert.deepEqual(rig.values(), [...rows(2, "x"), ...rows(2, "y")]);
  }));

Deno.test("a corrected dump of equal size under the same name is a new file", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(3, "a"), 1000);
    await rig.flowUntil(() => rig.exists(archive, "a.csv"), "the first is archived");
    await rig.drop("a.csv", csv(3, "b"), 1000);
    await rig.flowUntil(() => rig.exists(archive, "a.csv.2"), "the second is archived");
    assert.deepEqual(rig.values(), [...rows(3, "a"), ...rows(3, "b")]);
    const ids = rig.items.map((item) => item.kind === "reading" ? item.id : "");
    assert.equal(new Set(ids).size, 6);
  }));

Deno.test("files alike in size, mtime and first 64 KiB have different ids", () =>
  withRig({ ...quick, readAheadRows: 500 }, async (rig) => {
    const head = csv(20_000);
    await rig.drop("a.csv", head + "tail-a\n", 1000);
    await rig.drop("b.csv", head + "tail-b\n", 1000);
    await rig.flowUntil(() => rig.exists(archive, "b.csv"), "both are archived");
    assert.deepEqual(rig.values(), [...rows(20_000), "tail-a", ...rows(20_000), "tail-b"]);
    assert.equal(rig.store.records.size, 2);
    assert.equal(rig.said("files.file_duplicated").length, 0);
  }));

Deno.test("the same bytes again, under whatever name and time: archived as a duplicate, no row is sent", async () => {
  for (const after of ["archive", "delete", "keep"] as const) {
    await withRig({ ...quick, after }, async (rig) => {
      await rig.drop("a.csv", csv(30), 1000);
      await rig.flowUntil(() => states(rig).join() === "archived", "the first is done");
      await rig.drop("b.csv", csv(30), 999_000);
      await rig.flowUntil(() => states(rig).join() === "archived,archived", "the second is done");
      assert.deepEqual(rig.values(), rows(30));
      assert.equal(rig.said("files.file_duplicated").length, 1);
      if (after === "archive") assert.ok(await rig.exists(archive, "b.csv.dup"));
      assert.equal(await rig.exists("b.csv"), after === "keep");
      await rig.restart();
      await rig.pass(5000);
      assert.equal(rig.take().length, 0);
      assert.equal(rig.said("files.file_duplicated").length, 1);
    });
  }
});

Deno.test("after a restart a file that was begun goes on first, so that an older twin that came meanwhile is a duplicate", () =>
  withRig(quick, async (rig) => {
    await rig.drop("b.csv", csv(30), 2000);
    await rig.until(() => rig.take(10).length > 0, "some of it is read");
    rig.settle(rig.items);
    await rig.until(() => rig.store.commits.flat().some((record) => record.checkpoint !== null), "a checkpoint");
    const begun = rig.items.length;
    await rig.source.close();
    await rig.drop("a.csv", csv(30), 1000);
    await rig.restart();
    await rig.flowUntil(() => rig.exists(archive, "a.csv.dup"), "the other is a duplicate");
    assert.deepEqual(rig.values(), rows(30));
    assert.ok(begun < 30);
  }));

Deno.test("the same after a crash before the first checkpoint: no row is read under two ids", () =>
  withRig(quick, async (rig) => {
    await rig.drop("b.csv", csv(30), 2000);
    await rig.until(() => rig.take(10).length > 0, "some of it is read");
    await rig.source.close();
    assert.deepEqual(rig.store.commits.flat().filter(({ checkpoint }) => checkpoint !== null), []);
    await rig.drop("a.csv", csv(30), 1000);
    await rig.restart();
    await rig.flowUntil(() => rig.exists(archive, "a.csv.dup"), "the other is a duplicate");
    const ids = new Set(rig.items.map((item) => item.kind === "reading" ? item.id : ""));
    assert.equal(ids.size, 30);
    assert.deepEqual(new Set(rig.values()), new Set(rows(30)));
  }));

Deno.test("a new file that is gone before it is opened is not waited for", () => {
  let gone = true;
  const open: typeof machineDisk.open = (path) =>
    gone && path.endsWith("a.csv") && openings++ > 0
      ? Promise.reject(new Deno.errors.NotFound(path))
      : machineDisk.open(path);
  let openings = 0;
  return withRig({ ...quick, disk: { open } }, async (rig) => {
    await rig.drop("a.csv", csv(3));
    await rig.until(() => states(rig).includes("archived"), "it is let go");
    gone = false;
    await rig.flowUntil(() => rig.exists(archive, "a.csv"), "it is back, and read");
    assert.deepEqual(rig.values(), rows(3));
  });
});

Deno.test("twins that are dropped together: the second is known when the first is done", () =>
  withRig(quick, async (rig) => {
    await rig.source.close();
    await rig.drop("a.csv", csv(5), 1000);
    await rig.drop("b.csv", csv(5), 1000);
    await rig.restart();
    await rig.flowUntil(() => rig.exists(archive, "b.csv.dup"), "the second is a duplicate");
    assert.deepEqual(rig.values(), rows(5));
  }));

Deno.test("an archived file moved back by hand is a duplicate", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(5), 1000);
    await rig.flowUntil(() => rig.exists(archive, "a.csv"), "it is archived");
    await Deno.rename(join(rig.folder, archive, "a.csv"), join(rig.folder, "a.csv"));
    await rig.flowUntil(() => rig.exists(archive, "a.csv.dup"), "it is archived again");
    assert.deepEqual(rig.values(), rows(5));
  }));

Deno.test("keep: a finished file is never opened again, also after a restart", () => {
  let opened = 0;
  const open = (path: string) => {
    opened += 1;
    return machineDisk.open(path);
  };
  return withRig({ ...quick, after: "keep", disk: { open } }, async (rig) => {
    await rig.drop("a.csv", csv(5));
    await rig.flowUntil(() => states(rig)[0] === "archived", "it is done");
    const before = opened;
    await rig.pass(5000);
    await rig.restart();
    await rig.pass(5000);
    assert.equal(opened, before);
    assert.equal(rig.take().length, 0);
    await Deno.writeTextFile(join(rig.folder, "a.csv"), "row5\n", { append: true });
    await rig.flowUntil(() => rig.values().length === 6, "what was appended is read");
    assert.deepEqual(rig.values(), rows(6));
  });
});

Deno.test("a failure to archive neither loses nor re-sends, is said once and tried again", () => {
  let broken = true;
  const rename = (from: string, to: string) =>
    broken ? Promise.reject(new Deno.errors.PermissionDenied("Permission denied")) : machineDisk.rename(from, to);
  return withRig({ ...quick, disk: { rename } }, async (rig) => {
    await rig.drop("a.csv", csv(5, "a"), 1000);
    await rig.drop("b.csv", csv(5, "b"), 2000);
    await rig.flowUntil(() => rig.values().length === 10, "both are read: one does not stop the other");
    await rig.pass(20_000);
    assert.equal(rig.said("files.after_failed").length, 1);
    await rig.restart();
    await rig.pass(20_000);
    assert.equal(rig.take().length, 0, "a restart does not send them again");
    broken = false;
    const receipts = ["a.csv.receipt.json", "b.csv.receipt.json"];
    await rig.until(
      async () => (await Promise.all(receipts.map((name) => rig.exists(archive, name)))).every(Boolean),
      "it works",
    );
    await rig.until(() => rig.said("files.after_recovered").length === 1, "and says so");
    assert.deepEqual(
      await rig.tree(),
      ["a", "b"].flatMap((name) => [
        `${archive}/${name}.csv`,
        `${archive}/${name}.csv.receipt.json`,
      ]),
    );
  });
});

Deno.test("across file systems a file is copied whole, with its mtime, before the original goes", async () => {
  const elsewhere = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "weir-archive-" });
  try {
    await withRig(quick, async (rig) => {
      const same = (await Deno.stat(elsewhere)).dev === (await Deno.stat(rig.folder)).dev;
      await Deno.symlink(elsewhere, join(rig.folder, "done"));
      await rig.drop("a.csv", csv(1000), 1_500_000_000_000);
      await rig.flowUntil(() => rig.exists(archive, "a.csv.receipt.json"), "it is archived");
      assert.equal(await rig.exists("a.csv"), false);
      assert.equal(await Deno.readTextFile(join(elsewhere, "2026/01/01/a.csv")), csv(1000));
      assert.equal((await Deno.stat(join(elsewhere, "2026/01/01/a.csv"))).mtime?.getTime(), 1_500_000_000_000);
      const finding = (await rig.source.check()).find((one) => one.subject.startsWith("Archive"));
      assert.match(finding?.result ?? "", same ? /./ : /another file system|folder's file system/);
    });
  } finally {
    await Deno.remove(elsewhere, { recursive: true });
  }
});

Deno.test("delete with quiet: one more period shows whether the writer only paused", () =>
  withRig({ ready: "quiet", quietMs: 2000, pollMs: 500, after: "delete" }, async (rig) => {
    const path = await rig.drop("a.csv", csv(5));
    await rig.flowUntil(() => states(rig)[0] === "done", "all rows are home");
    await Deno.writeTextFile(path, "row5\n", { append: true });
    await rig.flowUntil(async () => !await rig.exists("a.csv"), "it is deleted");
    assert.deepEqual(rig.values(), rows(6));
  }));

Deno.test("empty files and files of a header only are finished with no rows", () =>
  withRig(quick, async (rig) => {
    await rig.drop("empty.csv", "");
    await rig.drop("alien-empty.csv", "");
    await rig.drop("header.csv", "name\n");
    await rig.flowUntil(() => rig.said("files.file_finished").length === 3, "all are archived");
    assert.equal((await rig.tree()).length, 6);
    assert.equal(rig.items.length, 0);
    assert.equal(rig.said("files.file_quarantined").length, 0);
    const receipt = JSON.parse(await Deno.readTextFile(join(rig.folder, archive, "header.csv.receipt.json")));
    assert.equal(receipt.read, 0);
  }));

Deno.test("the archive is kept for a time and within a size; only its dated folders are touched", () =>
  withRig({ ...quick, keepForMs: 7 * 86_400_000, archiveBytesMax: 1000 }, async (rig) => {
    const put = async (path: string, bytes: number) => {
      await Deno.mkdir(join(rig.folder, path, ".."), { recursive: true });
      await rig.drop(path, "x".repeat(bytes));
    };
    await rig.source.close();
    await put("done/2025/12/20/old.csv", 10);
    await put("done/2025/12/20/old.csv.receipt.json", 10);
    await put("done/2025/12/30/large.csv", 600);
    await put("done/2025/12/31/kept.csv", 600);
    await put("done/notes/mine.txt", 5000);
    await rig.restart();
    await rig.until(() => rig.said("files.archive_trimmed").length === 1, "it is trimmed");
    assert.deepEqual(await rig.tree(), ["done/2025/12/31/kept.csv", "done/notes/mine.txt"]);
    assert.equal(await rig.exists("done/2025/12/20"), false);
  }));
