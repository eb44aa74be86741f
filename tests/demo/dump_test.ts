import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { seededDice } from "../../src/core/dice.ts";
import { dumpAliases, type DumpSpec, dumpText } from "../../src/demo/dump.ts";

const untilMs = Date.UTC(2026, 0, 1, 12);

function spec(changes: Partial<DumpSpec>): DumpSpec {
  return { name: "d.csv", format: "csv", gzip: false, rows: 1000, badRows: 4, untilMs, ...changes };
}

function textOf(which: DumpSpec, seed = 1): string {
  return [...dumpText(which, seededDice(seed))].join("");
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isGood(row: unknown): boolean {
  return typeof row === "object" && row !== null && "deviceId" in row && "metric" in row &&
    typeof row.metric === "string";
}

Deno.test("the same spec and seed make the same dump", () => {
  assert.equal(textOf(spec({})), textOf(spec({})));
  assert.notEqual(textOf(spec({})), textOf(spec({}), 2));
});

Deno.test("a CSV dump has exactly the rows it promises, its bad rows among them, within its hour", () => {
  const lines = textOf(spec({})).split("\r\n");
  assert.equal(lines.pop(), "");
  const rows: string[][] = parse(lines.join("\r\n"), { relax_column_count: true });
  const header = rows.shift() ?? [];
  assert.equal(rows.length, 1000);
  const bad = rows.filter((cells) => cells.length !== header.length || Number.isNaN(Date.parse(cells[0] ?? "")));
  assert.equal(bad.length, 4);
  const times = rows.filter((row) => !bad.includes(row)).map((row) => Date.parse(row[0] ?? ""));
  assert.ok(times.every((time) => time >= untilMs - 3_600_000 && time < untilMs));
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.ok(rows.some((cells) => (cells[7] ?? "").includes('"')), "quotes inside cells occur");
  for (const names of Object.values(dumpAliases)) assert.ok(names.some((name) => header.includes(name)));
});

Deno.test("an NDJSON dump has one row a line, and only the promised ones are bad", () => {
  const lines = textOf(spec({ format: "ndjson", badRows: 6 })).trimEnd().split("\n");
  assert.equal(lines.length, 1000);
  assert.equal(lines.filter((line) => !isGood(parsed(line))).length, 6);
});

Deno.test("a JSON dump is one valid array, so that bad rows never cost the good ones", () => {
  for (const rows of [40, 400, 401]) {
    const all: unknown = JSON.parse(textOf(spec({ format: "json", rows, badRows: 3 })));
    assert.ok(Array.isArray(all));
    assert.equal(all.length, rows);
    assert.equal(all.filter((row) => !isGood(row)).length, 3);
  }
});

Deno.test("bad rows lie spread over the dump, whatever their number", () => {
  for (const badRows of [0, 1, 7, 40]) {
    const lines = textOf(spec({ format: "ndjson", rows: 40, badRows })).trimEnd().split("\n");
    assert.equal(lines.filter((line) => !isGood(parsed(line))).length, badRows);
  }
});
