import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { seededDice } from "../../src/core/dice.ts";
import { type DumpSpec, dumpText } from "../../src/demo/dump.ts";
import { dropDump, startDropper } from "../../src/demo/dropper.ts";
import type { PlannedDump } from "../../src/demo/dump_plan.ts";
import { eventually } from "../support/servers.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const spec: DumpSpec = {
  name: "a.csv",
  format: "csv",
  gzip: false,
  rows: 900,
  badRows: 2,
  untilMs: Date.UTC(2026, 0, 1),
};

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-dropper-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

Deno.test("a dump lies under its name with exactly its text, plain or compressed, and no part of it beside", async () => {
  await inFolder(async (folder) => {
    const text = [...dumpText(spec, seededDice(1))].join("");
    const { signal } = new AbortController();
    assert.equal(await dropDump(folder, spec, seededDice(1), signal), true);
    assert.equal(await dropDump(folder, { ...spec, name: "b.csv.gz", gzip: true }, seededDice(1), signal), true);
    assert.deepEqual((await readdir(folder)).sort(), ["a.csv", "b.csv.gz"]);
    assert.equal(await readFile(join(folder, "a.csv"), "utf8"), text);
    assert.equal(gunzipSync(await readFile(join(folder, "b.csv.gz"))).toString(), text);
  });
});

Deno.test("a dump that is called off leaves nothing behind", async () => {
  await inFolder(async (folder) => {
    assert.equal(await dropDump(folder, spec, seededDice(1), AbortSignal.abort()), false);
    assert.deepEqual(await readdir(folder), []);
  });
});

Deno.test("a folder that cannot be written is told as an error of storage", async () => {
  await inFolder(async (folder) => {
    const { signal } = new AbortController();
    await assert.rejects(dropDump(join(folder, "gone"), spec, seededDice(1), signal), { code: "storage" });
  });
});

Deno.test("dumps are dropped at their moment into their folder, and none after stop", async () => {
  await inFolder(async (folder) => {
    const clock = virtualClock();
    const plan: PlannedDump[] = [
      { atMs: 0, folder: "historian", spec },
      { atMs: 1000, folder: "historian", spec: { ...spec, name: "b.csv" } },
      { atMs: 9000, folder: "historian", spec: { ...spec, name: "c.csv" } },
    ];
    const dropper = startDropper({
      plan,
      folders: { historian: folder, shopfloor: folder },
      clock,
      dice: seededDice(1),
    });
    const dropped = async (files: number) => {
      // Files are written in real time, whatever the clock says.
      await eventually(`${files} files are dropped`, () => dropper.dropped().files >= files);
      return (await readdir(folder)).sort();
    };
    assert.deepEqual(await dropped(0), []);
    await clock.advance(0);
    assert.deepEqual(await dropped(1), ["a.csv"]);
    await eventually("the dropper sleeps", () => clock.timers > 0);
    await clock.advance(1000);
    assert.deepEqual(await dropped(2), ["a.csv", "b.csv"]);
    await dropper.stop();
    assert.deepEqual(dropper.dropped(), { files: 2, rows: 1800, badRows: 4 });
    assert.equal(clock.timers, 0);
  });
});
