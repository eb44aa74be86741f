import assert from "node:assert/strict";
import fc from "fast-check";
import { compareFiles, timeInName } from "../../../src/source/files/order.ts";

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
