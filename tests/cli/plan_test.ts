/**
 * `weir plan` on real folders.
 *
 * @module
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { plan } from "../../src/cli/plan.ts";
import type { FileRecord } from "../../src/core/store.ts";
import { fakeContext } from "./fake_context.ts";

const hourMs = 3_600_000;
const rows = (count: number) =>
  "device_id,metric,value,ts\n" +
  Array.from({ length: count }, (_, i) => `press,count,${100_000 + i},${1_767_225_600_000 + i}\n`).join("");

/** A drop folder with files, all written at the virtual start of time. */
async function withFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  test: (folder: string) => Promise<void>,
) {
  const folder = await Deno.makeTempDir({ prefix: "weir-plan-" });
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${folder}/${name}`, bytes);
      await Deno.utime(`${folder}/${name}`, Date.UTC(2026, 0, 1) / 1000, Date.UTC(2026, 0, 1) / 1000);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a plan tells rows, time, verdict and the cap that would do, needs no Kafka, and leaves with 1 when a dump is late", () =>
  withFolder({ "a.csv": rows(1000), "b.csv.gz": gzipSync(rows(20_000)) }, async (folder) => {
    const args = ["--files-dir", `${folder},every=1m`, "--files-cap", "100"];
    const fake = fakeContext(args);
    assert.equal(await plan.run(fake.context), 1, fake.err());
    assert.match(fake.out(), /^2 files wait, .*\n1 will be late\./, "what it comes to is said first");
    const lines = fake.out().split("\n");
    const [head = "", , first = "", second = ""] = lines.slice(lines.findIndex((line) => line.includes("VERDICT")));
    assert.match(head, /FILE +SIZE +ROWS LEFT +DONE IN +DEADLINE IN +VERDICT/);
    assert.match(first, /a\.csv +32\.3 KiB +1,000 +10 s +1 min +on time/);
    assert.match(second, /b\.csv\.gz .*~\d+,\d+ +3 min \d+ s +1 min +late/);
    const cap = /All are on time with --files-cap (\d+)\/s/.exec(fake.out())?.[1];
    assert.match(fake.out(), /Dumps of this size will pile up/);
    assert.ok([head, first, second].every((line) => line.length <= 80), fake.out());

    const better = fakeContext([...args, "--what-if", `files-cap=${cap}`]);
    assert.equal(await plan.run(better.context), 0);
    assert.match(better.out(), new RegExp(`With files-cap=${cap}:`));
  }));

Deno.test("of many files the first are shown, and all that come late; --json has all", () => {
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`f${String(i).padStart(2, "0")}.csv`, rows(10)]),
  );
  return withFolder(files, async (folder) => {
    const args = ["--files-dir", `${folder},every=1m`, "--files-cap"];
    const shown = (out: string) => out.match(/f\d\d\.csv/g)?.length;
    const quick = fakeContext([...args, "100"]);
    assert.equal(await plan.run(quick.context), 0, quick.err());
    assert.equal(shown(quick.out()), 10);
    assert.match(quick.out(), /f09\.csv .*on time\n {2}and 30 more; --json has all\n$/);
    const slow = fakeContext([...args, "5"]);
    assert.equal(await plan.run(slow.context), 1, slow.err());
    assert.match(slow.out(), /^40 files wait, .*\n10 will be late\./);
    assert.equal(shown(slow.out()), 20);
    assert.match(slow.out(), /f39\.csv .*late\n {2}and 20 more; --json has all\n$/);
    const json = fakeContext([...args, "100", "--json"]);
    assert.equal(await plan.run(json.context), 0);
    assert.equal(JSON.parse(json.out()).folders[0].files.length, 40);
  });
});

Deno.test("what the ledger says was read is not planned again, and a deadline counts from when the gateway saw the file", () =>
  withFolder({ "a.csv": rows(1000), "old.csv": rows(10) }, async (folder) => {
    const record = async (name: string, more: Partial<FileRecord>): Promise<FileRecord> => {
      const info = await Deno.lstat(`${folder}/${name}`);
      return {
        fileId: name,
        folder,
        path: name,
        identity: { device: info.dev, inode: info.ino ?? 0, sizeBytes: info.size, mtimeMs: info.mtime?.getTime() ?? 0 },
        state: "reading",
        checkpoint: null,
        counts: { read: 400, delivered: 400, filtered: 0, deadLettered: 0, dropped: 0 },
        sha256: null,
        firstSeenAtMs: Date.UTC(2026, 0, 1) - hourMs / 2,
        updatedAtMs: 0,
        movedTo: null,
        ...more,
      };
    };
    const records = [await record("a.csv", {}), await record("old.csv", { state: "archived", sha256: "x" })];
    const fake = fakeContext(["--files-dir", `${folder},every=1h`, "--json"]);
    const context = {
      ...fake.context,
      openRecords: () => Promise.resolve({ files: () => Promise.resolve(records), close: () => Promise.resolve() }),
    };
    assert.equal(await plan.run(context), 0, fake.err());
    const { folders, withLedger } = JSON.parse(fake.out());
    assert.equal(withLedger, true);
    assert.deepEqual(folders[0].files.map((file: { path: string }) => file.path), ["a.csv"]);
    const [file] = folders[0].files;
    assert.deepEqual([file.rowsRead, file.rowsLeft, file.exact, file.timeLeftMs], [400, 600, true, hourMs / 2]);
  }));

Deno.test("hostile names are escaped, a file that would be refused says why, a folder that is not there is said", () =>
  withFolder({ "evil\u001b[31m.csv": rows(1), "binary.csv": Uint8Array.of(65, 0, 65, 0) }, async (folder) => {
    const fake = fakeContext(["--files-dir", folder, "--files-dir", `${folder}/nowhere`]);
    assert.equal(await plan.run(fake.context), 0, fake.err());
    assert.equal(fake.out().includes("\u001b"), false);
    assert.match(fake.out(), /binary\.csv +4 B +will not be read: .*(binary|UTF-16)/);
    assert.match(fake.out(), /nowhere: no deadline \(every=\); does not exist/);
  }));

Deno.test("a wrong --what-if is told like any other mistake", async () => {
  for (const [text, words] of [["files-cpa=8", /no such setting/], ["files-cap=x", /Must be whole rows/]] as const) {
    const fake = fakeContext(["--files-dir", "/nowhere", "--what-if", text]);
    assert.equal(await plan.run(fake.context), 78);
    assert.match(fake.err(), words);
  }
  const fake = fakeContext([]);
  assert.equal(await plan.run(fake.context), 78);
  assert.match(fake.err(), /--files-dir\n +Missing/);
});
