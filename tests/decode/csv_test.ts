/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parse as csvParse } from "csv-parse/sync";
import { WeirError } from "../../src/core/error.ts";
import type { DecoderState, Row } from "../../src/core/decoder.ts";
import type { CsvOptions } from "../../src/decode/csv.ts";
import { createCsvDecoder } from "../../src/decode/csv.ts";
import type { Drained } from "./drain.ts";
import { bytesOf, drain, latin1, plain } from "./drain.ts";
import { csvDocument, csvTable, writtenCsv } from "./csv_arbitrary.ts";

const options: CsvOptions = {
  delimiter: null,
  comment: null,
  skipLines: 0,
  columns: null,
  rowBytesMax: 1 << 20,
  checkHeader: () => {},
};

function read(
  file: string | Uint8Array,
  changes: Partial<CsvOptions> = {},
  state: DecoderState | null = null,
  sizes: readonly number[] = [1 << 16],
): Drained {
  const bytes = typeof file === "string" ? bytesOf(file) : file;
  const from = state?.byte ?? 0;
  return drain(
    () => createCsvDecoder({ ...options, ...changes }, bytes.subarray(0, 65536), state),
    bytes.subarray(from),
    sizes,
  );
}

/** Cells of good rows, and `!reason` for bad ones. */
function shape(drained: Drained): unknown[] {
  return drained.rows.map(({ row }) => row.kind === "cells" ? row.cells : row.kind === "bad" ? `!${row.reason}` : row);
}

Deno.test("a CSV row knows its cells, its number and its bytes", () => {
  const { rows } = read("a,b\r\n1,\u00b5\r\n22,x");
  assert.deepEqual(rows.map(({ row, raw }) => [row.row, row.start, row.end, raw, row.kind === "cells" && row.cells]), [
    [1, 5, 11, latin1(bytesOf("1,\u00b5\r\n")), ["1", "\u00b5"]],
    [2, 11, 15, "22,x", ["22", "x"]],
  ]);
});

Deno.test("all rows of a file share one header array", () => {
  const { rows } = read("a,b\n1,2\n3,4\n");
  const headers = rows.map(({ row }) => row.kind === "cells" ? row.header : null);
  assert.equal(headers[0], headers[1]);
  assert.deepEqual(headers[0], ["a", "b"]);
});

Deno.test("quotes may hold delimiters, line endings and doubled quotes", () => {
  assert.deepEqual(shape(read('a,b\n"1,5","say ""hi""\r\nthere"\n"",x\n')), [["1,5", 'say "hi"\r\nthere'], ["", "x"]]);
});

Deno.test("a byte order mark, empty lines, comments and skipped lines are no rows", () => {
  const file = "\ufeffexported by x\n# c\na,b\n\n1,2\r\n\r\n#3,4\n5,6\n\n";
  assert.deepEqual(shape(read(file, { skipLines: 1, comment: "#" })), [["1", "2"], ["5", "6"]]);
  assert.deepEqual(read("\ufeffa,b\n1,2\n").rows[0]?.row.start, 7);
});

Deno.test("a byte order mark inside a file is text", () => {
  assert.deepEqual(shape(read("a,b\n\ufeff1,2\n")), [["\ufeff1", "2"]]);
});

Deno.test("the delimiter is found out, or given", () => {
  assert.deepEqual(shape(read("a;b\n1,5;2\n")), [["1,5", "2"]]);
  assert.deepEqual(shape(read("a\tb\n1\t2\n")), [["1", "2"]]);
  assert.deepEqual(shape(read("a|b\n1|2\n")), [["1", "2"]]);
  assert.deepEqual(shape(read('"x;y",b\n1;1,2\n')), [["1;1", "2"]]);
  assert.deepEqual(shape(read("a;b\n1;2\n", { delimiter: "," })), [["1;2"]]);
  assert.deepEqual(shape(read("1,5;2,5\n3,5;4\n", { columns: ["a", "b"] })), [["1,5", "2,5"], ["3,5", "4"]]);
});

Deno.test("given columns stand in for a header line", () => {
  const { rows } = read("1,2\n3,4", { columns: ["a", "b"] });
  assert.deepEqual(rows.map(({ row }) => [row.row, row.kind === "cells" && row.header, row.start]), [
    [1, ["a", "b"], 0],
    [2, ["a", "b"], 4],
  ]);
});

Deno.test("a ragged row is bad and the next one is read", () => {
  const { rows } = read("a,b\n1\n1,2,3\n1,2\n");
  assert.deepEqual(shape({ rows, error: null }), ["!bad_csv", "!bad_csv", ["1", "2"]]);
  const detail = rows[1]?.row.kind === "bad" ? rows[1].row.detail : "";
  assert.equal(detail, 'The row has 3 cells and the header 2 columns; it begins with "1"');
});

Deno.test("an unclosed quote costs the line it stands in and no other", () => {
  const { rows } = read('a,b\n1,2\n3,"4\n5,6\n7,8\n');
  assert.deepEqual(shape({ rows, error: null }), [["1", "2"], "!bad_csv", ["5", "6"], ["7", "8"]]);
  assert.equal(rows[1]?.raw, '3,"4\n');
});

Deno.test("an unclosed quote is given up at the row limit, not at the end of the file", () => {
  const good = "5,6\n".repeat(100);
  const { rows } = read(`a,b\n3,"4\n${good}7,"8"\n`, { rowBytesMax: 64 });
  assert.equal(rows.length, 102);
  assert.deepEqual(rows.filter(({ row }) => row.kind === "bad").map(({ raw }) => raw), ['3,"4\n']);
});

Deno.test("a quote inside a cell or behind a closed one is bad", () => {
  assert.deepEqual(shape(read('a,b\n1"2,3\n"1"2,3\n"1" ,3\n4,5\n')), ["!bad_csv", "!bad_csv", "!bad_csv", ["4", "5"]]);
});

Deno.test("a row over the limit is bad, its beginning is kept and the next row is read", () => {
  const text = Array.from({ length: 80 }, (_, i) => String(i)).join(".");
  for (const long of [text, `"${text}"`, `"${text}`]) {
    const file = `a,b\n1,2\n3,${long}\n5,6\n`;
    const { rows } = read(file, { rowBytesMax: 64 }, null, [16]);
    assert.deepEqual(shape({ rows, error: null }), [["1", "2"], "!too_long", ["5", "6"]]);
    assert.equal(rows[1]?.raw, file.slice(8, 8 + 64));
    assert.equal(rows[2]?.row.start, 8 + 2 + long.length + 1);
  }
});

Deno.test("a row may be as long as the limit and no longer, however it comes in pieces", () => {
  for (const rowBytesMax of [64, 100_000]) {
    for (const sizes of rowBytesMax === 64 ? [[1], [7], [64], [65], [1 << 16]] : [[30_000], [1 << 16], [1 << 20]]) {
      const row = (bytes: number): string => `1,${"x".repeat(bytes - 3)}\n`;
      const file = `a,b\n${[-1, 0, 1, 2].map((more) => row(rowBytesMax + more)).join("")}2,3\n`;
      const { rows } = read(file, { rowBytesMax }, null, sizes);
      const seen = rows.map(({ row }) => row.kind === "bad" ? row.reason : row.end - row.start);
      assert.deepEqual(seen, [rowBytesMax - 1, rowBytesMax, "too_long", "too_long", 4]);
    }
  }
});

Deno.test("positions stay right through a file larger than any buffer", () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => i % 7 === 0 ? `${i},"\u20ac ""${i}\n"\r\n` : `${i},x\u00e9\n`);
  const bytes = bytesOf(`a,b\n${lines.join("")}`);
  const { rows } = read(bytes, {}, null, [10_007, 65_536]);
  assert.equal(rows.length, lines.length);
  for (const [i, { raw }] of rows.entries()) assert.equal(raw, latin1(bytesOf(lines[i] ?? "")));
});

Deno.test("invalid UTF-8 is found in its row and nowhere else", () => {
  const bytes = Uint8Array.from([...bytesOf("a,b\n\u00e9,1\n"), 0xff, 0x2c, 0x31, 0x0a, ...bytesOf('"x\u00e9",2\n')]);
  assert.deepEqual(shape(read(bytes)), [["\u00e9", "1"], "!invalid_utf8", ["x\u00e9", "2"]]);
});

Deno.test("an empty file and a header alone are files without rows", () => {
  for (const file of ["", "\ufeff", "\n\n", "a,b", "a,b\n"]) assert.deepEqual(read(file), { rows: [], error: null });
});

Deno.test("the header is checked before any row, also when a file is resumed", () => {
  const checkHeader = (header: readonly string[]): void => {
    throw new WeirError("bad_file", `no ${header.join()}`);
  };
  assert.deepEqual(read("a, b \n1,2\n", { checkHeader }), { rows: [], error: "no a,b" });
  let checks = 0;
  read("a,b\n1,2\n3,4\n", { checkHeader: () => checks += 1 }, null, [1]);
  assert.equal(checks, 1);
  const state = read("a,b\n1,2\n3,4\n").rows[0]?.state ?? null;
  assert.deepEqual(read("a,b\n1,2\n3,4\n", { checkHeader }, state), { rows: [], error: "no a,b" });
});

Deno.test("a header that cannot be read ends the file", () => {
  assert.match(read('a,"b\n1,2\n').error ?? "", /header line at byte 0 has a quote out of place in column 2/);
  assert.match(read(`${"a".repeat(100)}\n1`, { rowBytesMax: 64 }, null, [10]).error ?? "", /longer than 64 B/);
  assert.match(read(Uint8Array.of(0xff, 0x2c, 0x0a)).error ?? "", /not valid UTF-8/);
});

Deno.test("rows are the same however the bytes come in pieces and however many are asked for", () => {
  fc.assert(
    fc.property(
      csvDocument,
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(12, 30, 1 << 20),
      (document, sizes, maxRows, rowBytesMax) => {
        const bytes = Uint8Array.from(document);
        const open = () => createCsvDecoder({ ...options, delimiter: ",", rowBytesMax }, bytes, null);
        assert.deepEqual(plain(drain(open, bytes, sizes, maxRows)), plain(drain(open, bytes)));
      },
    ),
    { numRuns: 1500 },
  );
});

Deno.test("a decoder resumed after any row gives exactly the rows that were left", () => {
  fc.assert(
    fc.property(csvDocument, fc.nat(), fc.constantFrom(12, 30, 1 << 20), (document, pick, rowBytesMax) => {
      const bytes = Uint8Array.from(document);
      const whole = read(bytes, { rowBytesMax });
      if (whole.rows.length === 0) return;
      const at = pick % whole.rows.length;
      const state = JSON.parse(JSON.stringify(whole.rows[at]?.state));
      const rest = read(bytes, { rowBytesMax }, state, [5, 11]);
      assert.deepEqual(plain(rest), plain({ rows: whole.rows.slice(at + 1), error: whole.error }));
    }),
    { numRuns: 1500 },
  );
});

Deno.test("the bytes of rows follow each other and are the file's", () => {
  fc.assert(fc.property(csvDocument, (document) => {
    const bytes = Uint8Array.from(document);
    let before = 0;
    for (const { row, raw } of read(bytes, {}, null, [9]).rows) {
      assert.ok(row.start >= before && row.end > row.start);
      assert.equal(raw, latin1(bytes.subarray(row.start, row.end)));
      before = row.end;
    }
  }));
});

Deno.test("what is written as CSV is read back cell by cell", () => {
  fc.assert(
    fc.property(csvTable, (table) => {
      const rows = read(writtenCsv(table), { delimiter: "," }).rows.map(({ row }) =>
        row.kind === "cells" ? row.cells : row
      );
      assert.deepEqual(rows, table.rows);
    }),
    { numRuns: 500 },
  );
});

Deno.test("where csv-parse accepts a file, it gives the same rows", () => {
  let accepted = 0;
  fc.assert(
    fc.property(csvDocument, (document) => {
      const bytes = Uint8Array.from(document);
      const ours = read(bytes, { delimiter: "," });
      if (ours.error !== null || ours.rows.some(({ row }) => row.kind === "bad")) return;
      const theirs: string[][] = csvParse(new TextDecoder().decode(bytes), {
        bom: true,
        skip_empty_lines: true,
        record_delimiter: ["\n", "\r\n"],
      });
      accepted += 1;
      assert.deepEqual(shape(ours), theirs.slice(1));
    }),
    { numRuns: 2000 },
  );
  assert.ok(accepted > 200, `only ${accepted} files were good enough to compare`);
});

Deno.test("where csv-parse refuses a file, so is a row of it refused", () => {
  let refused = 0;
  fc.assert(
    fc.property(csvDocument, (document) => {
      const bytes = Uint8Array.from(document);
      try {
        csvParse(new TextDecoder().decode(bytes), {
          bom: true,
          skip_empty_lines: true,
          record_delimiter: ["\n", "\r\n"],
        });
      } catch {
        refused += 1;
        const ours = read(bytes, { delimiter: "," });
        assert.ok(ours.error !== null || ours.rows.some(({ row }) => row.kind === "bad"));
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(refused > 100, `only ${refused} files were bad enough to compare`);
});

/** With its byte order mark, if it begins with one. */
const textOf = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

Deno.test("a line that is taken as it is, is the row that it would have been; the others come as ever, in order", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  const document = fc.oneof(csvDocument, csvTable.map((table) => [...bytesOf(writtenCsv(table))]));
  fc.assert(fc.property(document, sizes, fc.integer({ min: 1, max: 4 }), (file, pieces, everyTaken) => {
    const bytes = new Uint8Array(file);
    const changes = { delimiter: ",", comment: "b" };
    const expected = read(bytes, changes);
    const seen: unknown[] = [];
    let offered = 0;
    const open = () => {
      const decoder = createCsvDecoder({ ...options, ...changes }, bytes, null);
      return {
        ...decoder,
        pull: (maxRows: number, into: Row[]) =>
          decoder.pull(maxRows, into, (line, from, stop, row, start, end) => {
            offered += 1;
            const text = textOf(line.subarray(from, stop));
            if (offered % everyTaken !== 0 || text.split(",").length !== 2 + Number(file.includes(0x6a))) return false;
            const header = decoder.stateAfter({ row, end }).header ?? [];
            into.push({ kind: "cells", row, start, end, header, cells: text.split(",") });
            return true;
          }),
      };
    };
    const { rows, error } = drain(open, bytes, pieces);
    seen.push(...rows.map(({ row }) => row));
    assert.equal(error, expected.error);
    assert.deepEqual(seen, expected.rows.map(({ row }) => row));
  }));
});
