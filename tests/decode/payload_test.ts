/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Row } from "../../src/core/decoder.ts";
import { createPayloadDecoder } from "../../src/decode/payload.ts";
import { bytesOf } from "./drain.ts";

const decode = createPayloadDecoder({ payloadBytesMax: 1024 });

function shape(payload: string | Uint8Array): unknown[] {
  const rows = decode(typeof payload === "string" ? bytesOf(payload) : payload);
  return rows.map((row: Row) => row.kind === "object" ? row.object : row.kind === "bad" ? `!${row.reason}` : row);
}

Deno.test("an object is one reading, an array of objects many, a bare value the field value", () => {
  assert.deepEqual(shape('{"a":1}'), [{ a: 1 }]);
  assert.deepEqual(shape('\ufeff [{"a":1}, {"b":[2]}] '), [{ a: 1 }, { b: [2] }]);
  assert.deepEqual(shape("21.5"), [{ value: 21.5 }]);
  assert.deepEqual(shape(" true\n"), [{ value: true }]);
  assert.deepEqual(shape('"open"'), [{ value: "open" }]);
  assert.deepEqual(shape("null"), [{ value: null }]);
});

Deno.test("a plain word that is no JSON is a string value", () => {
  for (const word of ["ON", "open", "21,5", "007", "-", "21.5 \u00b0C", "NaN"]) {
    assert.deepEqual(shape(word), [{ value: word }]);
  }
  assert.deepEqual(shape(" OFF\n"), [{ value: "OFF" }]);
});

Deno.test("what is broken is bad and says why", () => {
  for (const payload of ["", " ", "{", '{"a":1', "[1", '"x', "[]", "a\u0000b", "a\nb", "\u001b[31m"]) {
    assert.deepEqual(shape(payload), ["!bad_json"], payload);
  }
  assert.deepEqual(shape(Uint8Array.of(0x31, 0xff)), ["!invalid_utf8"]);
  assert.deepEqual(shape("x".repeat(1025)), ["!too_long"]);
  const [row] = createPayloadDecoder({ payloadBytesMax: 1 << 20 })(bytesOf("[".repeat(300_000) + "]".repeat(300_000)));
  assert.equal(row?.kind === "bad" && row.detail, "The payload is nested deeper than 256 levels");
});

Deno.test("a bad element of an array leaves the others", () => {
  assert.deepEqual(shape('[{"a":1},2,[{"b":1}],null,{"c":1}]'), [{ a: 1 }, "!bad_json", "!bad_json", "!bad_json", {
    c: 1,
  }]);
  assert.deepEqual(shape("[1,2]"), ["!bad_json", "!bad_json"]);
});

Deno.test("rows of a payload are numbered from 0 and carry the text of their element", () => {
  const text = '[ {"a":"],"} , {"b":[1,{"c":2}]},{}]';
  const rows = decode(bytesOf(text));
  assert.deepEqual(rows.map((row) => [row.row, row.start, row.end]), [[0, 0, text.length], [1, 0, text.length], [
    2,
    0,
    text.length,
  ]]);
  assert.deepEqual(rows.map((row) => row.kind === "object" && row.text), ['{"a":"],"}', '{"b":[1,{"c":2}]}', "{}"]);
});

Deno.test("the text of each element of any array parses to the element", () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 }), (array) => {
      const rows = createPayloadDecoder({ payloadBytesMax: 1 << 20 })(bytesOf(JSON.stringify(array, null, 1)));
      for (const row of rows) {
        assert.deepEqual(row.kind === "object" && JSON.parse(row.text), row.kind === "object" && row.object);
      }
      assert.equal(rows.length, array.length);
    }),
  );
});

Deno.test("any payload at all gives at least one row and never throws", () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytesOf), fc.string().map(bytesOf)), (payload) => {
    assert.ok(decode(payload).length >= 1);
  }));
});
