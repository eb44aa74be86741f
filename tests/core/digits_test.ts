/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { writeNumber } from "../../src/core/digits.ts";

Deno.test("numbers are written as their digits", () => {
  const into = new Uint8Array(30);
  const written = (value: number) => new TextDecoder().decode(into.subarray(3, writeNumber(value, into, 3)));
  fc.assert(fc.property(fc.maxSafeNat(), (value) => assert.equal(written(value), String(value))));
  for (const value of [0, 9, 10, 99, 100, Number.MAX_SAFE_INTEGER]) assert.equal(written(value), String(value));
});
