import assert from "node:assert/strict";
import { drawLine, fit, unicodeGlyphs, widthOf } from "../../src/ops/screen_text.ts";

Deno.test("a text is as wide as a terminal draws it: ideographs and emoji two columns, marks none", () => {
  assert.equal(widthOf("abc"), 3);
  assert.equal(widthOf("\u6f22\u5b57"), 4);
  assert.equal(widthOf("\u{1f600}"), 2);
  assert.equal(widthOf("e\u0301"), 1);
  assert.equal(widthOf("\u2501\u25ba\u2588"), 3);
});

Deno.test("a fitted text is exactly as wide as asked, whatever is cut in two", () => {
  assert.equal(fit("ab", 4, unicodeGlyphs), "ab  ");
  assert.equal(fit("abcdef", 4, unicodeGlyphs), "abc\u2026");
  // The second ideograph would end one column too far: a space takes its place.
  assert.equal(fit("\u6f22\u5b57\u6f22", 4, unicodeGlyphs), "\u6f22\u2026 ");
  assert.equal(fit("abc", 0, unicodeGlyphs), "");
});

Deno.test("a line is cut where it would wrap, and has no spaces at its end", () => {
  const options = { colour: true, glyphs: unicodeGlyphs };
  const spans = [{ text: "ab", style: "plain" }, { text: "cdef", style: "sink" }] as const;
  assert.equal(drawLine(spans, 6, options), "ab\u001b[32mcdef\u001b[0m");
  assert.equal(drawLine(spans, 5, options), "ab\u001b[32mcd\u2026\u001b[0m");
  assert.equal(drawLine([...spans, { text: "   ", style: "dim" }], 9, options), "ab\u001b[32mcdef\u001b[0m");
});
