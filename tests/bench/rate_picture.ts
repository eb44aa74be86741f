/**
 * What a record costs and how many go through in a second, a bar for each work.
 *
 * @module
 */
import { colours, linearScale, picture, round, text } from "./svg.ts";

/** One bar. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  /** The value as it is written beside the bar. */
  readonly label: string;
}

const [left, right, rowHeight, headHeight] = [330, 600, 30, 60];

/** Draws the bars. */
export function ratePicture(title: string, bars: readonly Bar[]): string {
  const x = linearScale(Math.max(...bars.map(({ value }) => value)), left, right);
  return picture(
    {
      width: 760,
      height: headHeight + bars.length * rowHeight + 16,
      title,
      description: bars.map(({ name, label }) => `${name}: ${label}`).join("; "),
    },
    bars.flatMap(({ name, value, label }, i) => {
      const y = headHeight + i * rowHeight;
      const colour = colourOf(name);
      return [
        text(left - 10, y + 15, name, { anchor: "end" }),
        `<rect x="${left}" y="${y}" width="${round(x.at(value) - left)}" height="20" rx="3" fill="${colour}" />`,
        text(x.at(value) + 8, y + 15, label),
      ];
    }),
  );
}

/** Weir's own work in the colours of its flows; what it is compared with stays grey. */
function colourOf(name: string): string {
  if (name.startsWith("MQTT")) return colours.stream;
  return /^(?:NDJSON|CSV|gzip)/.test(name) ? colours.files : colours.quiet;
}
