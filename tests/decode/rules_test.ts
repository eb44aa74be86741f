/** @module */
import assert from "node:assert/strict";
import type { Fields } from "../../src/core/reading.ts";
import { WeirError } from "../../src/core/error.ts";
import { parseExact } from "../../src/decode/digits.ts";
import { createRules } from "../../src/decode/rules.ts";

const names = ["device_id", "metric", "value", "ts", "unit"];

function apply(
  rules: { readonly sets?: readonly (readonly [string, string])[]; readonly filter?: string; readonly open?: boolean },
  fields: Fields,
): { readonly result: string; readonly json: Record<string, string> } {
  const compiled = createRules({
    sets: (rules.sets ?? []).map(([field, expression]) => ({ field, expression })),
    filter: rules.filter ?? null,
    names,
    open: rules.open ?? true,
  });
  const json: Record<string, string> = {};
  const result = compiled?.apply(fields, (name, value, text) => {
    fields[name] = value;
    json[name] = text;
  });
  return { result: typeof result === "object" ? result.problem : result ?? "no rules", json };
}

/** The JSON that `--set f=expression` writes, or the problem. */
function evaluate(expression: string, fields: Fields = {}): string {
  const { result, json } = apply({ sets: [["f", expression]] }, fields);
  return json["f"] ?? result;
}

function mistake(rules: Parameters<typeof apply>[0]): string {
  try {
    apply(rules, {});
    return "";
  } catch (error) {
    assert.ok(error instanceof WeirError && error.code === "configuration");
    return `${error.message} | ${error.advice}`;
  }
}

Deno.test("arithmetic mixes whole and decimal numbers in any order", () => {
  const fields = { value: 21.5 };
  for (
    const [expression, result] of [
      ["value * 2", "43"],
      ["2 * value + 1", "44"],
      ["value / 2", "10.75"],
      ["43 / value", "2"],
      ["value - 1", "20.5"],
      ["value % 2", "1.5"],
      ["1.5 + 1", "2.5"],
      ["7 / 2", "3"],
      ["-value", "-21.5"],
      ["value > 21 ? 'hot' : 'cold'", '"hot"'],
      ["value >= 21.5 && 22 > value && value != 21", "true"],
      ["value in [1, 21.5]", "true"],
    ] as const
  ) assert.equal(evaluate(expression, fields), result, expression);
});

Deno.test("an absent field is null, and null is not a number", () => {
  assert.equal(evaluate("value == null"), "true");
  assert.equal(evaluate("never_heard_of == null ? 0 : 1"), "0");
  assert.match(
    evaluate("value > 3"),
    /^--set f "value > 3" failed: no such overload: .*; "value" is absent or null here$/,
  );
});

Deno.test("results leave as JSON, whatever they are", () => {
  assert.equal(evaluate('"a\\"" + "b"'), '"a\\"b"');
  assert.equal(evaluate("9007199254740993"), "9007199254740993");
  assert.equal(evaluate("[1, 'x', {'a': null}]"), '[1,"x",{"a":null}]');
  assert.equal(evaluate("timestamp('2026-01-01T00:00:00Z')"), '"2026-01-01T00:00:00.000Z"');
  assert.equal(evaluate("device_id.startsWith('d') && device_id.size() == 2", { device_id: "d1" }), "true");
  assert.equal(evaluate("tags.exists(t, t == 'a')", { tags: ["b", "a"] }), "true");
  assert.equal(evaluate("place.room", { place: { room: 7, constructor: 1 } }), "7");
  assert.equal(evaluate("value + 1", { value: parseExact("9007199254740993") }), "9007199254740992");
  for (const bad of ["1.0 / 0", "b'x'", "duration('1s')"]) {
    assert.match(evaluate(bad), /^--set f .* failed: The result is /, bad);
  }
});

Deno.test("sets are carried out in order, then the filter sees what they set", () => {
  const rules = {
    sets: [["f", "value * 1.8 + 32"], ["f", "f + 1"], ["value", "null"]],
    filter: "f > 50 && value == null",
  } as const;
  assert.deepEqual(apply(rules, { value: 20 }), { result: "kept", json: { f: "69", value: "null" } });
  assert.equal(apply(rules, { value: 0 }).result, "filtered");
});

Deno.test("a filter that fails, or is neither true nor false, is a rule error", () => {
  assert.match(apply({ filter: "value > 'x'" }, { value: 1 }).result, /^--filter .* failed: no such overload/);
  assert.equal(apply({ filter: "value" }, { value: 1 }).result, '--filter "value" gave 1, not true or false');
});

Deno.test("a wrong expression is refused at the start with its place and the nearest name", () => {
  assert.match(mistake({ filter: "value >" }), /^--filter "value >" is wrong at character 8: /);
  assert.match(mistake({ filter: "sise(unit) > 1" }), /at character 1: .*\| Is "size" meant\?$/);
  assert.match(mistake({ filter: "unit.startWith('a')" }), /\| Is "startsWith" meant\?$/);
  assert.match(
    mistake({ filter: "value > 1 && vlaue < 3", open: false }),
    /at character 14: Unknown variable: vlaue \| Is "value" meant\?$/,
  );
  assert.match(mistake({ filter: "1 + 1" }), /^--filter "1 \+ 1" gives int, not true or false/);
  assert.match(mistake({ sets: [["origin", "'x'"]] }), /^--set origin cannot be: the field is set by Weir itself/);
});

Deno.test("the rules see where a reading came from", () => {
  assert.equal(
    apply({ filter: "origin == 'batch' && processing_time > 0" }, { origin: "batch", processing_time: 1 }).result,
    "kept",
  );
});

Deno.test("without rules there is nothing to carry out", () => {
  assert.equal(createRules({ sets: [], filter: null, names, open: true }), null);
});
