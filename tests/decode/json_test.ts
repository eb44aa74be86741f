/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { DecoderState } from "../../src/core/decoder.ts";
import { createJsonDecoder } from "../../src/decode/json.ts";
import type { Drained } from "./drain.ts";
import { bytesOf, drain, latin1, plain } from "./drain.ts";
import { arrayFile, damaged, element, linesFile } from "./json_arbitrary.ts";

function read(
  file: string | Uint8Array,
  rowBytesMax = 1 << 20,
  state: DecoderState | null = null,
  sizes: readonly number[] = [1 << 16],
  maxRows = 7,
): Drained {
  const bytes = typeof file === "string" ? bytesOf(file) : file;
  return drain(() => createJsonDecoder({ rowBytesMax }, state), bytes.subarray(state?.byte ?? 0), sizes, maxRows);
}

function shape(drained: Drained): unknown[] {
  return drained.rows.map(({ row }) =>
    row.kind === "object" ? row.object : row.kind === "bad" ? `!${row.reason}` : row
  );
}

Deno.test("an element of an array knows its object, its text, its number and its bytes", () => {
  const { rows, error } = read('\ufeff [ {"a":"]"} ,\n{"b":{"c":[1]}}]\n');
  assert.equal(error, null);
  assert.deepEqual(
    rows.map(({ row }) => row.kind === "object" && [row.object, row.text, row.row, row.start, row.end]),
    [
      [{ a: "]" }, '{"a":"]"}', 1, 6, 15],
      [{ b: { c: [1] } }, '{"b":{"c":[1]}}', 2, 18, 33],
    ],
  );
});

Deno.test("values one after the other are read, on one line or on many", () => {
  assert.deepEqual(
    shape(read('{"a":1}{"a":2}\n{\n  "a": 3\n}\n[{"a":4}][{"a":5}]')),
    [1, 2, 3, 4, 5].map((a) => ({ a })),
  );
});

Deno.test("a bad but balanced element costs itself and no other", () => {
  const bad = "!bad_json";
  const file = '[{"a":1},{a:1},{"a":1,},7,"x, ]",[{"a":1}],null,tru,}, {"a":2}]';
  assert.deepEqual(shape(read(file)), [{ a: 1 }, bad, bad, bad, bad, bad, bad, bad, bad, { a: 2 }]);
  const bytes = Uint8Array.from([...bytesOf('[{"a":"'), 0xff, ...bytesOf('"},{"a":2}]')]);
  assert.deepEqual(shape(read(bytes)), ["!invalid_utf8", { a: 2 }]);
});

Deno.test("what is not balanced ends the file, and the rows before it stay", () => {
  for (
    const [file, rows] of [
      ['[{"a":1},{"b":', 1],
      ['[{"a":1}', 1],
      ['[{"a":1},', 1],
      ['[{"a":1}{"a":2}]', 1],
      ['[{"a":1},,{"a":2}]', 1],
      ['[{"a":1},]', 1],
      ["[,]", 0],
      ['{"a":1}]', 1],
      ['{"a":1},{"a":2}', 1],
      ["[", 0],
      ['[{"a":1},"x', 1],
    ] as const
  ) {
    const drained = read(file, 1 << 20, null, [3]);
    assert.equal(drained.rows.length, rows, file);
    assert.match(drained.error ?? "", /^The JSON cannot be read on at byte \d+: /, file);
  }
});

Deno.test("an empty file, white space and an empty array are files without rows", () => {
  for (const file of ["", "\ufeff", " \n", "[]", " [ \n ] "]) assert.deepEqual(read(file), { rows: [], error: null });
});

Deno.test("an element over the limit is bad, its beginning is kept and the next one is read", () => {
  const file = `[{"a":1},{"b":"${"x".repeat(500)}"},{"c":1}]`;
  for (const sizes of [[16], [1 << 16]]) {
    const { rows, error } = read(file, 64, null, sizes);
    assert.equal(error, null);
    assert.deepEqual(shape({ rows, error }), [{ a: 1 }, "!too_long", { c: 1 }]);
    assert.equal(rows[1]?.raw, file.slice(9, 9 + 64));
  }
});

Deno.test("an element that is nested without end is bad and overflows nothing", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  assert.deepEqual(shape(read(`[${deep},{"a":1}]`)), ["!bad_json", { a: 1 }]);
});

Deno.test("an array cut off anywhere is refused, and gives no row that the whole does not give", () => {
  fc.assert(fc.property(arrayFile, fc.nat(), (bytes, pick) => {
    const end = bytes.lastIndexOf(0x5d);
    const cut = read(bytes.subarray(0, 1 + pick % end));
    assert.notEqual(cut.error, null);
    const whole = read(bytes);
    // The last one may be a number or a word that was cut: it looks whole.
    assert.deepEqual(
      plain({ ...cut, error: null }),
      plain({ rows: whole.rows.slice(0, cut.rows.length), error: null }),
    );
  }));
});

Deno.test("elements are the same however the bytes come in pieces, and after any resume", () => {
  const mixed = fc.array(fc.oneof(arrayFile, element.map(bytesOf)), { maxLength: 3 })
    .map((parts) => bytesOf(parts.map((part) => new TextDecoder().decode(part)).join("\n")));
  fc.assert(
    fc.property(
      fc.oneof(damaged(arrayFile), damaged(linesFile), mixed),
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
        assert.deepEqual(plain(rest), plain({ rows: whole.rows.slice(at + 1), error: whole.error }));
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("an array gives the elements that JSON.parse gives", () => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 6 });
  fc.assert(fc.property(objects, fc.constantFrom(undefined, 2), (array, indent) => {
    const text = JSON.stringify(array, null, indent);
    assert.deepEqual(shape(read(text, 1 << 20, null, [7])), JSON.parse(text));
  }));
});

Deno.test("stateAfter tells the side of an earlier row, after later ones were read", () => {
  const { rows } = read('[{"a":1},{"a":2}] {"a":3} [{"a":4}]');
  assert.deepEqual(rows.map(({ state }) => state.insideArray), [true, true, false, true]);
  const decoder = createJsonDecoder({ rowBytesMax: 100 }, null);
  decoder.push(bytesOf('[{"a":1},{"a":2}] {"a":3}'));
  decoder.end();
  decoder.pull(10, []);
  assert.equal(decoder.stateAfter({ row: 1, end: 8 }).insideArray, true);
  assert.equal(decoder.stateAfter({ row: 3, end: 25 }).insideArray, false);
});
