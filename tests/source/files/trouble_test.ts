import assert from "node:assert/strict";
import { join } from "node:path";
import { machineDisk } from "../../../src/source/files/disk.ts";
import { csv, rows, withRig } from "./harness.ts";

const quick = { ready: "rename", pollMs: 500 } as const;
const archive = "done/2026/01/01";

Deno.test("a file as a whole that is bad goes to error/ with its reason; everything else goes on", () =>
  withRig(quick, async (rig) => {
    await rig.source.close();
    await rig.drop("alien.csv", csv(5), 1000);
    await rig.drop("header.csv", "wrong\nrow0\n", 2000);
    await rig.drop("good.csv", csv(5), 3000);
    await rig.restart();
    await rig.flowUntil(() => rig.said("files.file_finished").length === 1, "the good one is done");
    assert.deepEqual(rig.values(), rows(5));
    assert.equal(rig.items.length, 5, "no row under a wrong header, not even a bad one");
    const note = JSON.parse(await Deno.readTextFile(join(rig.folder, "error/header.csv.error.json")));
    assert.match(note.reason, /Column is missing/);
    assert.deepEqual([note.row, note.offset, note.read], [0, 0, 0]);
    const status = rig.source.status();
    assert.ok(status.kind === "files");
    assert.deepEqual([status.doneFiles, status.quarantinedFiles], [1, 2]);
  }));

Deno.test("a file that may not be read goes to error/", () => {
  const open = (path: string) =>
    path.endsWith("secret.csv")
      ? Promise.reject(Object.assign(new Deno.errors.PermissionDenied("Permission denied"), { code: "EACCES" }))
      : machineDisk.open(path);
  return withRig({ ...quick, disk: { open } }, async (rig) => {
    await rig.drop("secret.csv", csv(5));
    await rig.flowUntil(() => rig.said("files.file_quarantined").length === 1, "it is quarantined");
    assert.match(rig.said("files.file_quarantined")[0]?.message ?? "", /may not be read.*right to read/);
  });
});

Deno.test("more bad rows than allowed: the file goes, the rows so far stay", () =>
  withRig({ ...quick, badMax: 3 }, async (rig) => {
    await rig.drop("a.csv", "name\nrow0\nbad\nbad\nmisfit\nrow1\nbad\nrow2\n", 1000);
    await rig.drop("b.csv", "name\nbad\nbad\nbad\nlast\n", 2000);
    const left = async () => await rig.exists(archive, "b.csv") && await rig.exists("error/a.csv");
    await rig.flowUntil(left, "both have left");
    assert.deepEqual(rig.values(), ["row0", "row1", "last"]);
    const note = JSON.parse(await Deno.readTextFile(join(rig.folder, "error/a.csv.error.json")));
    assert.deepEqual([note.read, note.dead_lettered, note.row], [6, 4, 6]);
  }));

Deno.test("a bad row is an item with all that a replay needs", () =>
  withRig({ ...quick, rowBytesMax: 5 }, async (rig) => {
    await rig.drop("a.csv", "name\nrow0\nbad\nmisfit\n");
    await rig.until(() => rig.source.flows[0]?.ready() === 3, "it is read");
    const [good, bad, misfit] = rig.take();
    assert.ok(good?.kind === "reading" && bad?.kind === "misfit" && misfit?.kind === "misfit");
    const fileId = good.id.split("/")[1] ?? "";
    assert.match(fileId, /^[0-9a-f]{24}$/);
    assert.equal(good.id, `gw/${fileId}/5`);
    assert.deepEqual({ ...bad.letter, raw: new TextDecoder().decode(bad.letter.raw), arrivedAtMs: 0 }, {
      id: `gw/${fileId}/10`,
      reason: "bad_csv",
      detail: "It says so",
      origin: "batch",
      source: join(rig.folder, "a.csv"),
      row: 2,
      byte: 10,
      decoder: "csv",
      delimiter: ",",
      header: ["name"],
      raw: "bad\n",
      arrivedAtMs: 0,
    });
    assert.equal(misfit.letter.reason, "wrong_type");
    assert.equal(new TextDecoder().decode(misfit.letter.raw), "misfi", "no more than the limit");
    assert.deepEqual([bad.index, misfit.index], [1, 2]);
    rig.settle([good, bad, misfit]);
  }));

Deno.test("a file that cannot be quarantined is said once and not read again, also after a restart", () => {
  let opened = 0;
  const refuse = () => Promise.reject(new Deno.errors.PermissionDenied("Read-only file system"));
  const open = (path: string) => {
    opened += 1;
    return machineDisk.open(path);
  };
  return withRig({ ...quick, disk: { rename: refuse, makeFolder: refuse, writeWhole: refuse, open } }, async (rig) => {
    await rig.drop("alien.csv", csv(5));
    await rig.until(() => rig.said("files.file_quarantined").length === 1, "it is refused");
    await rig.pass(1000);
    const before = opened;
    await rig.pass(10_000);
    await rig.restart();
    await rig.pass(10_000);
    assert.equal(opened, before);
    assert.equal(rig.said("files.quarantine_failed").length, 1);
    assert.equal(rig.said("files.file_quarantined").length, 1);
  });
});

Deno.test("a quarantined file that is moved back is read on from where it ended", () =>
  withRig({ ...quick, badMax: 1 }, async (rig) => {
    await rig.drop("a.csv", "name\nrow0\nbad\nbad\nrow1\n");
    await rig.flowUntil(() => rig.said("files.file_quarantined").length === 1, "it is quarantined");
    await rig.restart({ badMax: 10 });
    await Deno.rename(join(rig.folder, "error/a.csv"), join(rig.folder, "a.csv"));
    await rig.flowUntil(() => rig.exists(archive, "a.csv"), "it is done");
    assert.deepEqual(rig.values(), ["row0", "row1"]);
    assert.equal(rig.items.length, 4);
  }));

Deno.test("a ledger that cannot write: files pause, nothing is lost, and they go on by themselves", () =>
  withRig({ ...quick, readAheadRows: 10 }, async (rig) => {
    await rig.drop("a.csv", csv(300));
    await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
    rig.settle(rig.take(5));
    rig.store.failing = true;
    await rig.pass(3000);
    for (let i = 0; i < 20; i++) {
      rig.settle(rig.take(10));
      await rig.pass(500);
    }
    const taken = rig.items.length;
    assert.ok(taken < 60, `${taken} rows were taken while nothing could be committed`);
    assert.equal(rig.said("files.ledger_failed").length, 1);
    rig.store.failing = false;
    await rig.flowUntil(() => rig.exists(archive, "a.csv"), "it goes on");
    assert.deepEqual(rig.values(), rows(300));
    assert.equal(rig.said("files.ledger_recovered").length, 1);
  }));

Deno.test("checkpoints are committed at most once a second while a file is read", () =>
  withRig({ ...quick, readAheadRows: 10 }, async (rig) => {
    await rig.drop("a.csv", csv(1000));
    await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
    const startMs = rig.clock.nowMs();
    const commits = rig.store.commits.length;
    await rig.flowUntil(() => rig.clock.nowMs() - startMs >= 4000, "time passes");
    assert.ok(rig.items.length > 100);
    assert.ok(rig.store.commits.length - commits <= 5, `${rig.store.commits.length - commits} commits in 4 s`);
    assert.ok(rig.store.commits.length - commits >= 3);
  }));

Deno.test("nothing is read beyond the read-ahead, in rows and in bytes", () => {
  let bytesRead = 0;
  const open = async (path: string) => {
    const file = await machineDisk.open(path);
    return {
      ...file,
      async read(buffer: Uint8Array) {
        const read = await file.read(buffer);
        bytesRead += read ?? 0;
        return read;
      },
    };
  };
  return withRig({ ...quick, readAheadRows: 1000, readAheadBytesMax: 2000, disk: { open } }, async (rig) => {
    const long = "x".repeat(300);
    await rig.drop("a.csv", "name\n" + `${long}\n`.repeat(20_000));
    await rig.pass(5000);
    const [flow] = rig.source.flows;
    assert.ok(flow !== undefined);
    assert.equal(bytesRead <= 4 * 64 * 1024, true, `${bytesRead} bytes were read for nothing`);
    let most = 0;
    await rig.flowUntil(() => {
      most = Math.max(most, flow.ready());
      return rig.items.length > 2000;
    }, "many rows came through");
    assert.ok(most <= 64, `${most} rows of 300 bytes waited`);
    assert.ok(bytesRead <= rig.items.length * 301 + 4 * 64 * 1024, "what is read follows what is taken");
  });
});

Deno.test("after a stop: rows read ahead are forgotten, taken ones are drained and committed", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(100));
    await rig.until(() => rig.source.flows[0]?.ready() === 20, "it is read");
    const taken = rig.take(7);
    rig.source.stop();
    assert.equal(rig.source.flows[0]?.ready(), 0);
    let drained = false;
    rig.source.drained().then(() => drained = true);
    await rig.pass(3000);
    assert.equal(drained, false);
    rig.settle(taken);
    await rig.until(() => drained, "it is drained");
    assert.equal([...rig.store.records.values()][0]?.checkpoint?.row, 7);
    await rig.restart();
    await rig.flowUntil(() => rig.exists(archive, "a.csv"), "the rest is read");
    assert.deepEqual(rig.values(), rows(100));
  }));

Deno.test("after a stop: a file whose last rows are under way is still finished and archived", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(10));
    await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
    await rig.pass(500);
    const taken = rig.take();
    rig.source.stop();
    let drained = false;
    rig.source.drained().then(() => drained = true);
    rig.settle(taken);
    await rig.until(() => drained, "it is drained");
    assert.ok(await rig.exists(archive, "a.csv.receipt.json"));
  }));

Deno.test("check tells what is wrong with a folder, and what to do", async () => {
  await withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(5));
    const good = await rig.source.check();
    assert.deepEqual(good.map((finding) => finding.ok), [true, true, true]);
    assert.match(good[0]?.result ?? "", /1 file waits/);
    assert.equal((await rig.tree()).some((path) => path.includes("weir-check")), false);
    await rig.drop("done", "not a folder");
    assert.deepEqual((await rig.source.check()).map((finding) => finding.ok), [true, true, false]);
  });
  const writeWhole = () => Promise.reject(new Deno.errors.PermissionDenied("Permission denied"));
  await withRig({ ...quick, disk: { writeWhole } }, async (rig) => {
    const finding = (await rig.source.check()).find((one) => !one.ok);
    assert.match(finding?.advice ?? "", /--files-after keep/);
    await Deno.remove(rig.folder, { recursive: true });
    const [missing] = await rig.source.check();
    assert.match(missing?.result ?? "", /does not exist/);
    await Deno.mkdir(rig.folder);
  });
});

Deno.test("read-only: a folder is not touched, whatever lies in it", () =>
  withRig({ ...quick, after: "keep", readOnly: true }, async (rig) => {
    await rig.drop("alien.csv", csv(5), 1000);
    await rig.drop("a.csv", csv(5), 2000);
    await rig.flowUntil(() => rig.said("files.file_finished").length === 1, "the good one is done");
    await rig.pass(2000);
    assert.deepEqual(await rig.tree(), ["a.csv", "alien.csv"]);
    assert.equal(rig.said("files.file_quarantined").length, 1);
  }));

Deno.test("after a stop: a file that was read to its end but not taken to its end is not finished", () =>
  withRig(quick, async (rig) => {
    await rig.drop("a.csv", csv(10));
    await rig.until(() => rig.source.flows[0]?.ready() === 10, "it is read");
    await rig.pass(500);
    const taken = rig.take(4);
    rig.source.stop();
    rig.settle(taken);
    let drained = false;
    rig.source.drained().then(() => drained = true);
    await rig.until(() => drained, "it is drained");
    assert.ok(await rig.exists("a.csv"));
    await rig.restart();
    await rig.flowUntil(() => rig.exists(archive, "a.csv"), "the rest is read");
    assert.deepEqual(rig.values(), rows(10));
  }));

Deno.test("the scheduler is woken for the rows before the one that was too much", () =>
  withRig({ ...quick, badMax: 0 }, async (rig) => {
    await rig.drop("a.csv", "name\nrow0\nbad\n");
    await rig.until(() => rig.source.flows[0]?.ready() === 2, "it is read");
    assert.ok(rig.wakes > 0);
  }));
