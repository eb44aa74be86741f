/**
 * Folders and files that mean harm, or that are merely far more than usual, through the whole file source.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { type Disk, machineDisk, type OpenFile } from "../../../src/source/files/disk.ts";
import { csv, rows, withRig } from "./harness.ts";

const quick = { ready: "rename", pollMs: 500, readAheadRows: 500 } as const;
const archive = "done/2026/01/01";

Deno.test("another header in the next file: each file is read by its own", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", "name\nrow0\n", 1000);
    await rig.drop("b.csv", "other,name\nx,row1\n", 2000);
    await rig.drop("c.csv", "wrong\nrow2\n", 3000);
    await rig.drop("d.csv", "name\nrow3\n", 4000);
    await rig.flowUntil(
      async () => await rig.exists(archive, "d.csv") && await rig.exists("error/c.csv"),
      "all have left",
    );
    assert.deepEqual(rig.values(), ["row0", "x,row1", "row3"]);
  }));

Deno.test("a gzip bomb goes to error/ in bounded memory, its rows so far are settled, and the next file goes on", () =>
  withRig({ ...quick, readAheadBytesMax: 1 << 20 }, async (rig) => {
    // 300 MiB in 300 KiB; rows of 32 KiB, so that it is the inflation that is refused and not a row.
    const line = new Uint8Array(32 * 1024).fill(0x78);
    line[line.length - 1] = 0x0a;
    const bomb = gzipSync(Buffer.concat(Array.from({ length: 300 * 32 }, () => line)));
    await rig.drop("a.csv.gz", bomb, 1000);
    await rig.drop("b.csv", csv(3), 2000);
    const before = memoryBytes();
    let most = 0;
    let polls = 0;
    await rig.flowUntil(async () => {
      if (polls++ % 16 === 0) most = Math.max(most, memoryBytes() - before);
      return await rig.exists(archive, "b.csv") && await rig.exists("error/a.csv.gz");
    }, "both have left");
    assert.deepEqual(rig.values().slice(-3), rows(3));
    const note = JSON.parse(await Deno.readTextFile(join(rig.folder, "error/a.csv.gz.error.json")));
    assert.match(note.reason, /inflate/);
    assert.ok(most < 256 * 1024 ** 2, `memory rose by ${most} bytes`);
  }));

Deno.test("a slow writer that adds half a row at a time: every row whole, once, and not before it stood still", () =>
  withRig({ ready: "quiet", quietMs: 3_000, pollMs: 500 }, async (rig) => {
    const path = join(rig.folder, "slow.csv");
    const text = csv(40);
    using writer = await Deno.open(path, { create: true, append: true });
    for (let at = 0; at < text.length; at += 7) {
      await writer.write(new TextEncoder().encode(text.slice(at, at + 7)));
      await rig.pass(1_000);
      assert.equal(rig.take().length, 0, "read while it was being written");
    }
    await rig.flowUntil(() => rig.exists(archive, "slow.csv"), "it is archived");
    assert.deepEqual(rig.values(), rows(40));
  }));

Deno.test("a file of 5 GB is read in constant memory, and no faster than its rows are taken", () => {
  const sizeBytes = 5 * 1024 ** 3;
  const takenMax = 256 * 1024 ** 2;
  const lookedBytes = 16 * 1024 ** 2;
  const line = new TextEncoder().encode(`${"x".repeat(32_767)}\n`);
  let asked = 0;
  const isHuge = (path: string) => path.endsWith("huge.csv");
  const disk: Partial<Disk> = {
    async facts(path) {
      const facts = await machineDisk.facts(path);
      return facts !== null && isHuge(path) ? { ...facts, sizeBytes } : facts;
    },
    async open(path): Promise<OpenFile> {
      const real = await machineDisk.open(path);
      if (!isHuge(path)) return real;
      let at = 0;
      return {
        ...real,
        facts: async () => ({ ...await real.facts(), sizeBytes }),
        read(buffer) {
          const from = at % line.length;
          const bytes = Math.min(buffer.length, line.length - from, sizeBytes - at);
          buffer.set(line.subarray(from, from + bytes));
          at += bytes;
          asked += bytes;
          return Promise.resolve(bytes === 0 ? null : bytes);
        },
      };
    },
  };
  return withRig({ ...quick, disk, readAheadBytesMax: 1 << 20 }, async (rig) => {
    await rig.drop("huge.csv", "name\n");
    await rig.until(() => (rig.source.flows[0]?.ready() ?? 0) >= 20, "it is being read");
    await rig.pass(1_000);
    const first = asked;
    await rig.pass(2_000);
    assert.equal(asked, first, "nothing more is read while nobody takes");
    assert.ok(first < 8 * 1024 ** 2, `${first} bytes were read ahead`);
    const before = memoryBytes();
    let taken = 0;
    let most = 0;
    let looked = 0;
    while (taken < takenMax) {
      await rig.until(() => (rig.source.flows[0]?.ready() ?? 0) > 0, "rows come");
      // Not by the rig, which keeps all that it takes.
      const some = rig.source.flows.flatMap((flow) => [...flow.take(500, 1e9)]);
      rig.settle(some);
      for (const item of some) taken += item.bytes;
      if (taken < looked + lookedBytes) continue;
      looked = taken;
      most = Math.max(most, memoryBytes() - before);
    }
    assert.ok(looked > takenMax - 2 * lookedBytes, "it was looked at to the end");
    assert.ok(asked - taken < 8 * 1024 ** 2, "no more is held than what may be read ahead");
    assert.ok(most < 128 * 1024 ** 2, `memory rose by ${most} bytes for ${taken}`);
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/**
 * What this test holds. The memory of the process is no measure: other test files run in it at the same time; nor is what nobody holds any
 * more, for when that is collected is up to the engine.
 */
function memoryBytes(): number {
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
