/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { isJsonNumber, isRawNumber, mayLoseDigits, parseExact, survivesDouble } from "../../src/decode/digits.ts";
import { numberText } from "./number_arbitrary.ts";

Deno.test("a number is what JSON's grammar says", () => {
  for (const text of ["0", "-0", "21", "2.50", "1e5", "1E-5", "-1.5e+3"]) assert.ok(isJsonNumber(text), text);
  for (const text of ["", "-", "+1", "01", "1.", ".5", "1e", "0x1", "NaN", "Infinity", " 1", "1 ", "1,5", "\u0661"]) {
    assert.ok(!isJsonNumber(text), text);
  }
  fc.assert(fc.property(fc.oneof(numberText, fc.string({ unit: fc.constantFrom(..."0123.eE+- ") })), (text) => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = undefined;
    }
    assert.equal(isJsonNumber(text), typeof parsed === "number" && text.trim() === text);
  }));
});

Deno.test("a number survives a double exactly when its value does", () => {
  for (const text of ["0.1", "1.50", "9007199254740992", "1e3", "-0.0", "123456789012345", "1e300"]) {
    assert.ok(survivesDouble(text), text);
  }
  for (
    const text of [
      "9007199254740993",
      "0.1000000000000000055511151231257827",
      "1e400",
      "1e-400",
      "12345678901234567890.5",
    ]
  ) {
    assert.ok(!survivesDouble(text), text);
  }
});

Deno.test("no number that a double cannot hold is overlooked in a row", () => {
  fc.assert(
    fc.property(numberText, fc.string(), fc.boolean(), (number, other, deep) => {
      if (survivesDouble(number)) return;
      const text = `{${JSON.stringify(other)}:${deep ? `{"a":[${number}]}` : number}}`;
      assert.ok(mayLoseDigits(text), text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a number beyond a double is not overlooked inside a structure", () => {
  for (const text of ['{"a":[1e400]}', '{"a":{"b":-1E+400}}']) assert.ok(mayLoseDigits(text), text);
});

Deno.test("usual rows do not take the slow path", () => {
  const row = '{"device_id":"device-12","metric":"temp","value":21.53,"ts":"2026-11-23T11:12:12.123456Z","unit":"C"}';
  assert.ok(!mayLoseDigits(row));
  assert.ok(!mayLoseDigits('{"device_id":"d","metric":"m","value":1,"ts":1700000000123456}'));
});

Deno.test("an exact parse differs from JSON.parse only in numbers that a double cannot hold", () => {
  const parsed = parseExact('{"a":9007199254740993,"b":1.5,"__proto__":{"c":[1e400]}}');
  assert.ok(typeof parsed === "object" && parsed !== null && "a" in parsed && isRawNumber(parsed.a));
  assert.equal(JSON.stringify(parsed), '{"a":9007199254740993,"b":1.5,"__proto__":{"c":[1e400]}}');
});
