/**
 * How the delay of a stream is distributed, alone and beside a dump.
 *
 * @module
 */
import { quantile } from "./statistics.ts";
import { colours, columns, line, linearScale, logScale, picture, type Plot, rows, text } from "./svg.ts";

/** Delays that were measured in one setting. */
export interface Delays {
  readonly name: string;
  readonly delaysMs: readonly number[];
}

const plot: Plot = { left: 70, right: 720, top: 60, bottom: 320 };
const lineColours = [colours.stream, colours.merged, colours.files];
const shares = Array.from({ length: 1001 }, (_, i) => i / 1000);

/** Draws the share of readings that have arrived within a delay, a line for each setting. */
export function delayPicture(settings: readonly Delays[]): string {
  const worstMs = Math.max(...settings.map(({ delaysMs }) => quantile(delaysMs, 1)));
  const x = logScale(1, worstMs, plot.left, plot.right);
  const y = linearScale(100, plot.bottom, plot.top);
  const lines = settings.flatMap(({ name, delaysMs }, i) => {
    const colour = lineColours[i % lineColours.length] ?? colours.quiet;
    const sorted = delaysMs.toSorted((a, b) => a - b);
    const points = shares.map((share) => [x.at(Math.max(1, quantileOf(sorted, share))), y.at(share * 100)] as const);
    const legendY = plot.bottom - 70 + i * 24;
    return [
      line(points, colour),
      line([[plot.right - 380, legendY - 4], [plot.right - 356, legendY - 4]], colour, 4),
      text(
        plot.right - 348,
        legendY,
        `${name}: p50 ${quantileOf(sorted, 0.5)} ms, p99 ${quantileOf(sorted, 0.99)} ms`,
      ),
    ];
  });
  return picture({
    width: 760,
    height: 370,
    title: "A stream of 500 messages a second, from publish to Kafka",
    description: settings.map(({ name, delaysMs }) =>
      `${name}: half within ${quantile(delaysMs, 0.5)} ms, 99 % within ${quantile(delaysMs, 0.99)} ms`
    ).join("; "),
  }, [
    ...rows(plot, y, (share) => `${share} %`),
    ...columns(plot, x, (ms) => `${ms} ms`),
    ...lines,
    text((plot.left + plot.right) / 2, plot.bottom + 42, "readings that have arrived within", { anchor: "middle" }),
  ]);
}

function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
}
