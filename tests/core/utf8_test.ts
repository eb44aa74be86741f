/**
 * Characters as bytes, beside the runtime's own encoder.
 *
 * @module
 */
import assert from "node:assert/strict";
import { putCharacter } from "../../src/core/utf8.ts";

Deno.test("every character to U+FFFF has the bytes that the runtime gives it", () => {
  const encoder = new TextEncoder();
  const into = new Uint8Array(4);
  for (let code = 0; code <= 0xffff; code++) {
    // Half of a pair is no character.
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const end = putCharacter(code, into, 1);
    assert.deepEqual(into.subarray(1, end), encoder.encode(String.fromCharCode(code)));
  }
});
