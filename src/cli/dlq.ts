/**
 * `weir dlq list` and `weir dlq show`: the dead letters, also while the gateway runs. What is in them came from outside and was not even
 * understood: not a byte of it reaches the terminal unescaped.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Gathered } from "../config/gather.ts";
import { wholeNumber } from "../config/kinds.ts";
import { stateDirOf } from "../config/load.ts";
import { options } from "../config/options.ts";
import type { Problem } from "../config/problem.ts";
import { exitCodes } from "../core/error.ts";
import type { StoredLetter } from "../core/store.ts";
import { formatBytes, formatCount, printable, printableJson } from "../core/text.ts";
import type { Command, CommandContext, LetterBook, Output } from "./command.ts";
import { dlqPurge } from "./dlq_purge.ts";
import { dlqReplay } from "./dlq_replay.ts";
import { filterOf } from "./letter_filter.ts";
import { strayWord } from "./mistakes.ts";
import { openFlags } from "./opening.ts";

/** The longest raw text that `show` prints, in characters; `--json` gives all of it. */
const rawCharsMax = 10_000;

/** The command that lists them. */
export const dlqList: Command = {
  name: "dlq list",
  summary: "list dead letters: what could not be forwarded, and why",
  words: "",
  examples: ["weir dlq list --since 2h --reason bad_csv", "weir dlq list --json --limit 1000 > letters.ndjson"],
  async run(context) {
    const gathered = openFlags(dlqList, context);
    if (typeof gathered === "number") return gathered;

    const filter = filterOf(gathered, context.clock.wallMs());
    const limit = gathered.value(options.letters.limit);
    const asJson = gathered.value(options.letters.json);
    return await withLetters(context, gathered, async (book) => {
      const letters = await book.list(filter, limit);
      if (asJson) context.output.write(letters.map((letter) => `${letterJson(letter)}\n`).join(""));
      else context.output.write(letterTable(letters, await book.letterCount(filter), context.output));
      return exitCodes.ok;
    });
  },
};

/** The command that shows one. */
export const dlqShow: Command = {
  name: "dlq show",
  summary: "show one dead letter whole, with its bytes",
  words: "NUMBER",
  examples: ["weir dlq show 17", "weir dlq show 17 --json | jq -r .raw_base64 | base64 -d"],
  async run(context) {
    const gathered = openFlags(dlqShow, context, wrongNumber);
    if (typeof gathered === "number") return gathered;
    const number = Number(gathered.words[0]);
    return await withLetters(context, gathered, async (book) => {
      const letter = await book.letter(number);
      if (letter === null) {
        context.errors.write(`weir: There is no dead letter ${number}; "weir dlq list" shows which there are\n`);
        return exitCodes.unavailable;
      }
      const asJson = gathered.value(options.letters.json);
      context.output.write(asJson ? `${letterJson(letter)}\n` : letterText(letter));
      return exitCodes.ok;
    });
  },
};

/** All about dead letters, in the order of the list of commands. */
export const dlqCommands: readonly Command[] = [dlqList, dlqShow, dlqReplay, dlqPurge];

function wrongNumber({ words: [word, ...more] }: Gathered): readonly Problem[] {
  const message = 'Must be the number of a letter, as "weir dlq list" shows it';
  const wrong = wholeNumber(word ?? "") === null ? [{ where: "NUMBER", seen: word ?? null, message }] : [];
  return [...more.map(strayWord), ...wrong];
}

async function withLetters(
  context: CommandContext,
  gathered: Gathered,
  use: (book: LetterBook) => Promise<number>,
): Promise<number> {
  const book = await context.openLetters(stateDirOf(gathered, context.surroundings));
  try {
    return await use(book);
  } finally {
    await book.close();
  }
}

function letterTable(
  letters: readonly StoredLetter[],
  count: { readonly letters: number; readonly bytes: number },
  output: Output,
): string {
  if (letters.length === 0) return "No dead letters.\n";
  const rows = letters.map((letter) => [
    String(letter.number),
    timeText(letter.storedAtMs).replace(/\.\d+Z$/, "Z"),
    letter.reason,
    placeOf(letter),
    printable(letter.detail, 200),
  ]);
  const heads = ["NUMBER", "STORED", "REASON", "SOURCE", "DETAIL"];
  const widths = heads.map((head, i) =>
    Math.min(i === 3 ? 44 : 200, Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)))
  );
  const lines = [heads, ...rows].map((row) =>
    row.map((cell, i) => i === row.length - 1 ? cell : shortened(cell, widths[i] ?? 0).padEnd(widths[i] ?? 0)).join(
      "  ",
    )
  );
  // A pipe gets whole lines; a terminal gets one row for each letter.
  const room = output.isTerminal ? Math.max(80, output.columns) : Infinity;
  const shown = lines.map((line) => line.length > room ? `${line.slice(0, room - 3)}...` : line).join("\n");
  const rest = count.letters > letters.length ? "; more with --limit" : "";
  return `${shown}\n\n${formatCount(letters.length)} of ${formatCount(count.letters)} letters (${
    formatBytes(count.bytes)
  })${rest}. Whole: weir dlq show NUMBER\n`;
}

/** The end of a path says more than its beginning. */
function shortened(text: string, width: number): string {
  return text.length <= width ? text : `...${text.slice(text.length - width + 3)}`;
}

function letterText(letter: StoredLetter): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ["number", String(letter.number)],
    ["id", letter.id],
    ["reason", letter.reason],
    ["detail", letter.detail],
    ["origin", letter.origin],
    ["source", letter.source],
    ["row", letter.row === null ? null : String(letter.row)],
    ["byte", letter.byte === null ? null : String(letter.byte)],
    ["arrived", timeText(letter.arrivedAtMs)],
    ["stored", timeText(letter.storedAtMs)],
    ["tries", letter.tries === 0 ? null : `failed again ${letter.tries} times`],
    ["decoder", letter.decoder],
    ["header", letter.header === null ? null : letter.header.join(",")],
    ["size", formatBytes(letter.raw.length)],
  ];
  const fields = lines.flatMap(([name, text]) => text === null ? [] : [`${name.padEnd(8)} ${printable(text, 2000)}\n`]);
  return `${fields.join("")}\n${rawText(letter.raw)}\n`;
}

/** The bytes as escaped text where they are UTF-8, else in hex. */
function rawText(raw: Uint8Array): string {
  const text = utf8OrNull(raw);
  if (text === null) return `(not UTF-8, in hex) ${printable(Buffer.from(raw).toString("hex"), rawCharsMax)}`;
  return printable(text.replace(/\r?\n$/, ""), rawCharsMax);
}

function letterJson(letter: StoredLetter): string {
  return printableJson(JSON.stringify({
    number: letter.number,
    id: letter.id,
    reason: letter.reason,
    detail: letter.detail,
    origin: letter.origin,
    source: letter.source,
    row: letter.row,
    byte: letter.byte,
    arrived_at: timeText(letter.arrivedAtMs),
    stored_at: timeText(letter.storedAtMs),
    decoder: letter.decoder,
    header: letter.header,
    tries: letter.tries,
    raw_text: utf8OrNull(letter.raw),
    raw_base64: Buffer.from(letter.raw).toString("base64"),
  }));
}

function utf8OrNull(raw: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return null;
  }
}

function placeOf(letter: StoredLetter): string {
  return printable(
    letter.row === null || letter.origin === "real_time" ? letter.source : `${letter.source}:${letter.row}`,
  );
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
