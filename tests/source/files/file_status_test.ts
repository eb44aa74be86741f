import assert from "node:assert/strict";
import { estimateRows } from "../../../src/source/files/file_status.ts";

Deno.test("rows are estimated by the mean so far, also in compressed files, and exact at the end", () => {
  const common = { badRows: 0, firstByte: 0 };
  assert.equal(estimateRows({ ...common, sizeBytes: 1000, readBytes: 0, inflatedBytes: 0, rows: 0, rowsEnd: 0 }), null);
  const half = { ...common, sizeBytes: 1000, readBytes: 500, inflatedBytes: 5000, rows: 10, rowsEnd: 1000 };
  assert.equal(estimateRows(half), 100);
  assert.equal(estimateRows({ ...half, readBytes: 1000, inflatedBytes: 10_000, rows: 77, rowsEnd: 10_000 }), 77);
});
