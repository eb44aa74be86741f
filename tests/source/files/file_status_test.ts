import assert from "node:assert/strict";
import { byUrgency, estimateRows, isHandedOver, readBytes } from "../../../src/source/files/file_status.ts";
import { fakeFile } from "../../ops/status/fake_gateway.ts";
import type { ReadProgress } from "../../../src/source/files/file_reader.ts";

const none: ReadProgress = {
  sizeBytes: 1000,
  workedBytes: 0,
  inflatedBytes: 0,
  ended: false,
  rows: 0,
  rowsEnd: 0,
  takenEnd: 0,
  badRows: 0,
  firstByte: null,
};
/** Half of a compressed file is inflated, to ten times as much; 10 rows are decoded, and 5 of them were handed over. */
const half: ReadProgress = { ...none, workedBytes: 500, inflatedBytes: 5000, rows: 10, rowsEnd: 1000, takenEnd: 500 };

Deno.test("rows are estimated by the mean so far, also in compressed files, and exact at the end", () => {
  assert.equal(estimateRows(none), null);
  assert.equal(estimateRows(half), 100);
  assert.equal(estimateRows({ ...half, ended: true, rows: 77, rowsEnd: 10_000 }), 77);
});

Deno.test("a file is as far as its rows were handed over, in bytes on disk, however much was read ahead", () => {
  assert.equal(readBytes(none), 0);
  assert.equal(readBytes(half), 50);
  const whole = { ...half, ended: true, workedBytes: 1000, inflatedBytes: 10_010, rows: 100, rowsEnd: 10_000 };
  assert.equal(readBytes({ ...whole, takenEnd: 5_000 }), 500);
  assert.equal(isHandedOver({ ...whole, takenEnd: 9_900 }), false);
  assert.equal(isHandedOver({ ...whole, takenEnd: 10_000 }), true);
  assert.equal(readBytes({ ...whole, takenEnd: 10_000 }), 1000, "also what stands behind the last row");
});

Deno.test("files stand in the order of their urgency: late, at risk, being read, all rows under way", () => {
  const files = [
    fakeFile({ name: "handed over", rowsRead: 9, rowsEstimated: 9 }),
    fakeFile({ name: "on time" }),
    fakeFile({ name: "none", verdict: "none", rowsEstimated: null }),
    fakeFile({ name: "at risk", verdict: "at_risk" }),
    fakeFile({ name: "late", verdict: "late" }),
  ];
  assert.deepEqual(byUrgency(files).map(({ name }) => name), ["late", "at risk", "on time", "none", "handed over"]);
});
