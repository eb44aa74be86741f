import assert from "node:assert/strict";
import fc from "fast-check";
import { brokenJsonPlace } from "../../src/core/json_place.ts";

Deno.test("what is JSON has no broken place", () => {
  fc.assert(fc.property(fc.json(), (text) => assert.equal(brokenJsonPlace(text), null)));
});

Deno.test("a character that cannot stand there is found, wherever it is", () => {
  const array = fc.array(fc.json(), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(array, fc.nat(), (parts, nth) => {
    const values = parts.map((part) => JSON.stringify(JSON.parse(part)));
    const at = nth % values.length;
    const before = `[\n${values.slice(0, at).map((one) => `${one},\n`).join("")}`;
    const text = `${before}#${values.slice(at).join(",\n")}]`;
    const lines = before.split("\n");
    assert.deepEqual(brokenJsonPlace(text), { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 });
  }));
});

Deno.test("each way of being broken has its place", () => {
  const cases: readonly (readonly [string, number, number])[] = [
    ["", 1, 1],
    ["hunter2", 1, 1],
    ['{"a": tru }', 1, 10],
    ['{"a": 1,}', 1, 9],
    ['{"a": 1} {', 1, 10],
    ['{"a"\n 1}', 2, 2],
    ['["a\tb"]', 1, 4],
    ['["a', 1, 4],
    ["[1, -]", 1, 6],
  ];
  for (const [text, line, column] of cases) assert.deepEqual(brokenJsonPlace(text), { line, column }, text);
});
