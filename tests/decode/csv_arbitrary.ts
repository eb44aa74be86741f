/**
 * CSV files for property tests: some well-formed, some nearly so.
 *
 * @module
 */
import fc from "fast-check";

const piece = fc.constantFrom(
  ...[
    "a",
    "b1",
    "2.5",
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\r\n",
    '"',
    '""',
    '"x"',
    '"y,\nz"',
    " ",
    "\u00b5",
    "\u20ac\ud83d\ude00",
  ],
);

/** Bytes of a file of about three columns: quotes, line endings and UTF-8 anywhere, and now and then a byte that is no UTF-8. */
export const csvDocument: fc.Arbitrary<readonly number[]> = fc
  .tuple(
    fc.array(
      fc.oneof({ weight: 3, arbitrary: fc.array(piece, { maxLength: 8 }) }, {
        weight: 2,
        arbitrary: fc.constant(["1,2\n"]),
      }),
    ),
    fc.option(fc.nat(), { freq: 8 }),
  )
  .map(([lines, damage]) => {
    const bytes = [...new TextEncoder().encode(`h,i\n${lines.map((line) => line.join("")).join("")}`)];
    if (damage !== null && bytes.length > 4) bytes[4 + damage % (bytes.length - 4)] = 0xff;
    return bytes;
  });

/** A table and how it is written. */
export interface CsvTable {
  readonly rows: readonly (readonly string[])[];
  readonly quoteAll: boolean;
  readonly lineEnding: string;
  readonly endsWithLine: boolean;
}

const cell = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: "grapheme", maxLength: 4 }),
  fc.array(fc.constantFrom(",", '"', "\n", "\r\n", "x", " "), { maxLength: 5 }).map((parts) => parts.join("")),
);

/** Tables of three columns with any text in their cells (a lone carriage return left out: readers disagree on it). */
export const csvTable: fc.Arbitrary<CsvTable> = fc.record({
  rows: fc.array(
    fc.tuple(cell, cell, cell).map((cells) => cells.map((text) => text.replace(/\r(?!\n)/g, "").toWellFormed())),
  ),
  quoteAll: fc.boolean(),
  lineEnding: fc.constantFrom("\n", "\r\n"),
  endsWithLine: fc.boolean(),
});

/** The table as a file with the header `h,i,j`. */
export function writtenCsv(table: CsvTable): string {
  const write = (text: string): string =>
    table.quoteAll || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = [["h", "i", "j"], ...table.rows].map((cells) => cells.map(write).join(","));
  return lines.join(table.lineEnding) + (table.endsWithLine ? table.lineEnding : "");
}
