/**
 * What is derived for the file source.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readAheadRowsOf } from "../../../src/source/files/options.ts";

Deno.test("what folders read ahead together does not grow with their number, and each reads a slice ahead", () => {
  assert.deepEqual([1, 64, 200, 10_000].map((folders) => readAheadRowsOf(500, folders)), [1000, 1000, 320, 64]);
  for (let folders = 64; folders <= 1000; folders++) assert.ok(folders * readAheadRowsOf(500, folders) <= 64_000);
  // A quantum of few rows needs no more.
  assert.deepEqual([1, 200].map((folders) => readAheadRowsOf(10, folders)), [20, 20]);
});
