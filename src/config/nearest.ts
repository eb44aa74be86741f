/**
 * The nearest right name to a wrong one, by edit distance.
 *
 * @module
 */

/**
 * The name out of `names` that `wrong` was most likely meant to be, or null when none is near: at most a third of its letters may differ.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(nearest("mqtt-ulr", ["mqtt-url", "files-dir"]), "mqtt-url");
 * assert.equal(nearest("banana", ["mqtt-url", "files-dir"]), null);
 * ```
 */
export function nearest(wrong: string, names: Iterable<string>): string | null {
  const asked = wrong.slice(0, 100).toLowerCase().replaceAll("_", "-");
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const name of names) {
    const candidate = name.toLowerCase().replaceAll("_", "-");
    // What was written is often a part of the right name ("brokers" for "kafka-brokers"): a weaker hint than a slip of the finger.
    const part = candidate.split("-").includes(asked) || (candidate.startsWith(`${asked}-`));
    const distance = Math.min(editDistance(asked, candidate), part ? 2 : Infinity);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  // A name that has nothing in common with what was written is no hint: 0 for 2.
  return bestDistance <= Math.max(1, Math.ceil(asked.length / 3)) && bestDistance < asked.length ? best : null;
}

/** Insertions, deletions, replacements and swaps of neighbours that make `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
