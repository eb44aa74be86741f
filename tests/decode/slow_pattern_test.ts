import assert from "node:assert/strict";
import { createRules } from "../../src/decode/rules.ts";
import { compileSchema } from "../../src/decode/schema.ts";
import { isSlowPattern, patternLiterals } from "../../src/decode/slow_pattern.ts";

Deno.test("patterns that take exponential time are known, however they are written", () => {
  const slow = [
    "(a+)+$",
    "^(a*)*b",
    "(?:a+)+",
    "(?<n>a+)*",
    "([a-z]+)*!",
    "(a|a)*$",
    "(a|ab)+c",
    "(\\w|\\d)+$",
    "((a+)b?)+",
    "(a+){2,}",
    "(a{1,}){20}",
    "(a+)+?",
    "(|a)+b",
    "((a|b)|a)*c",
  ];
  for (const pattern of slow) assert.equal(isSlowPattern(pattern), true, pattern);
});

Deno.test("ordinary patterns are let through", () => {
  const fine = [
    "^[A-Z]{2}-\\d{4}$",
    "^press-\\d+\\.(temperature|pressure)$",
    "(foo|bar)+",
    "a+b+c*",
    "^\\s*\\S+\\s*$",
    "([0-9]{1,3}\\.){3}[0-9]{1,3}",
    "[(+*)]+x",
    "\\(a+\\)+",
    "(ab)+",
    "(a+)?",
    "",
  ];
  for (const pattern of fine) assert.equal(isSlowPattern(pattern), false, pattern);
});

Deno.test("patterns in expressions are found where they are patterns, and only there", () => {
  assert.deepEqual(patternLiterals(`a.matches("x+") && b . matches( r'y' )`), ['"x+"', "r'y'"]);
  assert.deepEqual(patternLiterals(`name == ".matches(" || s.matches(other) || s.matches("a" + t)`), [null, null]);
});

Deno.test("a rule with a slow pattern, or with one that a reading chooses, is refused at the start", () => {
  const rules = (filter: string) => createRules({ sets: [], filter, names: ["unit", "metric"], open: true });
  assert.throws(() => rules(`unit.matches("(a+)+$")`), /could run for ever on a hostile value/);
  assert.throws(() => rules("unit.matches(metric)"), /pattern that is not written out/);
  assert.ok(rules(`unit.matches("^[a-z]+$")`));
});

Deno.test("a schema with a slow pattern is refused at the start, wherever it stands", () => {
  const schema = (property: unknown) => compileSchema({ type: "object", properties: { a: property } });
  assert.throws(() => schema({ type: "string", pattern: "(a+)+$" }), /could run for ever/);
  assert.throws(
    () => schema({ anyOf: [{ type: "null" }, { type: "string", pattern: "(a|a)*$" }] }),
    /could run for ever/,
  );
  assert.ok(schema({ type: "string", pattern: "^[a-z]+$" }));
});
