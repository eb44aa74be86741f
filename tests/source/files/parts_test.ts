import assert from "node:assert/strict";
import fc from "fast-check";
import type { Verdict } from "../../../src/core/delivery.ts";
import type { Item } from "../../../src/core/reading.ts";
import { createCompleteness } from "../../../src/source/files/completeness.ts";
import { createFileDelivery, type FileDelivery } from "../../../src/source/files/file_delivery.ts";
import { estimateRows } from "../../../src/source/files/file_status.ts";
import type { Listing } from "../../../src/source/files/folder.ts";
import { globTest } from "../../../src/source/files/glob.ts";
import { contentHash, contentOf, fileIdOf, headBytes } from "../../../src/source/files/identity.ts";
import { filesDefaults } from "../../../src/source/files/options.ts";
import { compareFiles, timeInName } from "../../../src/source/files/order.ts";
import { createRowBuffer } from "../../../src/source/files/row_buffer.ts";

const none = { read: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0 };

Deno.test("timeInName reads calendar times and epochs, and nothing else", () => {
  const at = (name: string) => {
    const time = timeInName(name);
    return time === null ? null : new Date(time).toISOString().slice(0, 19);
  };
  assert.equal(at("dump_20260131.csv"), "2026-01-31T00:00:00");
  assert.equal(at("sub/2026-01-31T09-15-30.csv.gz"), "2026-01-31T09:15:30");
  assert.equal(at("x20260131091530y.csv"), "2026-01-31T09:15:30");
  assert.equal(at("x_2026-01-31_0915.csv"), "2026-01-31T09:15:00");
  assert.equal(at("plant7-1767225600.csv"), "2026-01-01T00:00:00");
  assert.equal(at("plant7-1767225600123.csv"), "2026-01-01T00:00:00");
  assert.equal(at("2026-02-31.csv"), null);
  assert.equal(at("20261399.csv"), null);
  assert.equal(at("serial-123456789012345.csv"), null);
  assert.equal(at("2026-01-31/a.csv"), null, "the time of a folder is not the file's");
});

Deno.test("the order of files is total: antisymmetric and transitive", () => {
  const file = fc.record({
    path: fc.constantFrom("a.csv", "b.csv", "x_20260101.csv", "y_20260101T10.csv", "z_20260102.csv", "1767225600.csv"),
    mtimeMs: fc.integer({ min: Date.UTC(2025, 11, 31), max: Date.UTC(2026, 0, 3) }),
  });
  fc.assert(fc.property(file, file, file, (a, b, c) => {
    assert.equal(Math.sign(compareFiles(a, b)), -Math.sign(compareFiles(b, a)) + 0);
    if (compareFiles(a, b) <= 0 && compareFiles(b, c) <= 0) assert.ok(compareFiles(a, c) <= 0);
  }));
});

Deno.test("the default pattern takes the known endings and their compressed forms, in any letter case", () => {
  const fits = globTest(filesDefaults.pattern);
  for (const name of ["a.csv", "a.CSV", "a.tsv.gz", "a.json.zst", "a.ndjson", "a.jsonl.GZ"]) {
    assert.ok(fits(name), name);
  }
  for (const name of ["a.txt", "csv", "a.csv.bak", "a.csv.gz.tmp", "a.csvx", "a.gz"]) assert.ok(!fits(name), name);
});

Deno.test("a glob takes brackets, and odd characters as they are", () => {
  assert.deepEqual(["a1.csv", "ab.csv", "a-.csv"].map(globTest(["a[!a-z].csv"])), [true, false, true]);
  assert.deepEqual(["a(1)+.csv", "a1.csv"].map(globTest(["a(1)+.csv"])), [true, false]);
  assert.deepEqual(["a{.csv", "a.csv"].map(globTest(["a{.csv"])), [true, false]);
  assert.deepEqual(["a\nb.csv"].map(globTest(["*.csv"])), [true]);
});

Deno.test("an id goes by the content after the header, the size and the mtime, and never by the header alone", () => {
  const header = "device_id,metric,value,ts\n";
  const bytes = (text: string) => new TextEncoder().encode(text);
  const a = contentHash(bytes(header + "a,1,2,3\n"));
  assert.notEqual(a, contentHash(bytes(header + "b,1,2,3\n")));
  const long = "x".repeat(headBytes - 1);
  assert.notEqual(contentHash(bytes(header + long + "a")), contentHash(bytes(header + long + "b")));
  const ids = [fileIdOf(a, 1, 1), fileIdOf(a, 2, 1), fileIdOf(a, 1, 2), fileIdOf(a, 1, 1, 1)];
  assert.equal(new Set(ids).size, 4);
  for (const id of ids) assert.equal(contentOf(id), a);
});

function listing(sizeBytes: number, mtimeMs = 1, inode = 1): Listing {
  const facts = { kind: "file", device: 1, inode, sizeBytes, mtimeMs } as const;
  return {
    files: [{ path: "a.csv", fullPath: "/a.csv", facts, mtimeMs }],
    markers: new Map(),
    links: [],
    truncated: false,
  };
}

Deno.test("quiet: any change of size, mtime or inode begins the time again", () => {
  for (const change of [listing(2), listing(1, 2), listing(1, 1, 2)]) {
    const completeness = createCompleteness({ ready: "quiet", quietMs: 100 });
    const look = (what: Listing, nowMs: number) => completeness.observe(what, nowMs, () => false).length;
    assert.equal(look(listing(1), 0), 0);
    assert.equal(look(listing(1), 99), 0);
    assert.equal(completeness.nextDueMs(), 100);
    assert.equal(look(change, 99.5), 0);
    assert.equal(look(change, 199), 0);
    assert.deepEqual(completeness.unripe, ["a.csv"]);
    assert.equal(look(change, 199.5), 1);
    assert.deepEqual(completeness.unripe, []);
    assert.equal(completeness.nextDueMs(), null);
  }
});

Deno.test("a file's position moves only over the finished prefix, whatever the order of the verdicts", () => {
  const verdict = fc.constantFrom<Verdict>("delivered", "filtered", "dead_lettered", "dropped");
  const scenario = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), verdict), { minLength: 1, maxLength: 200 });
  fc.assert(fc.property(scenario, fc.integer({ min: 1, max: 40 }), (settles, ahead) => {
    const delivery = createFileDelivery("x", { ...none, read: 7, delivered: 7 }, () => {});
    const open: number[] = [];
    const settled: Verdict[] = [];
    let index = 0;
    for (const [choice, how] of settles) {
      while (open.length < ahead) {
        assert.equal(delivery.add(index + 1, (index + 1) * 10), index);
        delivery.taken(1);
        open.push(index++);
      }
      const [chosen = 0] = open.splice(choice % open.length, 1);
      delivery.settle(chosen, how);
      settled[chosen] = how;
      let prefix = 0;
      while (settled[prefix] !== undefined) prefix += 1;
      assert.deepEqual(delivery.finished, prefix === 0 ? null : { row: prefix, end: prefix * 10 });
      const count = (kind: Verdict) => settled.slice(0, prefix).filter((one) => one === kind).length;
      assert.deepEqual(delivery.counts, {
        read: 7 + prefix,
        delivered: 7 + count("delivered"),
        filtered: count("filtered"),
        deadLettered: count("dead_lettered"),
        dropped: count("dropped"),
      });
      assert.equal(delivery.openRows, open.length);
    }
    assert.throws(() => delivery.settle(settled.findIndex((one) => one !== undefined), "delivered"));
  }));
});

Deno.test("settling a row that was not handed over, or twice, is a defect", () => {
  const delivery = createFileDelivery("x", none, () => {});
  delivery.add(1, 10);
  assert.throws(() => delivery.settle(0, "delivered"), /were handed over/);
  delivery.taken(1);
  assert.throws(() => delivery.taken(1), /were read/);
  delivery.settle(0, "delivered");
  assert.throws(() => delivery.settle(0, "delivered"));
  assert.equal(delivery.counts.delivered, 1);
});

Deno.test("the flow gives out in order, at least one, never more than asked in rows or bytes, and counts exactly", () => {
  const op = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), file: fc.boolean(), bytes: fc.integer({ min: 1, max: 50 }) }),
    fc.record({
      kind: fc.constant("take" as const),
      rows: fc.integer({ min: 1, max: 9 }),
      bytes: fc.integer({ min: 1, max: 120 }),
    }),
  );
  fc.assert(fc.property(fc.array(op, { maxLength: 200 }), (ops) => {
    const flow = createRowBuffer({
      name: "x",
      weight: 1,
      capRows: null,
      rowsMax: 1000,
      bytesMax: 1e6,
      taken: () => {},
    });
    let delivery: FileDelivery = createFileDelivery("0", none, () => {});
    const model: Item[] = [];
    for (const one of ops) {
      if (one.kind === "push") {
        if (one.file) delivery = createFileDelivery("next", none, () => {});
        const index = delivery.add(1, 1);
        const item: Item = { kind: "filtered", delivery, index, bytes: one.bytes };
        flow.push(delivery, item);
        model.push(item);
      } else {
        const taken = flow.take(one.rows, one.bytes);
        assert.deepEqual(taken, model.splice(0, taken.length));
        const bytes = taken.reduce((sum, item) => sum + item.bytes, 0);
        assert.ok(taken.length <= one.rows && (bytes <= one.bytes || taken.length === 1));
        const next = model[0];
        const more = next !== undefined && taken.length < one.rows && bytes + next.bytes <= one.bytes;
        assert.ok(!more, "it gives as much as is asked");
        assert.ok(taken.length > 0 || next === undefined, "at least one");
      }
      assert.equal(flow.ready(), model.length);
      assert.equal(flow.room(), 1000 - model.length);
    }
    assert.equal(flow.forget(), model.length);
    assert.equal(flow.ready(), 0);
    assert.equal(flow.room(), 1000);
  }));
});

Deno.test("rows are estimated by the mean so far, also in compressed files, and exact at the end", () => {
  const common = { badRows: 0, firstByte: 0 };
  assert.equal(estimateRows({ ...common, sizeBytes: 1000, readBytes: 0, inflatedBytes: 0, rows: 0, rowsEnd: 0 }), null);
  const half = { ...common, sizeBytes: 1000, readBytes: 500, inflatedBytes: 5000, rows: 10, rowsEnd: 1000 };
  assert.equal(estimateRows(half), 100);
  assert.equal(estimateRows({ ...half, readBytes: 1000, inflatedBytes: 10_000, rows: 77, rowsEnd: 10_000 }), 77);
});
