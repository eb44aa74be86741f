/** @module */
import assert from "node:assert/strict";
import { WeirError } from "../../src/core/error.ts";
import { createOpenDecoder } from "../../src/decode/open_decoder.ts";
import { plainFormats } from "../support/plain_options.ts";
import { bytesOf, drain } from "./drain.ts";

const open = createOpenDecoder(plainFormats);

function formatOf(name: string, head: string | Uint8Array): string {
  return open(name, typeof head === "string" ? bytesOf(head) : head, null).format;
}

Deno.test("the ending of the name decides first", () => {
  assert.equal(formatOf("a.CSV", '{"a":1}'), "csv");
  assert.equal(formatOf("a.tsv", "a,b"), "csv");
  assert.equal(formatOf("a.ndjson", "a,b"), "ndjson");
  assert.equal(formatOf("a.jsonl", ""), "ndjson");
});

Deno.test("the content decides where the ending leaves it open", () => {
  for (const name of ["a.json", "dump", "a.txt"]) {
    assert.equal(formatOf(name, '\n [{"a":1}]'), "json");
    assert.equal(formatOf(name, '{"a":1}\n{"a":2}\n'), "ndjson");
    assert.equal(formatOf(name, '\ufeff{"a":1}\n{"a":2}\n'), "ndjson");
    assert.equal(formatOf(name, '{\n "a":1\n}\n'), "json");
  }
  assert.equal(formatOf("dump", "a,b\n1,2\n"), "csv");
});

Deno.test("the settings and the checkpoint decide before anything else", () => {
  assert.equal(createOpenDecoder({ ...plainFormats, format: "ndjson" })("a.csv", bytesOf("a"), null).format, "ndjson");
  const state = { format: "json", byte: 0, row: 0, header: null, delimiter: null, insideArray: false } as const;
  assert.equal(open("a.csv", bytesOf("a"), state).format, "json");
});

Deno.test("a tab is the delimiter of a .tsv file whatever else stands in it", () => {
  const file = bytesOf("a,1;x\tb\n1\t2\n");
  const { rows } = drain(() => open("a.tsv", file, null), file);
  assert.deepEqual(rows.map(({ row }) => row.kind === "cells" && row.cells), [["1", "2"]]);
});

Deno.test("a file that no format fits is refused with a reason", () => {
  for (
    const [name, head, message] of [
      ["a.json", "hello", /does not hold JSON: it begins with "hello"/],
      ["a.csv", "a\u0000b", /is binary/],
      ["a.csv", "a\u0000", /--files-encoding utf-16/],
      ["a.csv", Uint8Array.of(0xff, 0xfe, 0x61, 0x00), /is in UTF-16.*--files-encoding/s],
    ] as const
  ) {
    assert.throws(
      () => formatOf(name, head),
      (error) =>
        error instanceof WeirError && error.code === "bad_file" && message.test(`${error.message}; ${error.advice}`),
    );
  }
});
