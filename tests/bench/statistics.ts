/**
 * Small numbers out of many.
 *
 * @module
 */

/** The value below which a share of the numbers lies (nearest rank); NaN for none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN;
}

/** The median. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** The most events in any window of `windowMs` (closed on the left, open on the right). `timesMs` need not be sorted. */
export function mostInWindow(timesMs: readonly number[], windowMs: number): number {
  const sorted = [...timesMs].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  sorted.forEach((time, last) => {
    while (time - (sorted[first] ?? time) >= windowMs) first += 1;
    most = Math.max(most, last - first + 1);
  });
  return most;
}

/**
 * The fewest events in any window of `windowMs` that lies between the first and the last of them; NaN when none does. `timesMs` need not
 * be sorted. The least window begins right after an event, so windows are open on the left and closed on the right.
 */
export function leastInWindow(timesMs: readonly number[], windowMs: number): number {
  const sorted = [...timesMs].sort((a, b) => a - b);
  const endMs = sorted.at(-1) ?? -Infinity;
  let least = NaN;
  let behind = 0;
  sorted.forEach((time, index) => {
    if (time + windowMs > endMs) return;
    while (behind < sorted.length && (sorted[behind] ?? Infinity) <= time + windowMs) behind += 1;
    // Of several at one moment the last one has them all before its window.
    const inside = behind - index - 1;
    least = Number.isNaN(least) ? inside : Math.min(least, inside);
  });
  return least;
}
