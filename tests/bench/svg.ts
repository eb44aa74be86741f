/**
 * The few pieces of SVG that the pictures are made of: a frame, axes with round steps, step lines, labels.
 *
 * @module
 */

/** A scale from values to pixels. */
export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Where a plot stands in its picture, in pixels. */
export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The colours of docs/flow.svg: streams, files, both merged. */
export const colours = { stream: "#0891b2", files: "#d97706", merged: "#15803d", quiet: "#64748b" } as const;

/** A scale with equal steps from 0 to at least `max`, in 1, 2 or 5 times a power of ten. */
export function linearScale(max: number, from: number, to: number, steps = 5): Scale {
  const rough = Math.max(max, 1e-9) / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.ceil(max / step - 1e-9);
  return {
    at: (value) => from + (to - from) * value / (step * count),
    ticks: Array.from({ length: count + 1 }, (_, i) => i * step),
  };
}

/** A scale with equal steps for equal factors, over whole powers of ten; what is below `min` stands at `min`. */
export function logScale(min: number, max: number, from: number, to: number): Scale {
  const low = Math.floor(Math.log10(min));
  const high = Math.max(low + 1, Math.ceil(Math.log10(max)));
  return {
    at: (value) => from + (to - from) * (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

/** A whole picture. Title and description are read out to those who do not see it. */
export function picture(
  options: { readonly width: number; readonly height: number; readonly title: string; readonly description: string },
  body: readonly string[],
): string {
  const { width, height, title, description } = options;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc"
  font-family="ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif">
  <title id="title">${escaped(title)}</title>
  <desc id="desc">${escaped(description)}</desc>
  <rect width="${width}" height="${height}" rx="12" fill="#f8fafc" />
  ${text(24, 34, title, { size: 17, bold: true })}
  ${body.join("\n  ")}
</svg>
`;
}

/** A line of text. */
export function text(
  x: number,
  y: number,
  content: string,
  style: {
    readonly size?: number;
    readonly bold?: boolean;
    readonly colour?: string;
    readonly anchor?: "start" | "middle" | "end";
  } = {},
): string {
  const { size = 12.5, bold = false, colour = bold ? "#0f172a" : "#475569", anchor = "start" } = style;
  const weight = bold ? ' font-weight="600"' : "";
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${colour}" text-anchor="${anchor}"${weight}>${
    escaped(content)
  }</text>`;
}

/** Horizontal grid lines with their values at the left. */
export function rows(plot: Plot, scale: Scale, label: (value: number) => string): readonly string[] {
  return scale.ticks.map((tick) => {
    const y = round(scale.at(tick));
    return `<path stroke="#e2e8f0" d="M ${plot.left} ${y} H ${plot.right}" />${
      text(plot.left - 8, y + 4, label(tick), { anchor: "end" })
    }`;
  });
}

/** Values along the bottom. */
export function columns(plot: Plot, scale: Scale, label: (value: number) => string): readonly string[] {
  return scale.ticks.map((tick) => text(scale.at(tick), plot.bottom + 20, label(tick), { anchor: "middle" }));
}

/** A line through points. */
export function line(points: readonly (readonly [number, number])[], colour: string, width = 2.5): string {
  const path = points.map(([x, y], i) => `${i === 0 ? "M" : "L"} ${round(x)} ${round(y)}`).join(" ");
  return `<path fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round" d="${path}" />`;
}

/** The area between two lines over the same x. */
export function area(
  upper: readonly (readonly [number, number])[],
  lower: readonly (readonly [number, number])[],
  colour: string,
): string {
  const points = [...upper, ...lower.toReversed()].map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
  return `<polygon fill="${colour}" fill-opacity="0.85" points="${points}" />`;
}

/** To a tenth of a pixel: what nobody sees need not be in the file. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
