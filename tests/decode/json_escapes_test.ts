/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { escapedStop, unescape } from "../../src/decode/json_escapes.ts";
import { bytesOf } from "./drain.ts";

/** What becomes of the text between the quotes, or null. */
function unescaped(inside: string, room = 200): string | null {
  const into = new Uint8Array(7 + room);
  const line = bytesOf(`..${inside}"`);
  const length = unescape(line, 2, line.length - 1, into, 7);
  return length < 0 ? null : new TextDecoder().decode(into.subarray(7, 7 + length));
}

const piece = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((code) => `\\u${code.toString(16).padStart(4, "0")}`),
  fc.integer({ min: 0x80, max: 0xffff }).map((code) => `\\u${code.toString(16).padStart(4, "0").toUpperCase()}`),
  fc.constantFrom("\\/", "\\n", "\\\\", "\\q", "\\u00", "\\u00bg", "a", "\u00b0", "\ud83d\ude00"),
);

Deno.test("what is unescaped is what JSON says; what needs an escape, or is none, is not", () => {
  fc.assert(fc.property(fc.array(piece, { maxLength: 3 }), (pieces) => {
    const inside = pieces.join("");
    const text = unescaped(inside);
    if (text === null) return;
    assert.equal(text, JSON.parse(`"${inside}"`));
    assert.equal(JSON.stringify(text), `"${text}"`);
  }));
  assert.equal(unescaped("\\u00b0C \\u20AC\\/\\u0041"), "\u00b0C \u20ac/A");
  for (const inside of ["\\n", "\\u0022", "\\u005c", "\\u001f", "\\ud83d\\ude00", "\\u00b", "\\q", "\\"]) {
    assert.equal(unescaped(inside), null, inside);
  }
});

Deno.test("there has to be room for the text as it came", () => {
  assert.equal(unescaped("\\u00b0C", 7), "\u00b0C");
  assert.equal(unescaped("\\u00b0C", 6), null);
});

Deno.test("a string ends at the quote that is not escaped, and before a control character not at all", () => {
  const stopOf = (text: string) => escapedStop(bytesOf(text), 0, text.length);
  assert.equal(stopOf('\\"a\\\\"x'), 5);
  assert.equal(stopOf('\\"a'), -1);
  assert.equal(stopOf('a\u0001"'), -1);
});
