/**
 * The picture of the live view: two rivers, streams and files, that join before the sink. Beside them stands what makes each what it
 * is: the delay of the one, the cap of the other.
 *
 * @module
 */
import type { Origin } from "../core/delivery.ts";
import type { AppStatus } from "../core/status.ts";
import { formatCount, printable } from "../core/text.ts";
import { bar, capText, curvesOf, delayText, deliveredRate, percentText, rateOf, rateText } from "./live_figures.ts";
import { fit, type Glyphs, type Span, type Style, widthOf } from "./screen_text.ts";

/** Below this width the sink stands under the rivers instead of beside them. */
const besideColumnsMin = 60;
const sinkColumns = 24;
/** A river needs this much for its name and its rate; what is left is for the curve and the water. */
const labelColumns = 22;
const curveColumnsMax = 20;
/** The wave on the water moves by one column in this time. */
const waveMs = 250;

interface River {
  readonly origin: Origin;
  readonly rate: number;
  readonly curve: string;
  readonly style: Style;
  readonly bright: Style;
}

/** Draws the rivers, at most `width` columns wide. */
export function riverLines(
  history: readonly AppStatus[],
  now: AppStatus,
  width: number,
  glyphs: Glyphs,
): readonly (readonly Span[])[] {
  const beside = width >= besideColumnsMin;
  const left = Math.max(0, beside ? width - sinkColumns : width - 1);
  const curveColumns = left < 45 ? 0 : Math.min(curveColumnsMax, Math.floor((left - labelColumns) / 2));
  const curves = curvesOf(history, curveColumns, now.capRows ?? 0, glyphs);
  const wave = Math.floor(now.upMs / waveMs);

  const river = (origin: Origin, style: Style, bright: Style): readonly Span[] =>
    riverSpans({ origin, rate: rateOf(history, origin), curve: curves[origin], style, bright }, left, wave, glyphs);
  const stream = river("real_time", "stream", "streamBright");
  const files = river("batch", "files", "filesBright");
  const streamNote: readonly Span[] = [{ text: `  ${delayText(now, ` ${glyphs.dot} `)}`, style: "dim" }];
  const filesNote = capSpans(now, rateOf(history, "batch"), glyphs);
  const bank: Span = { text: glyphs.bank, style: "sink" };

  const name = printable(now.sink.kind);
  const rate = rateText(deliveredRate(history));
  const delivered = `${formatCount(now.sums.real_time.delivered + now.sums.batch.delivered)} delivered`;
  if (beside) {
    const mouth = `${glyphs.confluence}${glyphs.river}${glyphs.river}${glyphs.arrow} `;
    return [
      [...stream, { text: glyphs.bendDown, style: "sink" }],
      [...filled(streamNote, left), bank],
      [...filled([], left), { text: `${mouth}${fit(name, 7, glyphs)} ${rate.padStart(9)}`, style: "sink" }],
      [...filled(filesNote, left), bank, { text: `    ${delivered}`, style: "dim" }],
      [...files, { text: glyphs.bendUp, style: "sink" }],
    ];
  }
  const outlet: Span = { text: `${glyphs.arrowBack}${glyphs.river}${glyphs.bendUp}`, style: "sink" };
  const sink: readonly Span[] = [
    { text: `${fit(name, 10, glyphs)} ${rate.padStart(9)}  `, style: "sink" },
    { text: delivered, style: "dim" },
  ];
  return [
    [...stream, { text: glyphs.bendDown, style: "sink" }],
    [...filled(streamNote, left), bank],
    [...files, { text: glyphs.inflow, style: "sink" }],
    [...filled(filesNote, left), bank],
    [...filled(sink, left - 2), outlet],
  ];
}

/** Name, rate, curve and water, exactly `columns` wide when there is room. */
function riverSpans(river: River, columns: number, wave: number, glyphs: Glyphs): readonly Span[] {
  const label: readonly Span[] = [
    { text: fit(river.origin, 10, glyphs), style: river.bright },
    { text: ` ${rateText(river.rate).padStart(9)}  `, style: "plain" },
    { text: river.curve === "" ? "" : `${river.curve}  `, style: river.style },
  ];
  const length = Math.max(0, columns - widthOfAll(label));
  return [...label, ...waterSpans(river, length, wave, glyphs)];
}

/** Flowing water: a brighter wave moves along it. A dry bed when nothing flows. */
function waterSpans({ rate, style, bright }: River, length: number, wave: number, glyphs: Glyphs): readonly Span[] {
  if (rate <= 0) return [{ text: glyphs.riverDry.repeat(length), style: "dim" }];
  const spans: { text: string; style: Style }[] = [];
  for (let i = 0; i < length; i++) {
    // Counted from the wave's crest, which comes round every 8 columns; `+ 8 * wave` keeps it positive.
    const look = (i - wave + 8 * wave) % 8 < 2 ? bright : style;
    const last = spans.at(-1);
    if (last?.style === look) last.text += glyphs.river;
    else spans.push({ text: glyphs.river, style: look });
  }
  return spans;
}

/** The cap and how much of it is used. */
function capSpans(now: AppStatus, rate: number, glyphs: Glyphs): readonly Span[] {
  if (now.capRows === null || now.capRows <= 0) return [{ text: "  no cap", style: "dim" }];
  const use = rate / now.capRows;
  return [
    { text: `  ${capText(now)}  `, style: "dim" },
    { text: bar(use, 10, glyphs), style: "files" },
    { text: ` ${percentText(use)}`, style: "dim" },
  ];
}

/** Filled up with spaces to exactly `columns`; what is too long loses its last pieces. */
function filled(spans: readonly Span[], columns: number): readonly Span[] {
  const kept = [...spans];
  while (kept.length > 0 && widthOfAll(kept) > columns) kept.pop();
  return [...kept, { text: " ".repeat(Math.max(0, columns - widthOfAll(kept))), style: "plain" }];
}

function widthOfAll(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + widthOf(text), 0);
}
