import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { join } from "node:path";
import { machineDisk } from "../../../src/source/files/disk.ts";
import { csv, rows, withRig } from "./harness.ts";

const archived = "done/2026/01/01/a.csv";
const quick = { ready: "rename", pollMs: 500, quietMs: 2000, readAheadRows: 500 } as const;

Deno.test("appended while it is read: it goes on until the file is complete", () =>
  withRig(quick, async (rig) => {
    const path = await rig.drop("a.csv", csv(20_000));
    await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is being read");
    await Deno.writeTextFile(path, "more0\n", { append: true });
    await rig.flowUntil(() => rig.values().includes("more0"), "the first addition is read");
    assert.equal(await rig.exists(archived), false);
    await Deno.writeTextFile(path, "more1\n", { append: true });
    await rig.flowUntil(() => rig.exists(archived), "it is archived");
    assert.deepEqual(rig.values(), [...rows(20_000), "more0", "more1"]);
    assert.equal(rig.said("files.file_quarantined").length, 0);
    const [record] = rig.store.records.values();
    assert.equal(record?.sha256, await sha256(join(rig.folder, archived)));
  }));

Deno.test("appended while Weir was away: it goes on from the checkpoint under the same ids", () =>
  withRig({ ...quick, checkpointMs: 100 }, async (rig) => {
    const path = await rig.drop("a.csv", csv(8000));
    await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is being read");
    rig.settle(rig.take(10));
    await rig.until(() => [...rig.store.records.values()][0]?.checkpoint?.row === 10, "the checkpoint is at row 10");
    await rig.source.close();
    await Deno.writeTextFile(path, "more\n", { append: true });
    await rig.restart();
    await rig.flowUntil(() => rig.exists(archived), "it is archived");
    assert.deepEqual(rig.values(), [...rows(8000), "more"]);
    assert.equal(rig.store.records.size, 1);
  }));

Deno.test("truncated while it is read: stopped and quarantined, rows sent stay sent", () =>
  withRig(quick, async (rig) => {
    const path = await rig.drop("a.csv", csv(20_000));
    await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is being read");
    await Deno.truncate(path, 100);
    await rig.flowUntil(() => rig.exists("error/a.csv.error.json"), "it is quarantined");
    const note = JSON.parse(await Deno.readTextFile(join(rig.folder, "error/a.csv.error.json")));
    assert.match(note.reason, /truncated/);
    assert.equal(note.read, rig.values().length);
    assert.ok(rig.values().length > 20 && rig.values().length < 20_000);
  }));

Deno.test("rewritten while it is read, in the same size: found out at the end at the latest", () =>
  withRig(quick, async (rig) => {
    const path = await rig.drop("a.csv", csv(20_000), 1000);
    await rig.flowUntil(() => rig.values().length > 10_000, "the second chunk is read");
    const bytes = await Deno.readFile(path);
    bytes[70_000] = 88;
    const file = await Deno.open(path, { write: true });
    await file.write(bytes);
    file.close();
    await rig.flowUntil(() => rig.said("files.file_quarantined").length === 1, "it is quarantined");
    assert.match(rig.said("files.file_quarantined")[0]?.message ?? "", /rewritten/);
  }));

Deno.test("touched while it is read: nothing happens", () =>
  withRig(quick, async (rig) => {
    const path = await rig.drop("a.csv", csv(20_000), 1000);
    await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is being read");
    await Deno.utime(path, 5, 5);
    await rig.flowUntil(() => rig.exists(archived), "it is archived");
    assert.equal(rig.values().length, 20_000);
  }));

Deno.test("deleted while it is read: finished from the open handle", () =>
  withRig(quick, async (rig) => {
    const path = await rig.drop("a.csv", csv(20_000));
    await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is being read");
    await Deno.remove(path);
    await rig.flowUntil(() => rig.said("files.file_vanished").length === 1, "it is finished");
    assert.deepEqual(rig.values(), rows(20_000));
    assert.equal([...rig.store.records.values()][0]?.state, "archived");
  }));

Deno.test("replaced by another file while it is read: both are read, each under its own ids", () =>
  withRig(quick, async (rig) => {
    const path = await rig.drop("a.csv", csv(20_000, "old"));
    await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is being read");
    await rig.drop(".new", csv(3, "new"));
    await Deno.rename(join(rig.folder, ".new"), path);
    await rig.flowUntil(() => rig.exists(archived), "the new one is archived");
    assert.deepEqual(rig.values(), [...rows(20_000, "old"), ...rows(3, "new")]);
    assert.equal(rig.store.records.size, 2);
  }));

Deno.test("a writer that paused and writes on into the archived file: read on, with a warning", () =>
  withRig({ ready: "quiet", pollMs: 500, quietMs: 2000 }, async (rig) => {
    const path = await rig.drop("a.csv", csv(5));
    const writer = await Deno.open(path, { append: true });
    await rig.flowUntil(() => rig.exists(archived + ".receipt.json"), "it is archived");
    await writer.write(new TextEncoder().encode("row5\nrow6\n"));
    writer.close();
    await rig.flowUntil(() => rig.values().length === 7, "the rest is read");
    assert.deepEqual(rig.values(), rows(7));
    assert.equal(rig.said("files.file_grew").length, 1);
    await rig.flowUntil(
      async () => JSON.parse(await Deno.readTextFile(join(rig.folder, archived + ".receipt.json"))).read === 7,
      "the receipt says so",
    );
    const ids = new Set(rig.items.map((item) => item.kind === "reading" ? item.id.split("/")[1] : ""));
    assert.equal(ids.size, 1);
  }));

Deno.test("gzip and zstd: resumed inside by inflating again and skipping", async () => {
  for (
    const [name, bytes] of [["a.csv.gz", gzipSync(csv(3000))], ["a.csv.zst", zstdCompressSync(csv(3000))]] as const
  ) {
    await withRig({ ...quick, checkpointMs: 100 }, async (rig) => {
      await rig.drop(name, bytes);
      await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is being read");
      for (let i = 0; i < 100; i++) {
        await rig.until(() => (rig.source.flows[0]?.ready() ?? 0) >= 10, "rows come");
        rig.settle(rig.take(10));
      }
      await rig.until(() => [...rig.store.records.values()][0]?.checkpoint?.row === 1000, "the checkpoint is at 1000");
      await rig.restart();
      await rig.flowUntil(() => rig.exists(`done/2026/01/01/${name}`), "it is archived");
      assert.deepEqual(rig.values(), rows(3000));
      assert.equal([...rig.store.records.values()][0]?.sha256, await sha256(join(rig.folder, "done/2026/01/01", name)));
    });
  }
});

Deno.test("a cut gzip: the rows so far are sent, then it is quarantined, and the next file goes on", () =>
  withRig(quick, async (rig) => {
    const bytes = gzipSync(csv(3000, "cut"));
    await rig.drop("a.csv.gz", bytes.subarray(0, bytes.length - 8), 1000);
    await rig.drop("b.csv", csv(3), 2000);
    await rig.flowUntil(
      async () => await rig.exists("done/2026/01/01/b.csv") && await rig.exists("error/a.csv.gz"),
      "both have left",
    );
    assert.deepEqual(rig.values(), [...rows(3000, "cut"), ...rows(3)]);
    const note = JSON.parse(await Deno.readTextFile(join(rig.folder, "error/a.csv.gz.error.json")));
    assert.equal(note.read, 3000);
    assert.match(note.reason, /cut/);
  }));

Deno.test("too many open files or an I/O error: tried again, said once, nothing lost", () => {
  let failures = 6;
  const failing = () => failures-- > 0 ? Object.assign(new Error("Too many open files"), { code: "EMFILE" }) : null;
  return withRig({
    ...quick,
    disk: {
      async open(path) {
        const error = failing();
        if (error !== null) throw error;
        const file = await machineDisk.open(path);
        return {
          ...file,
          read(buffer) {
            const fault = failures-- === -3 ? Object.assign(new Error("Input/output error"), { code: "EIO" }) : null;
            return fault === null ? file.read(buffer) : Promise.reject(fault);
          },
        };
      },
    },
  }, async (rig) => {
    await rig.drop("a.csv", csv(20_000));
    await rig.flowUntil(() => rig.exists(archived), "it is archived");
    assert.deepEqual(rig.values(), rows(20_000));
    assert.equal(rig.said("files.read_failed").length, 2);
  });
});

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
