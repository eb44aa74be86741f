import assert from "node:assert/strict";
import fc from "fast-check";
import { formatBytes, formatCount, formatDuration, printable, quoted, sentence } from "../../src/core/text.ts";

Deno.test("printable text never holds a control, format or separator character or half a surrogate", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
    assert.doesNotMatch(printable(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  }));
});

Deno.test("ordinary text in any script stays as it is", () => {
  for (const text of ["plant/halle-7/t\u00fcr", "\u6e29\u5ea6", "\u{1f600}", "a b\\c"]) {
    assert.equal(printable(text), text);
  }
});

Deno.test("long text is cut with a mark that tells its length", () => {
  assert.equal(printable("x".repeat(50), 10), `${"x".repeat(10)}... (50 characters)`);
  assert.equal(quoted("a\nb"), '"a\\u000ab"');
});

Deno.test("sizes, durations and counts are written for people", () => {
  assert.deepEqual([0, 317, 1536, 256 * 2 ** 20, 5.5 * 2 ** 30].map(formatBytes), [
    "0 B",
    "317 B",
    "1.5 KiB",
    "256 MiB",
    "5.5 GiB",
  ]);
  assert.deepEqual([850, 5200, 12_000, 200_000, 7_500_000, 273_600_000, Infinity].map(formatDuration), [
    "850 ms",
    "5.2 s",
    "12 s",
    "3 min 20 s",
    "2 h 5 min",
    "3 d 4 h",
    "unknown",
  ]);
  assert.equal(formatCount(1234567), "1,234,567");
});

Deno.test("a message becomes a sentence, and a question stays one", () => {
  assert.equal(sentence("Look at the disk"), "Look at the disk.");
  assert.equal(sentence("Is it up?"), "Is it up?");
});
