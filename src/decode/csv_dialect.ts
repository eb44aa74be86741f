/**
 * Finds out which character separates the cells of a CSV file.
 *
 * @module
 */

const candidates = [",", ";", "\t", "|"] as const;
/** Lines looked at. */
const sampleLinesMax = 20;

/** What must be known to find the header line. */
export interface DialectHints {
  readonly comment: string | null;
  readonly skipLines: number;
  readonly columns: readonly string[] | null;
}

/**
 * The delimiter of the file that begins with `head`: the candidate that stands in the first line and gives the most lines the same number
 * of cells; among equals the one that gives more cells. A file of one column has none, and `,` is as good as any.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const head = new TextEncoder().encode("device_id;value\na;1,5\nb;2,5\n");
 * assert.equal(detectDelimiter(head, { comment: null, skipLines: 0, columns: null }), ";");
 * ```
 */
export function detectDelimiter(head: Uint8Array, hints: DialectHints): string {
  const lines = sampleLines(head, hints);
  let best: string = ",";
  let bestScore = 0;
  for (const candidate of candidates) {
    const counts = lines.map((line) => cellsIn(line, candidate));
    const first = counts[0] ?? 0;
    const wanted = hints.columns?.length ?? first;
    if (first < 2) continue;
    const agreeing = counts.filter((n) => n === wanted).length;
    const score = agreeing * 1000 + Math.min(first, 999);
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

function sampleLines(head: Uint8Array, hints: DialectHints): readonly string[] {
  const all = new TextDecoder().decode(head).split(/\r?\n/);
  // The last piece is cut off somewhere, unless it is all there is.
  const whole = all.length > 1 ? all.slice(0, -1) : all;
  return whole
    .slice(hints.skipLines)
    .filter((line) => line !== "" && !(hints.comment !== null && line.startsWith(hints.comment)))
    .slice(0, sampleLinesMax);
}

/** Cells of a line, delimiters inside quotes not counted. */
function cellsIn(line: string, delimiter: string): number {
  let cells = 1;
  let inQuotes = false;
  for (const char of line) {
    if (char === '"') inQuotes = !inQuotes;
    else if (char === delimiter && !inQuotes) cells += 1;
  }
  return cells;
}
