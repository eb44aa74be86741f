import assert from "node:assert/strict";
import fc from "fast-check";
import { storedFields } from "../../src/decode/stored_fields.ts";

Deno.test("fields come back as the text that was sent, digit by digit, and __proto__ is one of them", () => {
  const texts = [
    '{"a":12345678901234567890,"b":1e400,"c":0.10000000000000000001,"d":"1e5"}',
    '{"__proto__":1,"constructor":null,"device_id":"d"}',
    '{"a":{"b":[1e999]}}',
  ];
  for (const text of texts) assert.equal(JSON.stringify(storedFields(text)), text);
  assert.equal("toString" in storedFields("{}"), false);
});

Deno.test("what is no object is refused", () => {
  for (const text of ["", "[]", "null", "1", '{"a":', "\u0000"]) assert.throws(() => storedFields(text), text);
});

Deno.test("whatever object was sent comes back", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
    const text = JSON.stringify(fields);
    assert.equal(JSON.stringify(storedFields(text)), text);
  }));
});
