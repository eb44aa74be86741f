/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { DecoderState } from "../../src/core/decoder.ts";
import { createNdjsonDecoder } from "../../src/decode/ndjson.ts";
import type { Drained } from "./drain.ts";
import { bytesOf, drain, latin1, plain } from "./drain.ts";
import { damaged, linesFile } from "./json_arbitrary.ts";

function read(
  file: string | Uint8Array,
  rowBytesMax = 1 << 20,
  state: DecoderState | null = null,
  sizes: readonly number[] = [1 << 16],
  maxRows = 7,
): Drained {
  const bytes = typeof file === "string" ? bytesOf(file) : file;
  return drain(() => createNdjsonDecoder({ rowBytesMax }, state), bytes.subarray(state?.byte ?? 0), sizes, maxRows);
}

function shape(drained: Drained): unknown[] {
  return drained.rows.map(({ row }) =>
    row.kind === "object" ? row.object : row.kind === "bad" ? `!${row.reason}` : row
  );
}

Deno.test("a line of NDJSON knows its object, its text, its number and its bytes", () => {
  const { rows } = read('\ufeff{"a":1}\r\n\n {"b":"\u00e9"}');
  assert.deepEqual(
    rows.map(({ row }) => row.kind === "object" && [row.object, row.text.trim(), row.row, row.start, row.end]),
    [
      [{ a: 1 }, '{"a":1}', 1, 0, 12],
      [{ b: "\u00e9" }, '{"b":"\u00e9"}', 2, 13, 24],
    ],
  );
});

Deno.test("a bad line costs itself and no other", () => {
  const bytes = Uint8Array.from([
    ...bytesOf('{"a":1}\n{"a":\n[1]\n7\n"x"\nnull\n'),
    0x22,
    0xff,
    0x22,
    0x0a,
    ...bytesOf('{"a":2}'),
  ]);
  const bad = "!bad_json";
  assert.deepEqual(shape(read(bytes)), [{ a: 1 }, bad, bad, bad, bad, bad, "!invalid_utf8", { a: 2 }]);
});

Deno.test("a bad line says what was wrong with it", () => {
  const details = read('{"a":\n[1]\n').rows.map(({ row }) => row.kind === "bad" ? row.detail : "");
  assert.match(details[0] ?? "", /^"\{"a":.*" is not JSON: /);
  assert.equal(details[1], '"[1]\\u000a" is an array, not an object');
});

Deno.test("a line over the limit is bad, its beginning is kept and the next line is read", () => {
  const { rows } = read(`{"a":1}\n{"b":"${"x".repeat(200)}"}\n{"c":1}\n`, 64, null, [16]);
  assert.deepEqual(shape({ rows, error: null }), [{ a: 1 }, "!too_long", { c: 1 }]);
  assert.equal(rows[1]?.raw.length, 64);
});

Deno.test("a line that is nested without end is bad and overflows nothing", () => {
  const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  assert.deepEqual(shape(read(`${deep}\n{"a":1}\n`)), ["!bad_json", { a: 1 }]);
});

Deno.test("lines are the same however the bytes come in pieces, and after any resume", () => {
  fc.assert(
    fc.property(
      damaged(linesFile),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(10, 1 << 20),
      fc.nat(),
      (bytes, sizes, maxRows, rowBytesMax, pick) => {
        const whole = read(bytes, rowBytesMax);
        assert.deepEqual(plain(read(bytes, rowBytesMax, null, sizes, maxRows)), plain(whole));
        for (const { row, raw } of whole.rows) {
          assert.equal(raw, latin1(bytes.subarray(row.start, Math.min(row.end, row.start + rowBytesMax))));
        }
        if (whole.rows.length === 0) return;
        const at = pick % whole.rows.length;
        const rest = read(bytes, rowBytesMax, whole.rows[at]?.state ?? null, sizes);
        assert.deepEqual(plain(rest), plain({ rows: whole.rows.slice(at + 1), error: null }));
      },
    ),
    { numRuns: 600 },
  );
});
