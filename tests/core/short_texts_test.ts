/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createShortTexts } from "../../src/core/short_texts.ts";

Deno.test("a text is what its bytes say, also where others had its place before", () => {
  const texts = createShortTexts();
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 80 });
  fc.assert(fc.property(fc.array(ascii, { maxLength: 50 }), (list) => {
    for (const text of [...list, ...list]) {
      const bytes = new TextEncoder().encode(`>${text}<`);
      assert.equal(texts(bytes, 1, bytes.length - 1), text);
    }
  }));
  for (let i = 0; i < 5000; i++) {
    const bytes = new TextEncoder().encode(`device-${i}`);
    assert.equal(texts(bytes, 0, bytes.length), `device-${i}`);
  }
});
