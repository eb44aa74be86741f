/**
 * Runs of several kinds, one kind after the other and all of it again (A B C, A B C, ...): what the neighbours on a shared machine do
 * falls on all kinds alike, so that ratios hold where rates do not.
 *
 * @module
 */
import { type Figure, formatMicroseconds, formatRate, formatRss } from "./scene.ts";
import { median } from "./statistics.ts";

/** What one run of a kind found. */
export interface Run {
  readonly perSecond: number;
  /** CPU time a record, user and system, in microseconds. */
  readonly cpuUs: number;
  readonly peakRssBytes: number;
  /** Records that arrived, where that is not always all. */
  readonly arrived?: number;
}

/** Something that is measured again and again. */
export interface Kind<T> {
  readonly work: string;
  /** What is meant to be reached, in words. */
  readonly target?: string;
  measure(): Promise<T>;
}

/** Tells how far it is. */
export type Progress = (text: string) => void;

/** Measures each kind `times` times, in turn. Gives the results of each kind, in the order of the kinds. */
export async function interleaved<T>(
  kinds: readonly Kind<T>[],
  times: number,
  progress: Progress,
  told: (result: T) => string,
): Promise<readonly (readonly T[])[]> {
  const results = kinds.map((): T[] => []);
  for (let i = 0; i < times; i++) {
    for (const [which, kind] of kinds.entries()) {
      const result = await kind.measure();
      results[which]?.push(result);
      progress(`${kind.work}, ${i + 1} of ${times}: ${told(result)}`);
    }
  }
  return results;
}

/** A run in one line. */
export function toldRun({ perSecond, cpuUs, peakRssBytes }: Run): string {
  return `${formatRate(perSecond)}, ${formatMicroseconds(cpuUs)}, ${formatRss(peakRssBytes)}`;
}

/** The median of the ratios within each round: what slows a round down slows both sides of its ratio. */
export function pairedRatio(numerators: readonly number[], denominators: readonly number[]): number {
  return median(numerators.map((numerator, round) => numerator / (denominators[round] ?? NaN)));
}

/** `4.90 to 5.31 us`; of one alone nothing. */
export function spread(numbers: readonly number[], format: (number: number) => string): string {
  if (numbers.length < 2) return "";
  return `${format(Math.min(...numbers))} to ${format(Math.max(...numbers))}`;
}

/** A row of the table: medians, and in the remark how far the runs lie apart. */
export function figureOf(kind: Pick<Kind<Run>, "work" | "target">, runs: readonly Run[], remark: string): Figure {
  const rates = runs.map((run) => run.perSecond);
  const costs = runs.map((run) => run.cpuUs);
  const spreads = [spread(rates, formatRate), spread(costs, formatMicroseconds)].filter((text) => text !== "");
  return {
    work: kind.work,
    ...(kind.target === undefined ? {} : { target: kind.target }),
    rate: formatRate(median(rates)),
    perSecond: median(rates),
    cpuPerRecord: formatMicroseconds(median(costs)),
    peakRss: formatRss(Math.max(...runs.map((run) => run.peakRssBytes))),
    remark: [remark, ...spreads].filter((text) => text !== "").join("; "),
  };
}
