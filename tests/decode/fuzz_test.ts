/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Decoder, Row } from "../../src/core/decoder.ts";
import { WeirError } from "../../src/core/error.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { createOpenDecoder } from "../../src/decode/open_decoder.ts";
import { plainFormats } from "../support/plain_options.ts";
import { csvDocument } from "./csv_arbitrary.ts";
import { bytesOf, drain, latin1 } from "./drain.ts";
import { arrayFile, damaged, linesFile } from "./json_arbitrary.ts";

const normalizer = createNormalizer({
  schema: null,
  aliases: { device_id: ["h", "a", ""], metric: ["i"], value: ["j"] },
  extra: "keep",
  sets: [{ field: "f", expression: "value * 2" }],
  filter: "value != 1",
  timeZone: "America/New_York",
  timeFormat: "iso",
});
const rowBytesMax = 200;

function open(format: "csv" | "ndjson" | "json", file: Uint8Array): Decoder {
  const options = { ...plainFormats, format, comment: "#", rowBytesMax };
  return createOpenDecoder(options)("dump", file.subarray(0, 65536), null);
}

const anything = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.array(fc.constantFrom(...'{}[],:"\\ue\n\r1-.#;|\t \u20ac'), { maxLength: 200 }).map((parts) =>
    bytesOf(parts.join(""))
  ),
  damaged(arrayFile),
  damaged(linesFile),
  csvDocument.map((bytes) => Uint8Array.from(bytes)),
);

Deno.test("no bytes whatever make a decoder or the normalizer throw anything but bad_file", () => {
  fc.assert(
    fc.property(
      anything,
      fc.constantFrom("csv", "ndjson", "json"),
      fc.integer({ min: 1, max: 64 }),
      (file, format, size) => {
        const { rows } = drain(() => open(format, file), file, [size]);
        let before = 0;
        for (const { row, raw } of rows) {
          assert.ok(
            row.start >= before && row.end >= row.start && row.end <= file.length,
            "rows are in order and inside the file",
          );
          assert.ok(raw.length <= rowBytesMax && raw.length === Math.min(row.end - row.start, rowBytesMax));
          before = row.end;
          if (row.kind === "bad") continue;
          const result = normalizer.normalize(row, { origin: "batch", wallMs: 0, topicFields: { metric: "m" } });
          if (result.kind === "reading") JSON.parse(result.value);
        }
      },
    ),
    { numRuns: 1500 },
  );
});

/** Bytes of ArrayBuffers that this process holds. */
function heldBytes(): number {
  return Deno.memoryUsage().external;
}

Deno.test("a row without end is skipped in bounded memory", () => {
  const chunk = new Uint8Array(64 * 1024).fill(0x78);
  for (
    const [format, begin, end] of [
      ["csv", "a,b\n1,", "\n2,3\n"],
      ["csv", 'a,b\n1,"', '"\n2,3\n'],
      ["ndjson", '{"a":"', '"}\n{"a":1}\n'],
      ["json", '[{"a":"', '"},{"a":1}]'],
    ] as const
  ) {
    const decoder = open(format, bytesOf(begin));
    const rows: Row[] = [];
    decoder.push(bytesOf(begin));
    const before = heldBytes();
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      decoder.push(chunk);
      decoder.pull(10, rows);
      if (i % 100 === 0) most = Math.max(most, heldBytes() - before);
    }
    decoder.push(bytesOf(end));
    decoder.end();
    decoder.pull(10, rows);
    const [long] = rows;
    assert.ok(long !== undefined);
    assert.equal(latin1(decoder.raw(long)), begin.slice(long.start).padEnd(rowBytesMax, "x"));
    while (decoder.pull(10, rows) > 0);
    assert.deepEqual(rows.map((row) => row.kind === "bad" ? row.reason : row.kind), [
      "too_long",
      format === "csv" ? "cells" : "object",
    ]);
    assert.ok(most < 16 * 1024 * 1024, `${format} held ${most} bytes of 64 MB`);
  }
});

Deno.test("work stays linear: a quoted cell of a megabyte that comes byte by byte is read in seconds", () => {
  const cell = "x,\n".repeat(50_000);
  const file = bytesOf(`a,b\n1,"${cell}"\n2,3\n`);
  const decoder = createOpenDecoder({ ...plainFormats, format: "csv", delimiter: "," })("a.csv", file, null);
  const { rows } = drain(() => decoder, file, [1]);
  assert.deepEqual(rows.map(({ row }) => row.kind === "cells" && row.cells), [["1", cell], ["2", "3"]]);
});

Deno.test("the error of a broken file names the place and gives advice", () => {
  const decoder = open("json", bytesOf("[}"));
  decoder.push(bytesOf('[{"a":1};'));
  const rows: Row[] = [];
  assert.equal(decoder.pull(10, rows), 1);
  assert.throws(
    () => decoder.pull(10, rows),
    (error) => error instanceof WeirError && error.message.includes("byte 8") && (error.advice ?? "") !== "",
  );
});
