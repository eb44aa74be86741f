/**
 * What the demo says at its end: sums that add up, where the output lies, and what to try next.
 *
 * @module
 */
import type { Origin } from "../core/delivery.ts";
import type { DelayStatus } from "../core/status.ts";
import type { Sums } from "../core/tally.ts";
import { formatBytes, formatCount, formatDuration, printable } from "../core/text.ts";
import type { Dropped } from "./dropper.ts";
import type { OutputFacts } from "./output_file.ts";
import type { SensorsSent } from "./sensors.ts";

/** A dump that was not read to its end. */
export interface LeftFile {
  readonly name: string;
  /** Rows that were read; null: it was not begun. */
  readonly rowsRead: number | null;
}

/** All that the summary is made of. */
export interface DemoFacts {
  readonly playedMs: number;
  /** Everything that was read has arrived. Otherwise the drain was cut short, and what is open explains every gap. */
  readonly drained: boolean;
  readonly sums: Readonly<Record<Origin, Sums>>;
  readonly sensors: number;
  readonly sent: SensorsSent;
  readonly dropped: Dropped;
  readonly doneFiles: number;
  readonly leftFiles: readonly LeftFile[];
  readonly capRows: number | null;
  /** The stream's delay in the ten seconds in which it was worst. */
  readonly delay: DelayStatus;
  /** What the sink is, for people: `topic "weir-demo" at 127.0.0.1:9092`. */
  readonly sink: string;
  /** The file read back; null when the sink is none. */
  readonly output: OutputFacts | null;
  /** Command lines, each with what it does. */
  readonly next: readonly { readonly command: string; readonly what: string }[];
}

const origins: readonly Origin[] = ["real_time", "batch"];

/** What does not add up, each as a sentence; empty when all is well. */
export function findGaps(facts: DemoFacts): readonly string[] {
  const gaps: string[] = [];
  for (const origin of origins) {
    const { read, delivered, filtered, dead_lettered, dropped, open } = facts.sums[origin];
    if (read !== delivered + filtered + dead_lettered + dropped) {
      gaps.push(`${origin}: ${formatCount(open)} of ${formatCount(read)} readings have no verdict`);
    }
    const lines = facts.output?.lines[origin];
    if (lines !== undefined && lines !== delivered) {
      gaps.push(`${origin}: ${formatCount(delivered)} were delivered, ${formatCount(lines)} lines are in the file`);
    }
  }
  if (facts.output !== null && facts.output.invalidLines > 0) {
    gaps.push(`${formatCount(facts.output.invalidLines)} lines of the file are not readings`);
  }
  if (facts.sent.readings !== facts.sums.real_time.read) {
    gaps.push(
      `The sensors sent ${formatCount(facts.sent.readings)} readings, ${
        formatCount(facts.sums.real_time.read)
      } were read`,
    );
  }
  return gaps;
}

/** The summary, for people. */
export function renderSummary(facts: DemoFacts): string {
  return [
    "",
    `The demo played for ${formatDuration(facts.playedMs)}.`,
    "",
    ...sumTable(facts.sums),
    "",
    verdictLine(facts),
    "",
    ...sideLines(facts),
    "",
    ...outputLines(facts),
    "",
    "Try next:",
    ...facts.next.flatMap(({ command, what }) => [`  ${printable(command, 1000)}`, `      ${what}`]),
    "",
  ].map((line) => `${line}\n`).join("");
}

function verdictLine(facts: DemoFacts): string {
  if (!facts.drained) {
    const open = facts.sums.real_time.open + facts.sums.batch.open;
    return `The drain was cut short: ${formatCount(open)} readings were still on their way.`;
  }
  const gaps = findGaps(facts);
  return gaps.length === 0
    ? "It adds up: read = delivered + filtered + dead-lettered + dropped."
    : `It does NOT add up: ${gaps.join("; ")}.`;
}

function sumTable(sums: DemoFacts["sums"]): readonly string[] {
  const heads = ["", "read", "delivered", "filtered", "dead-lettered", "dropped"];
  const rows = origins.map((origin) => {
    const { read, delivered, filtered, dead_lettered, dropped } = sums[origin];
    return [origin, ...[read, delivered, filtered, dead_lettered, dropped].map(formatCount)];
  });
  return [heads, ...rows].map((cells) =>
    "  " + cells.map((cell, i) => i === 0 ? cell.padEnd(10) : cell.padStart(i === 4 ? 15 : 12)).join("")
  );
}

function sideLines(facts: DemoFacts): readonly string[] {
  const { sent, dropped, delay, leftFiles, capRows } = facts;
  const missed = sent.missed === 0 ? "" : ` (${formatCount(sent.missed)} more found no room in the broker's window)`;
  const cap = capRows === null ? "without a cap" : `at most ${formatCount(capRows)} rows/s`;
  return [
    `Streams: ${facts.sensors} sensors sent ${formatCount(sent.readings)} readings in ${
      formatCount(sent.messages)
    } MQTT messages at QoS 1${missed}; ${formatCount(sent.badPayloads)} were bad on purpose.`,
    delay.count === 0
      ? "         Nothing was measured of their delay."
      : `         From arrival to the sink: p50 ${delayText(delay.p50Ms)}, p99 ${
        delayText(delay.p99Ms)
      } in the worst ten seconds, dumps beside them.`,
    `Files:   ${formatCount(dropped.files)} dumps of ${formatCount(dropped.rows)} rows, ${
      formatCount(dropped.badRows)
    } of them bad on purpose; read ${cap}.`,
    leftFiles.length === 0
      ? `         All ${formatCount(facts.doneFiles)} are done.`
      : `         ${formatCount(facts.doneFiles)} are done; left at the end: ${leftFiles.map(leftText).join(", ")}.`,
  ];
}

function delayText(ms: number): string {
  return ms < 100 ? `${ms.toFixed(1)} ms` : formatDuration(ms);
}

function leftText({ name, rowsRead }: LeftFile): string {
  return `${printable(name, 80)} (${rowsRead === null ? "not begun" : `${formatCount(rowsRead)} rows read`})`;
}

function outputLines({ output, sink }: DemoFacts): readonly string[] {
  if (output === null) return [`Output:  ${printable(sink)}`];
  const lines = output.lines.real_time + output.lines.batch + output.invalidLines;
  return [
    `Output:  ${printable(output.path)} (${formatCount(lines)} lines, ${
      formatBytes(output.bytes)
    }). A line of each origin:`,
    ...origins.flatMap((origin) => {
      const sample = output.samples[origin];
      return sample === null ? [] : [`  ${printable(sample, 500)}`];
    }),
  ];
}
