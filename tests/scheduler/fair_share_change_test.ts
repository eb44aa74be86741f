/**
 * Numbers, weights and caps that change while the dispatcher runs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fairShareDefaults } from "../../src/scheduler/defaults.ts";
import { flowOf, scheduler } from "./rig.ts";

Deno.test("a change takes over cap, floor and limits in flight, and forgets nothing that is in flight", () => {
  const { share, clock, rows } = scheduler({ capRows: 100 }, [flowOf("files", { rows: 100_000 })]);
  share.wake();
  clock.advanceSync(1_000);
  const before = share.status().inFlightRows.files;
  assert.ok(before > 0 && before <= 16, `${before} rows in flight, of which 16 are allowed`);
  share.change(fairShareDefaults({ capRows: 1000, floorRows: 300 }));
  clock.advanceSync(1_000);
  const { capRows, floorRows, inFlightRows, freeRows } = share.status();
  assert.deepEqual([capRows, floorRows, inFlightRows.files, freeRows], [1000, 300, 160, 2000]);
  // Fewer may be in flight than are: nothing leaves until they have come back, and none is lost.
  share.change(fairShareDefaults({ capRows: 100 }));
  const left = rows("files");
  share.release("files", 100, 1_000);
  clock.advanceSync(10_000);
  assert.equal(rows("files"), left);
  share.release("files", 60, 600);
  clock.advanceSync(10_000);
  assert.equal(share.status().inFlightRows.files, 16);
});

Deno.test("a floor can be taken away and promised again while it runs", () => {
  const { share } = scheduler({ capRows: 100 }, [flowOf("files")]);
  for (const floorRows of [0, 20, 0]) {
    share.change(fairShareDefaults({ capRows: 100, floorRows }));
    assert.equal(share.status().floorRows, floorRows);
  }
});

Deno.test("weights that change are shares from then on", () => {
  const flows = ["a", "b"].map((name) => flowOf("files", { rows: 100_000, name }));
  const { share, clock, rows } = scheduler({ capRows: 1000, inFlightRows: 100_000, filesInFlightRows: 50_000 }, flows);
  share.wake();
  clock.advanceSync(4_000);
  assert.ok(Math.abs(rows("a") - rows("b")) <= 20, `${rows("a")} and ${rows("b")} rows`);
  const before = { a: rows("a"), b: rows("b") };
  share.setTerms(new Map([["a", { weight: 3, capRows: null }]]));
  clock.advanceSync(4_000);
  assert.ok(Math.abs((rows("a") - before.a) / 3 - (rows("b") - before.b)) <= 20);
});

Deno.test("a folder's own cap is given, changed and taken away while it runs, and what was used of it stays used", () => {
  const folder = flowOf("files", { rows: 100_000, name: "a" });
  const { share, clock, rows } = scheduler({ capRows: 10_000, inFlightRows: 200_000, filesInFlightRows: 100_000 }, [
    folder,
  ]);
  const own = (capRows: number | null) => share.setTerms(new Map([["a", { weight: 1, capRows }]]));
  const rowsIn = (ms: number): number => {
    const before = rows("a");
    clock.advanceSync(ms);
    return rows("a") - before;
  };
  share.wake();
  assert.ok(rowsIn(1_000) > 9_000);
  own(100);
  // A cap that begins has nothing to spend: its depth of two rows is never passed.
  assert.equal(rowsIn(10), 0);
  assert.ok(Math.abs(rowsIn(10_000) - 1_000) <= 2);
  // Each change leaves the debt as it is: a cap that is given over and over lets neither more nor fewer through.
  const before = rows("a");
  for (let i = 0; i < 100; i++) {
    own(100 + i % 2);
    clock.advanceSync(100);
  }
  assert.ok(Math.abs(rows("a") - before - 1_005) <= 5, `${rows("a") - before} rows in ten seconds`);
  own(1_000);
  assert.ok(Math.abs(rowsIn(5_000) - 5_000) <= 20);
  own(null);
  assert.ok(rowsIn(1_000) > 9_000);
});

Deno.test("a folder that another one's own cap keeps waiting is not held up by it", () => {
  const flows = ["a", "b"].map((name) => flowOf("files", { rows: 100_000, name }));
  const { share, clock, rows } = scheduler({ capRows: 1000, inFlightRows: 200_000, filesInFlightRows: 100_000 }, flows);
  share.wake();
  clock.advanceSync(1_000);
  share.setTerms(new Map([["a", { weight: 1, capRows: 10 }]]));
  const before = { a: rows("a"), b: rows("b") };
  clock.advanceSync(10_000);
  assert.ok(Math.abs(rows("a") - before.a - 100) <= 2);
  assert.ok(Math.abs(rows("b") - before.b - 9_900) <= 30);
});

Deno.test("the cap in bytes is given, changed and taken away while it runs", () => {
  const { share, clock, rows } = scheduler({ capRows: 1000, inFlightRows: 200_000, filesInFlightRows: 100_000 }, [
    flowOf("files", { rows: 100_000, bytes: 100 }),
  ]);
  const rowsIn = (ms: number): number => {
    const before = rows("files");
    clock.advanceSync(ms);
    return rows("files") - before;
  };
  share.wake();
  const change = (capBytes: number | null) =>
    share.change(fairShareDefaults({ capRows: 1000, capBytes, inFlightRows: 200_000, filesInFlightRows: 100_000 }));
  assert.ok(rowsIn(1_000) > 950);
  change(10_000);
  assert.ok(Math.abs(rowsIn(10_000) - 1_000) <= 3);
  change(50_000);
  assert.ok(Math.abs(rowsIn(10_000) - 5_000) <= 15);
  change(null);
  assert.ok(rowsIn(1_000) > 950);
});
