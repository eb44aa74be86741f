/**
 * A table of figures in Markdown, columns aligned.
 *
 * @module
 */

/** A row of the table: the cells of its columns. */
export type TableRow = readonly string[];

/** Writes the table. */
export function markdownTable(header: TableRow, rows: readonly TableRow[]): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? "").length)));
  const line = (row: TableRow) => `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
