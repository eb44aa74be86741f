/**
 * How far files are, and what is asked about their deadlines.
 *
 * @module
 */
import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { FileProgress } from "../../../src/core/deadline.ts";
import type { FileStatus } from "../../../src/core/status.ts";
import type { FilesSourceDeps } from "../../../src/source/files/options.ts";
import { type Disk, machineDisk } from "../../../src/source/files/disk.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { csv, type Rig, withRig } from "./harness.ts";

const quick = { ready: "rename", pollMs: 500 } as const;

Deno.test("status tells rows so far, rows estimated, and how far it is by the rows handed over", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(20_000), 1000);
    await rig.drop("b.csv", csv(10), 2000);
    const waits = () => ((s) => s.kind === "files" && s.waitingFiles === 1)(rig.source.status());
    await rig.until(() => rig.source.flows[0]?.ready() === 20 && waits(), "it is read, and the other waits");
    assert.equal(activeOf(rig)[0]?.readBytes, 0, "what was only read ahead does not count");
    rig.settle(rig.take(10));
    const [file] = activeOf(rig);
    assert.deepEqual([file?.name, file?.rowsRead, file?.rowsFinished], ["a.csv", 10, 10]);
    assert.deepEqual([file?.verdict, file?.etaMs, file?.timeLeftMs], ["none", null, null]);
    const estimated = file?.rowsEstimated ?? 0;
    assert.ok(estimated > 18_000 && estimated < 24_000 + 10_000, `${estimated} rows estimated`);
    assert.equal(file?.readBytes, "name\n".length + 10 * "row0\n".length);
  }));

// zstd takes in whole blocks ahead of what it gives out, which shows in a file as small as this one.
for (const [ending, compress, off] of [["gz", gzipSync, 0.15], ["zst", zstdCompressSync, 0.35]] as const) {
  Deno.test(`a compressed file is as far as its rows: ${ending}`, () =>
    withRig({ ...quick, readAheadRows: 500 }, async (rig) => {
      // Digits that look random: they do not compress to almost nothing.
      const noise = (i: number) => `row${Math.abs(Math.sin(i))}${Math.abs(Math.cos(i * i))}\n`;
      const whole = compress("name\n" + Array.from({ length: 20_000 }, (_, i) => noise(i)).join(""));
      await rig.drop(`a.csv.${ending}`, whole);
      await rig.until(() => rig.source.flows[0]?.ready() === 500, "it is read");
      let taken = 0;
      await rig.until(() => {
        const items = rig.take();
        rig.settle(items);
        taken += items.length;
        return taken >= 10_000;
      }, "half is handed over");
      const [file] = activeOf(rig);
      const share = (file?.readBytes ?? 0) / whole.length;
      const real = taken / 20_000;
      assert.ok(Math.abs(share / real - 1) < off, `${share} of its bytes at ${real} of its rows`);
      const estimated = file?.rowsEstimated ?? 0;
      assert.ok(Math.abs(estimated / 20_000 - 1) < off, `${estimated} rows estimated of 20,000`);
      await rig.flowUntil(() => rig.said("files.file_finished").length === 1, "it is done");
    }));
}

Deno.test("a deadline is judged by who is asked for it, with what is left and the folders that have rows", () => {
  const asked: FileProgress[] = [];
  const deps: Partial<FilesSourceDeps> = {
    forecast: (file) => {
      asked.push(file);
      return { etaMs: 7, verdict: "late", needRows: 3, capNeededRows: 4 };
    },
  };
  return withRig({ ...quick, deps }, async (rig) => {
    const other = await Deno.makeTempDir({ prefix: "weir-files-" });
    const folders = [
      { path: rig.folder, weight: 1, everyMs: 60_000, capRows: 9 },
      { path: other, weight: 3, everyMs: null, capRows: null },
    ];
    try {
      await rig.restart({ folders });
      await rig.drop("a.csv", csv(10));
      await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
      const startMs = rig.clock.nowMs();
      await rig.pass(1000);
      rig.settle(rig.take(4));
      const [file] = activeOf(rig);
      assert.deepEqual([file?.etaMs, file?.verdict, file?.needRows, file?.capNeededRows], [7, "late", 3, 4]);
      const last = asked.at(-1);
      assert.deepEqual({ ...last, ageMs: 0 }, {
        ageMs: 0,
        bytesLeft: 6 * "row0\n".length,
        bytesRead: csv(10).length,
        rowsRead: 10,
        everyMs: 60_000,
        folderCapRows: 9,
        weight: 1,
        weightBusy: 1,
      });
      const ageMs = last?.ageMs ?? 0;
      assert.ok(ageMs >= rig.clock.nowMs() - startMs);
      assert.equal(file?.timeLeftMs, 60_000 - ageMs);

      await Deno.writeTextFile(`${other}/b.csv`, csv(5));
      await rig.until(() => rig.source.flows[1]?.ready() === 5, "the other folder has rows too");
      activeOf(rig);
      assert.deepEqual(asked.slice(-2).map((one) => [one.weight, one.weightBusy]), [[1, 4], [3, 4]]);
      rig.settle(rig.take());
      activeOf(rig);
      assert.deepEqual(asked.at(-1)?.bytesLeft, 0, "nothing is left once all was handed over");
    } finally {
      await rig.source.close();
      await Deno.remove(other, { recursive: true });
    }
  });
});

Deno.test("a deadline counts from the arrival of the file, not from when its turn came; weight, period and cap are those in force", async () => {
  const asked: FileProgress[] = [];
  const waitedMs = 20 * 60_000;
  const arrivedMs = virtualClock().wallMs() - waitedMs;
  const facts: Disk["facts"] = async (path) => {
    const found = await machineDisk.facts(path);
    return found === null ? null : { ...found, arrivedMs };
  };
  const deps: Partial<FilesSourceDeps> = {
    folderInForce: (path) => ({ path, weight: 5, everyMs: 3_600_000, capRows: 70 }),
    forecast: (file) => {
      asked.push(file);
      return { etaMs: null, verdict: "none", needRows: null, capNeededRows: null };
    },
  };
  await withRig({ ...quick, deps, disk: { facts } }, async (rig) => {
    await rig.restart({ folders: [{ path: rig.folder, weight: 1, everyMs: null, capRows: null }] });
    await rig.drop("a.csv", csv(10));
    await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
    const [file] = activeOf(rig);
    const ageMs = rig.clock.wallMs() - arrivedMs;
    assert.ok(ageMs >= waitedMs);
    assert.equal(asked.at(-1)?.ageMs, ageMs);
    assert.equal(file?.timeLeftMs, 3_600_000 - ageMs);
    assert.deepEqual([asked.at(-1)?.weight, asked.at(-1)?.weightBusy, asked.at(-1)?.folderCapRows], [5, 5, 70]);
  });
});

Deno.test("a finished file was on time or late by the clock, whatever was forecast", () =>
  withRig(quick, async (rig) => {
    await rig.restart({ folders: [{ path: rig.folder, weight: 1, everyMs: 5_000, capRows: null }] });
    await rig.drop("a.csv", csv(10));
    await rig.flowUntil(() => rig.said("files.file_finished").length === 1, "it is done");
    await rig.drop("b.csv", csv(11));
    await rig.until(() => rig.source.flows[0]?.ready() === 11, "it is read");
    await rig.pass(6_000);
    await rig.flowUntil(() => rig.said("files.file_finished").length === 2, "it is done too");
    assert.deepEqual(rig.said("files.file_finished").map((event) => event.data["verdict"]), ["on_time", "late"]);
    const [inTime, late] = rig.said("files.file_finished").map((event) => event.message);
    assert.match(inTime ?? "", /\(10 delivered\)$/);
    assert.match(late ?? "", /\(11 delivered\), late: \d[\d.]* m?s after its deadline$/);
  }));

Deno.test("a finished file is judged by the period in force, not by that of the start", async () => {
  const deps: Partial<FilesSourceDeps> = {
    folderInForce: (path) => ({ path, weight: 1, everyMs: 1_000, capRows: null }),
  };
  await withRig({ ...quick, deps }, async (rig) => {
    await rig.restart({ folders: [{ path: rig.folder, weight: 1, everyMs: null, capRows: null }] });
    await rig.drop("a.csv", csv(10));
    await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
    await rig.pass(6_000);
    await rig.flowUntil(() => rig.said("files.file_finished").length === 1, "it is done");
    assert.equal(rig.said("files.file_finished")[0]?.data["verdict"], "late");
  });
});

function activeOf(rig: Rig): readonly FileStatus[] {
  const status = rig.source.status();
  assert.ok(status.kind === "files");
  return status.active;
}
