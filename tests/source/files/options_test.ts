/**
 * What is derived for the file source.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readAheadBytesMaxOf, readAheadRowsOf } from "../../../src/source/files/options.ts";

Deno.test("what folders read ahead together does not grow with their number, and each reads a slice ahead", () => {
  assert.deepEqual([1, 64, 200, 10_000].map((folders) => readAheadRowsOf(500, folders)), [1000, 1000, 320, 64]);
  for (let folders = 64; folders <= 1000; folders++) assert.ok(folders * readAheadRowsOf(500, folders) <= 64_000);
  // A quantum of few rows needs no more.
  assert.deepEqual([1, 200].map((folders) => readAheadRowsOf(10, folders)), [20, 20]);
});

Deno.test("bytes that folders read ahead: 4 MiB each, shared by many, at least 256 KiB", () => {
  const [kib, mib] = [1024, 1024 ** 2];
  assert.deepEqual([0, 1, 64, 128, 1024, 10_000].map(readAheadBytesMaxOf), [
    4 * mib,
    4 * mib,
    4 * mib,
    2 * mib,
    256 * kib,
    256 * kib,
  ]);
  for (let folders = 64; folders <= 1024; folders++) assert.ok(folders * readAheadBytesMaxOf(folders) <= 256 * mib);
});
