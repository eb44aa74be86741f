/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { packedField } from "../../../src/sink/kafka/packed_field.ts";

function found(name: string, text: string): string | null | undefined {
  const bytes = new TextEncoder().encode(text);
  const page = new Uint8Array(bytes.length + 20).fill(0x22);
  page.set(bytes, 9);
  return packedField(name)({ page, from: 9, valueEnd: 9 + bytes.length, idEnd: page.length });
}

Deno.test("a field's text is found in the bytes, or it is said that it is not as simple", () => {
  assert.equal(found("b", '{"a":1,"b":"x","c":null}'), "x");
  assert.equal(found("a", '{"a":"","b":"x"}'), "");
  assert.equal(found("d", '{"a":1.5,"b":"x"}'), null);
  assert.equal(found("x", '{"a":"x","b":"\\"x\\":\\"y\\""}'), undefined);
  assert.equal(found("a", '{"a":1}'), undefined);
  assert.equal(found("b", '{"a":{"b":"x"},"b":"y"}'), undefined);
  assert.equal(found("a", '{"a":"\u00b5"}'), undefined);
});

Deno.test("what is found is what JSON says, whatever the reading", () => {
  const name = fc.constantFrom("a", "b", "device_id", '"', "\u00b5");
  const value = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('"b":"x"', "}", ","), fc.double(), fc.boolean());
  fc.assert(fc.property(name, fc.dictionary(name, value, { maxKeys: 5 }), (wanted, fields) => {
    const text = found(wanted, JSON.stringify(fields));
    if (text !== undefined) assert.equal(text, fields[wanted] ?? null);
  }));
});
