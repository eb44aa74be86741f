import assert from "node:assert/strict";
import fc from "fast-check";
import type { Item } from "../../../src/core/reading.ts";
import { type Disk, machineDisk } from "../../../src/source/files/disk.ts";
import { csv, fakeStore, type Rig, rows, withRig } from "./harness.ts";

/** Takes and settles for a test, and holds every commit against what was settled by then. */
interface Witness {
  take(max?: number): void;
  /** Settles some of what is open, in an order that the seed gives. */
  settle(count: number, seed: number): void;
  /** A new process: what was open is nobody's any more, and reading goes on right after the checkpoints. */
  crashed(): void;
  check(): void;
  readonly sent: ReadonlyMap<string, string>;
}

function witness(rig: Rig): Witness {
  const sent = new Map<string, string>();
  const settledRows = new Map<string, Set<number>>();
  let open: Item[] = [];
  let nextRow = new Map<string, number>();
  let commitsSeen = 0;

  function check(): void {
    for (const record of rig.store.commits.slice(commitsSeen).flat()) {
      const row = record.checkpoint?.row ?? 0;
      const settled = settledRows.get(record.fileId) ?? new Set();
      for (let i = 1; i <= row; i++) assert.ok(settled.has(i), `checkpoint at row ${row}, but row ${i} is not settled`);
      assert.equal(record.counts.read, row);
      assert.equal(record.counts.delivered, row);
    }
    commitsSeen = rig.store.commits.length;
  }

  return {
    sent,
    check,
    take(max) {
      for (const item of rig.take(max)) {
        assert.ok(item.kind === "reading");
        const fileId = item.id.split("/")[1] ?? "";
        const expected = nextRow.get(fileId) ?? (rig.store.records.get(fileId)?.checkpoint?.row ?? 0) + 1;
        assert.equal(item.row, expected, "rows leave in order, and after a restart right from the checkpoint on");
        nextRow.set(fileId, item.row + 1);
        assert.equal(sent.get(item.value) ?? item.id, item.id, "the id of a row is the same after any restart");
        sent.set(item.value, item.id);
        open.push(item);
      }
    },
    settle(count, seed) {
      open = open.map((item, i) => ({ item, key: Math.imul(i + 1, seed | 1) >>> 3 }))
        .sort((a, b) => a.key - b.key).map(({ item }) => item);
      const chosen = open.splice(0, count);
      for (const item of chosen) {
        assert.ok(item.kind === "reading");
        const fileId = item.id.split("/")[1] ?? "";
        settledRows.set(fileId, (settledRows.get(fileId) ?? new Set()).add(item.row));
      }
      rig.settle(chosen);
    },
    crashed() {
      check();
      open = [];
      nextRow = new Map();
    },
  };
}

const allArchived = (rig: Rig, files: number) => () =>
  [...rig.store.records.values()].filter((record) => record.state === "archived").length === files;

Deno.test("a crash at any moment loses nothing, re-sends only past the checkpoint, and keeps order and ids", async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant("take"), fc.integer({ min: 1, max: 25 })) },
    { weight: 6, arbitrary: fc.tuple(fc.constant("settle"), fc.integer({ min: 1, max: 30 })) },
    { weight: 3, arbitrary: fc.tuple(fc.constant("wait"), fc.integer({ min: 1, max: 1500 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("crash"), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("storage"), fc.constant(0)) },
  );
  const story = fc.array(step, { minLength: 10, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(story, fc.integer({ min: 1 }), async (steps, seed) => {
      await withRig({ ready: "rename", pollMs: 200, readAheadRows: 16 }, async (rig) => {
        await rig.drop("a.csv", csv(90, "a"), 1000);
        await rig.drop("b.csv", csv(60, "b"), 2000);
        const seen = witness(rig);
        for (const [kind, n] of steps) {
          await rig.pass(50);
          if (kind === "take") seen.take(n);
          else if (kind === "settle") seen.settle(n, seed);
          else if (kind === "wait") await rig.pass(n);
          else if (kind === "storage") rig.store.failing = !rig.store.failing;
          else {
            await rig.source.close();
            seen.crashed();
            await rig.restart();
          }
          seen.check();
        }
        rig.store.failing = false;
        await rig.until(() => {
          seen.take();
          seen.settle(1000, seed);
          return allArchived(rig, 2)();
        }, "both files are archived");
        seen.check();
        assert.deepEqual([...seen.sent.keys()].sort(), [...rows(90, "a"), ...rows(60, "b")].sort());
      });
    }),
    { numRuns: 25 },
  );
});

/** A disk and a ledger that stop doing anything after so many changes, as if the power had gone. */
function mortal(
  changesMax: number,
): { readonly disk: Disk; readonly store: ReturnType<typeof fakeStore>; dead(): boolean; heal(): void } {
  let left = changesMax;
  const store = fakeStore();
  const save = store.saveFiles;
  const alive = (): boolean => left-- > 0;
  const or = <A extends unknown[]>(act: (...args: A) => Promise<void>) => (...args: A): Promise<void> =>
    alive() ? act(...args) : Promise.reject(Object.assign(new Error("The power is gone"), { code: "EIO" }));
  return {
    disk: {
      ...machineDisk,
      makeFolder: or(machineDisk.makeFolder),
      rename: or(machineDisk.rename),
      remove: or(machineDisk.remove),
      copySynced: or(machineDisk.copySynced),
      writeWhole: or(machineDisk.writeWhole),
      watch: () => ({ close() {} }),
    },
    store: {
      ...store,
      saveFiles(records) {
        store.failing = !alive();
        return save(records);
      },
    },
    dead: () => left < 0,
    heal: () => left = Infinity,
  };
}

for (const after of ["archive", "delete", "keep"] as const) {
  Deno.test(`a crash between any two steps after the last ack neither re-sends nor loses (${after})`, async () => {
    let reached = 0;
    for (let changes = 0; changes < 12; changes++) {
      const world = mortal(changes);
      const deps = { store: world.store };
      await withRig({ ready: "rename", pollMs: 500, after, disk: world.disk, deps }, async (rig) => {
        const path = await rig.drop("a.csv", csv(30));
        const finished = () => [...world.store.records.values()].some((record) => record.state === "archived");
        await rig.flowUntil(() => world.dead() || finished(), "the power is gone");
        if (!world.dead()) return;
        reached += 1;
        const committedRow = [...world.store.records.values()][0]?.checkpoint?.row ?? 0;
        world.heal();
        const before = rig.items.length;
        await rig.restart();
        await rig.flowUntil(finished, "the file is finished after the restart");
        assert.deepEqual([...new Set(rig.values())], rows(30));
        const again = rig.items.slice(before).flatMap((item) => item.kind === "reading" ? [item.row] : []);
        assert.deepEqual(again, Array.from({ length: 30 - committedRow }, (_, i) => committedRow + 1 + i));
        const here = await rig.tree();
        const archived = ["done/2026/01/01/a.csv", "done/2026/01/01/a.csv.receipt.json"];
        assert.deepEqual(here, after === "archive" ? archived : after === "delete" ? [] : ["a.csv"]);
        assert.ok(path.endsWith("a.csv"));
      });
    }
    assert.ok(reached >= 3, `only ${reached} crashes happened`);
  });
}
