import assert from "node:assert/strict";
import fc from "fast-check";
import { capThatWouldDo, forecastQueue, type QueuedFolder } from "../../src/scheduler/forecast_queue.ts";

const folder = (rows: readonly number[], more: Partial<QueuedFolder> = {}): QueuedFolder => ({
  weight: 1,
  capRows: null,
  files: rows.map((one) => ({ rows: one, timeLeftMs: null })),
  ...more,
});
const seconds = (folders: readonly QueuedFolder[], cap: number | null) =>
  forecastQueue(folders, cap).map((files) => files.map(({ inMs }) => inMs === null ? null : Math.round(inMs / 1000)));

Deno.test("files of a folder come one after the other, folders share by weight, and what one leaves goes to the others", () => {
  assert.deepEqual(seconds([folder([1000, 500, 0])], 100), [[10, 15, 15]]);
  assert.deepEqual(seconds([folder([1000]), folder([3000])], 100), [[20], [40]]);
  assert.deepEqual(seconds([folder([1000], { weight: 3 }), folder([1000])], 100), [[13], [20]]);
});

Deno.test("a folder's own cap holds it, and the others get what it leaves", () => {
  assert.deepEqual(seconds([folder([100], { capRows: 10 }), folder([900])], 100), [[10], [10]]);
  assert.deepEqual(seconds([folder([100], { capRows: 10 }), folder([900])], null), [[10], [null]]);
});

Deno.test("the verdict is on time with a fifth of the time to spare, and late past the deadline", () => {
  const due = (timeLeftMs: number) =>
    forecastQueue([folder([], { files: [{ rows: 1000, timeLeftMs }] })], 100)[0]?.[0]?.verdict;
  assert.deepEqual([12_500, 12_499, 10_000, 9_999, -1].map(due), ["on_time", "at_risk", "at_risk", "late", "late"]);
});

Deno.test("the cap that would do is the least one that makes all on time", () => {
  const folders = [
    folder([], { files: [{ rows: 1000, timeLeftMs: 12_500 }, { rows: 1000, timeLeftMs: 20_000 }] }),
    folder([500]),
  ];
  const cap = capThatWouldDo(folders);
  assert.ok(cap !== null);
  const onTime = (rows: number) =>
    forecastQueue(folders, rows).flat().every(({ verdict }) => verdict !== "late" && verdict !== "at_risk");
  assert.deepEqual([onTime(cap), onTime(cap - 1)], [true, false]);
  assert.equal(capThatWouldDo([folder([], { files: [{ rows: 1, timeLeftMs: -1 }] })]), null);
  assert.equal(capThatWouldDo([folder([], { capRows: 5, files: [{ rows: 1000, timeLeftMs: 1000 }] })]), null);
});

Deno.test("all rows take exactly as long as the cap needs for them, whatever the folders", () => {
  const folders = fc.array(
    fc.record({
      weight: fc.integer({ min: 1, max: 9 }),
      rows: fc.array(fc.integer({ min: 0, max: 1e6 }), { maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(fc.property(folders, fc.integer({ min: 1, max: 1e5 }), (given, cap) => {
    const queued = given.map(({ weight, rows }) => folder(rows, { weight }));
    const all = forecastQueue(queued, cap).flat().map(({ inMs }) => inMs ?? NaN);
    const total = given.flatMap(({ rows }) => rows).reduce((sum, rows) => sum + rows, 0);
    const last = Math.max(0, ...all);
    assert.ok(
      Math.abs(last - total * 1000 / cap) <= 1e-3 * Math.max(1, last),
      `${last} ms for ${total} rows at ${cap}/s`,
    );
  }));
});
