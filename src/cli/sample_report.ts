/**
 * How the rows of a sample are read, and that as text.
 *
 * @module
 */
import type { ReadingsSettings } from "../config/settings.ts";
import type { CellsRow, Normalizer, ObjectRow } from "../core/decoder.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { Fields, Reason } from "../core/reading.ts";
import { formatBytes, formatCount, printable, printableJson, quoted } from "../core/text.ts";
import { asciiGlyphs, fit } from "../ops/screen_text.ts";
import type { Output } from "./command.ts";
import type { FileSample } from "./sample.ts";

/** What the rows came to. */
export interface SampleReport {
  readonly good: number;
  readonly filtered: number;
  /** JSON text of the first reading, or null. */
  readonly first: string | null;
  /** By reason: how many rows, and the first of them. */
  readonly problems: readonly SampleProblem[];
  /** Columns of the file, in order: name, JSON types of what leaves, an example. */
  readonly columns: readonly SampleColumn[];
  /** Why the file as a whole would not be read, with what to do, or null. */
  readonly refusal: string | null;
}

/** Rows that would be dead letters for one reason. */
export interface SampleProblem {
  readonly reason: Reason;
  readonly rows: number;
  readonly row: number;
  readonly byte: number;
  readonly detail: string;
}

/** A column of the file. */
export interface SampleColumn {
  readonly name: string;
  /** The field that it becomes. */
  readonly field: string;
  /** JSON types of its values as they leave. */
  readonly types: readonly string[];
  readonly example: string;
}

/** Columns that are told; a JSON file can have any number of names. */
const columnsMax = 200;

/** Reads the rows of a sample. */
export function readSample(
  sample: FileSample,
  normalizer: Normalizer,
  { aliases }: Pick<ReadingsSettings, "aliases">,
  wallMs: number,
): SampleReport {
  const fieldOf = (name: string): string =>
    Object.entries(aliases).find(([, names]) => names.includes(name))?.[0] ?? name;
  const header = sample.decoder?.header ?? null;
  const headerRefusal = header === null ? null : refusalOf(() => normalizer.checkHeader(header));
  const problems = new Map<Reason, SampleProblem>();
  const columns = new Map<string, { types: Set<string>; example: string }>();
  let good = 0;
  let filtered = 0;
  let first: string | null = null;
  const wrong = (reason: Reason, detail: string, { row, start }: { row: number; start: number }) => {
    const known = problems.get(reason) ?? { reason, rows: 0, row, byte: start, detail };
    problems.set(reason, { ...known, rows: known.rows + 1 });
  };
  for (const row of headerRefusal === null ? sample.rows : []) {
    if (row.kind === "bad") {
      wrong(row.reason, row.detail, row);
      continue;
    }
    const made = normalizer.normalize(row, { origin: "batch", wallMs, topicFields: null });
    if (made.kind === "misfit") wrong(made.reason, made.detail, row);
    else if (made.kind === "filtered") filtered += 1;
    else {
      good += 1;
      first ??= made.value;
      noteColumns(row, made.fields, fieldOf, columns);
    }
  }
  return {
    good,
    filtered,
    first,
    problems: [...problems.values()].sort((a, b) => b.rows - a.rows),
    columns: (header ?? [...columns.keys()]).slice(0, columnsMax).map((name) => ({
      name,
      field: fieldOf(name),
      types: [...columns.get(name)?.types ?? []],
      example: columns.get(name)?.example ?? "",
    })),
    refusal: headerRefusal ?? (sample.refusal === null ? null : withAdvice(sample.refusal)),
  };
}

/** What came in under each name. */
function noteColumns(
  row: CellsRow | ObjectRow,
  fields: Fields,
  fieldOf: (name: string) => string,
  columns: Map<string, { types: Set<string>; example: string }>,
): void {
  const cells = row.kind === "cells"
    ? row.header.map((name, i): readonly [string, unknown] => [name, row.cells[i]])
    : Object.entries(row.object);
  for (const [name, value] of cells) {
    const known = columns.get(name) ?? { types: new Set<string>(), example: "" };
    if (columns.size >= columnsMax && !columns.has(name)) continue;
    columns.set(name, known);
    if (value === undefined || value === "") continue;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (known.example === "") known.example = text;
    const field = fieldOf(name);
    known.types.add(typeOf(Object.hasOwn(fields, field) ? fields[field] : value));
  }
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function refusalOf(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown;
    return withAdvice(thrown);
  }
}

function withAdvice(error: WeirError): string {
  return `${messageOf(error)}${error.advice === undefined ? "" : `; ${error.advice}`}`;
}

const nameColumnsMax = 32;

/** Renders it. Ends with a line break. */
export function sampleText(
  path: string,
  sample: FileSample,
  report: SampleReport,
  output: Pick<Output, "columns" | "isTerminal">,
): string {
  const width = Math.max(80, output.isTerminal ? output.columns : 120);
  const lines = [`${printable(path)}: ${shapeText(sample)}`];
  if (report.columns.length > 0) lines.push("", ...columnLines(report.columns, width));
  if (report.first !== null) lines.push("", "The first reading:", `  ${printableJson(report.first)}`);
  if (report.refusal !== null) lines.push("", `It would go to error/: ${printable(report.refusal, 1000)}`);
  else lines.push("", ...verdictLines(sample, report));
  return `${lines.join("\n")}\n`;
}

function shapeText({ decoder, compression, encoding, rows, whole, rowsEstimated, sizeBytes }: FileSample): string {
  const format = decoder === null
    ? []
    : [decoder.format.toUpperCase() + (decoder.delimiter === null ? "" : ` with ${delimiterText(decoder.delimiter)}`)];
  const count = rows.length === 0 && !whole
    ? ""
    : whole
    ? `${formatCount(rows.length)} rows`
    : `about ${formatCount(rowsEstimated)} rows (the first ${formatCount(rows.length)} were looked at)`;
  return [
    ...format,
    ...(encoding === "utf-8" ? [] : [encoding.toUpperCase()]),
    ...(compression === "none" ? [] : [compression]),
    formatBytes(sizeBytes),
    count,
  ]
    .filter((part) => part !== "").join(", ");
}

function delimiterText(delimiter: string): string {
  const names: Readonly<Record<string, string>> = { "\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars" };
  return names[delimiter] ?? quoted(delimiter);
}

function columnLines(columns: readonly SampleColumn[], width: number): readonly string[] {
  const rows = [
    ["COLUMN", "BECOMES", "TYPE", "EXAMPLE"],
    ...columns.map(({ name, field, types, example }) => [
      printable(name, 100),
      printable(field, 100),
      types.join(" or "),
      printable(example, 100),
    ]),
  ];
  const widths = [0, 1, 2].map((i) => Math.min(nameColumnsMax, Math.max(...rows.map((row) => row[i]?.length ?? 0))));
  return rows.map((row) =>
    row.map((cell, i) => {
      const room = widths[i] ?? Math.max(10, width - 8 - widths.reduce((sum, one) => sum + one, 0));
      return fit(cell, room, asciiGlyphs);
    }).join("  ").trimEnd()
  ).map((line) => `  ${line}`);
}

function verdictLines({ rows }: FileSample, { good, filtered, problems }: SampleReport): readonly string[] {
  const bad = rows.length - good - filtered;
  const filters = filtered === 0 ? "" : `, ${formatCount(filtered)} filtered`;
  if (rows.length === 0) return ["It has no rows."];
  if (bad === 0) return [`All ${formatCount(rows.length)} rows can be read${filters}.`];
  return [
    `${formatCount(good)} of ${formatCount(rows.length)} rows can be read${filters}; ${
      formatCount(bad)
    } would be dead letters:`,
    ...problems.map(({ reason, rows: count, row, byte, detail }) =>
      `  ${formatCount(count)} x ${reason}, first in row ${formatCount(row)} (byte ${formatCount(byte)}): ${
        printable(detail, 500)
      }`
    ),
  ];
}
