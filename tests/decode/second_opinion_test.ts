/**
 * Another program's opinion: Python's csv, json and decimal modules read what our decoders read. One run of Python for each question, with
 * many files in it.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createCsvDecoder } from "../../src/decode/csv.ts";
import { createJsonDecoder } from "../../src/decode/json.ts";
import { createNdjsonDecoder } from "../../src/decode/ndjson.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { createPayloadDecoder } from "../../src/decode/payload.ts";
import { plainRules } from "../support/plain_options.ts";
import { askPython, havePython } from "../support/python.ts";
import { printedSeed } from "../support/seed.ts";
import { leftOut } from "../support/servers.ts";
import { csvDocument, csvTable, writtenCsv } from "./csv_arbitrary.ts";
import { bytesOf, drain, type Drained, latin1 } from "./drain.ts";
import { arrayFile, damaged, element, linesFile } from "./json_arbitrary.ts";
import { numberText } from "./number_arbitrary.ts";

const seed = printedSeed("second opinion");

/** A value as both sides would write it. */
function written(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Cells of a file in which every row is good, else null. */
function goodCells(file: string): unknown[] | null {
  const { rows, error } = drained(file);
  if (error !== null || rows.some(({ row }) => row.kind === "bad")) return null;
  return rows.map(({ row }) => row.kind === "cells" ? row.cells : null);
}

function drained(file: string): Drained {
  const bytes = bytesOf(file);
  return drain(
    () =>
      createCsvDecoder(
        { delimiter: ",", comment: null, skipLines: 0, columns: null, rowBytesMax: 1 << 20, checkHeader: () => {} },
        bytes,
        null,
      ),
    bytes,
    [13],
  );
}

if (await havePython()) {
  Deno.test("what our CSV decoder reads, Python's csv reads too", async () => {
    const texts = [
      ...fc.sample(csvTable, { seed, numRuns: 300 }).map(writtenCsv),
      ...fc.sample(csvDocument, { seed, numRuns: 1000 }).map((bytes) =>
        new TextDecoder().decode(Uint8Array.from(bytes))
      ),
      // To Python a lone carriage return ends a line.
    ].filter((text) => !/\r(?!\n)/.test(text) && goodCells(text) !== null);
    assert.ok(texts.length > 350, `only ${texts.length} files to compare`);
    const program = `
def rows(text):
    return [r for r in csv.reader(io.StringIO(text, newline=''), strict=True) if r][1:]
print(json.dumps([rows(t) for t in json.load(sys.stdin)]))`;
    const theirs = await askPython(program, texts);
    texts.forEach((text, i) => assert.deepEqual(goodCells(text), theirs[i], JSON.stringify(text)));
  });

  Deno.test("what our NDJSON decoder reads, Python's json reads too, and what that refuses we refuse", async () => {
    const files = fc.sample(linesFile, { seed, numRuns: 400 });
    const rows = files.flatMap((bytes) => drain(() => createNdjsonDecoder({ rowBytesMax: 1 << 20 }, null), bytes).rows);
    const program = `
def reads(raw):
    try:
        value = json.loads(raw.encode('latin1').decode('utf-8'))
        return json.dumps(value) if isinstance(value, dict) else None
    except ValueError:
        return None
print(json.dumps([reads(r) for r in json.load(sys.stdin)]))`;
    const theirs = await askPython(program, rows.map(({ raw }) => raw));
    let good = 0;
    rows.forEach(({ row, raw }, i) => {
      const answer = theirs[i];
      if (row.kind === "object") {
        good += 1;
        assert.deepEqual(JSON.parse(JSON.stringify(row.object)), JSON.parse(String(answer)), raw);
      } else assert.equal(answer, null, raw);
    });
    assert.ok(good > 200 && good < rows.length, `${good} of ${rows.length} rows are good`);
  });

  Deno.test("where Python's csv accepts a file, each of its rows is ours, or is bad for the quote or the cells in it", async () => {
    const texts = fc.sample(csvDocument, { seed, numRuns: 1500 })
      .map((bytes) => new TextDecoder().decode(Uint8Array.from(bytes)))
      .filter((text) => !/\r(?!\n)/.test(text));
    const program = `
def rows(text):
    try:
        return [r for r in csv.reader(io.StringIO(text, newline=''), strict=True) if r][1:]
    except csv.Error:
        return None
print(json.dumps([rows(t) for t in json.load(sys.stdin)]))`;
    const theirs = await askPython(program, texts);
    let same = 0;
    texts.forEach((text, i) => {
      const expected = theirs[i];
      // A quote in the middle of a cell is text to Python, and what follows it is read by another rule.
      if (!Array.isArray(expected) || /[^,\n"]"|"[^,\r\n"]/.test(text)) return;
      const { rows, error } = drained(text);
      assert.equal(error, null, JSON.stringify(text));
      assert.deepEqual(
        rows.map(({ row }) => row.kind === "cells" ? row.cells : null),
        expected.map((cells) => Array.isArray(cells) && cells.length === 2 ? cells : null),
        JSON.stringify(text),
      );
      same += 1;
    });
    assert.ok(same > 300, `only ${same} files to compare`);
  });

  Deno.test("where Python's json accepts a file or a payload, our decoders give its elements", async () => {
    const files = fc.sample(fc.oneof(damaged(arrayFile), damaged(element.map(bytesOf))), { seed, numRuns: 1500 });
    const program = `
def refuse(constant):
    raise ValueError(constant)
def reads(raw):
    try:
        value = json.loads(raw.encode('latin1').decode('utf-8'), parse_constant=refuse)
        return json.dumps(value if isinstance(value, list) else [value], allow_nan=False)
    except ValueError:
        return None
print(json.dumps([reads(r) for r in json.load(sys.stdin)]))`;
    const theirs = await askPython(program, files.map(latin1));
    const payload = createPayloadDecoder({ payloadBytesMax: 1 << 20 });
    let good = 0;
    files.forEach((bytes, i) => {
      const answer = theirs[i];
      if (typeof answer !== "string") return;
      const text = latin1(bytes);
      const elements: unknown[] = JSON.parse(answer);
      // Anything but an object is a bad row of a file; a payload may be a bare value, which is then the field `value`.
      const objects = elements.map((one) => isObject(one) ? one : null);
      const isArray = text.trimStart().startsWith("[");
      const { rows, error } = drain(() => createJsonDecoder({ rowBytesMax: 1 << 20 }, null), bytes);
      assert.equal(error, null, text);
      assert.deepEqual(
        written(rows.map(({ row }) => row.kind === "object" ? row.object : null)),
        written(objects),
        text,
      );
      const ofPayload = payload(bytes).map((row) => row.kind === "object" ? row.object : null);
      const bare = isArray || isObject(elements[0]) ? null : [{ value: elements[0] }];
      assert.deepEqual(written(ofPayload), written(bare ?? (elements.length === 0 ? [null] : objects)), text);
      good += 1;
    });
    assert.ok(good > 150, `only ${good} files to compare`);
  });

  Deno.test("a number leaves with the value it came with, to the last digit, by Python's decimal", async () => {
    const normalizer = createNormalizer(plainRules);
    const arrival = { origin: "batch", wallMs: 0, topicFields: null } as const;
    const pairs: string[][] = [];
    for (const number of fc.sample(numberText, { seed, numRuns: 1500 })) {
      const text = `{"device_id":"d","metric":"m","value":${number},"more":${number},"deep":{"in":[${number}]}}`;
      const base = { row: 1, start: 0, end: 1 };
      const fromJson = normalizer.normalize({ kind: "object", ...base, object: JSON.parse(text), text }, arrival);
      const header = ["device_id", "metric", "value", "more"];
      const fromCsv = normalizer.normalize(
        { kind: "cells", ...base, header, cells: ["d", "m", number, number] },
        arrival,
      );
      for (const reading of [fromJson, fromCsv]) {
        assert.ok(reading.kind === "reading", `${number}: ${JSON.stringify(reading)}`);
        pairs.push([number, reading.value]);
      }
    }
    const program = `
D = decimal.Decimal
def same(pair):
    out = json.loads(pair[1], parse_float=D, parse_int=D)
    deep = out['deep']['in'][0] if 'deep' in out else out['value']
    return all(D(pair[0]) == v for v in (out['value'], out['more'], deep))
print(json.dumps([same(p) for p in json.load(sys.stdin)]))`;
    const verdicts = await askPython(program, pairs);
    pairs.forEach((pair, i) => assert.equal(verdicts[i], true, pair.join(" became ")));
  });
} else {
  leftOut("The second opinion on decoders", "no python3 on PATH; install Python 3");
}
