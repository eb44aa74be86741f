/**
 * Text that must fit into the columns of a terminal: pieces with a style, measured before they are coloured, so that no line ever wraps
 * and a redraw in place stays in place.
 *
 * @module
 */

/** How a piece looks, where the terminal has colours. */
export type Style = "plain" | "bold" | "dim" | "stream" | "streamBright" | "files" | "filesBright" | "sink" | "trouble";

/** A piece of a line. Its text holds no control characters. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** The characters that a picture is drawn with. */
export interface Glyphs {
  readonly river: string;
  readonly riverDry: string;
  readonly bendDown: string;
  readonly bendUp: string;
  readonly bank: string;
  readonly confluence: string;
  readonly inflow: string;
  readonly arrow: string;
  readonly arrowBack: string;
  readonly barFull: string;
  readonly barEmpty: string;
  /** From low to high. */
  readonly levels: readonly string[];
  readonly dot: string;
  readonly ellipsis: string;
}

/** Box, block and bar characters, for terminals that speak UTF-8. */
export const unicodeGlyphs: Glyphs = {
  river: "\u2501",
  riverDry: "\u2504",
  bendDown: "\u2513",
  bendUp: "\u251b",
  bank: "\u2503",
  confluence: "\u2523",
  inflow: "\u252b",
  arrow: "\u25ba",
  arrowBack: "\u25c4",
  barFull: "\u2588",
  barEmpty: "\u2591",
  levels: ["\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"],
  dot: "\u00b7",
  ellipsis: "\u2026",
};

/** The same picture for every other terminal. */
export const asciiGlyphs: Glyphs = {
  river: "=",
  riverDry: "-",
  bendDown: "+",
  bendUp: "+",
  bank: "|",
  confluence: "+",
  inflow: "+",
  arrow: ">",
  arrowBack: "<",
  barFull: "#",
  barEmpty: ".",
  levels: ["_", ".", "-", ":", "=", "+", "*", "#"],
  dot: "|",
  ellipsis: "~",
};

/** Select Graphic Rendition parameters (ECMA-48, 8.3.117). */
const sgr: Readonly<Record<Style, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  stream: "36",
  streamBright: "1;96",
  files: "33",
  filesBright: "1;93",
  sink: "32",
  trouble: "1;31",
};

/** Ranges that terminals draw two columns wide (Unicode's East Asian Width W and F, in coarse blocks: rather one too many than a wrap). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}|[\u{16fe0}-\u{1b2ff}\u{1f000}-\u{3ffff}]/u;
/** Marks that stand over the character before them. */
const zeroWidth = /\p{M}/u;

/** How many columns a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function widthOfCharacter(character: string): number {
  if (character >= " " && character <= "~") return 1;
  if (zeroWidth.test(character)) return 0;
  // The glyphs above are drawn narrow, also those that could be emoji.
  if (character >= "\u2500" && character <= "\u25ff") return 1;
  return wide.test(character) ? 2 : 1;
}

/** Exactly `columns` wide: cut with a mark, or filled up with spaces on the right. */
export function fit(text: string, columns: number, glyphs: Glyphs): string {
  const width = widthOf(text);
  if (width <= columns) return text + " ".repeat(columns - width);
  if (columns <= 0) return "";
  let kept = "";
  let used = 0;
  for (const character of text) {
    const next = widthOfCharacter(character);
    if (used + next > columns - 1) break;
    kept += character;
    used += next;
  }
  return kept + glyphs.ellipsis + " ".repeat(columns - used - 1);
}

// deno-lint-ignore no-control-regex
const colourCodes = /\u001b\[[0-9;]*m/g;
// deno-lint-ignore no-control-regex
const colourCodesKept = /(\u001b\[[0-9;]*m)/;

/** A line without its colours. */
export function uncoloured(line: string): string {
  return line.replace(colourCodes, "");
}

/** At most `columns` of a coloured line: one that is cut loses its colours behind the cut and ends in dots. */
export function clip(line: string, columns: number): string {
  if (widthOf(uncoloured(line)) <= columns) return line;
  let kept = "";
  let used = 0;
  // Every second part is a colour code: those take no room.
  for (const [i, part] of line.split(colourCodesKept).entries()) {
    if (i % 2 === 1) {
      kept += part;
      continue;
    }
    for (const character of part) {
      used += widthOfCharacter(character);
      if (used > columns - 3) return `${kept}...${kept.includes("\u001b") ? "\u001b[0m" : ""}`;
      kept += character;
    }
  }
  return kept;
}

/** The line as the terminal gets it: cut at `columns`, coloured if wanted, without spaces at its end. */
export function drawLine(
  spans: readonly Span[],
  columns: number,
  options: { colour: boolean; glyphs: Glyphs },
): string {
  const pieces: { text: string; style: Style }[] = [];
  let left = columns;
  for (const { text, style } of spans) {
    const width = widthOf(text);
    pieces.push({ text: width <= left ? text : fit(text, left, options.glyphs), style });
    left -= width;
    if (left <= 0) break;
  }
  for (let last = pieces.at(-1); last !== undefined; last = pieces.at(-1)) {
    last.text = last.text.trimEnd();
    if (last.text !== "") break;
    pieces.pop();
  }
  return pieces.map(({ text, style }) => {
    const code = options.colour ? sgr[style] : "";
    return code === "" || text.trim() === "" ? text : `\u001b[${code}m${text}\u001b[0m`;
  }).join("");
}
