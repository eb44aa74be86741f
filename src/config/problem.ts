/**
 * A mistake in the settings, told so that it can be mended: where it stands, what stands there, what is allowed.
 *
 * @module
 */
import { printable, quoted, sentence } from "../core/text.ts";

/** Where a value was written. */
export interface Place {
  readonly from: "flag" | "environment" | "config" | "preset";
  /** For people: `--mqtt-qos`, `WEIR_MQTT_QOS`, `weir.yaml:4:3 mqtt-qos`. */
  readonly label: string;
  /** Folder that relative paths written there start from. */
  readonly folder: string;
}

/** A value as it was written. */
export interface Given {
  /** Name of the setting. */
  readonly name: string;
  readonly text: string;
  readonly place: Place;
}

/** A mistake. */
export interface Problem {
  readonly where: string;
  /** The text that stands there; null when it is missing or must not be shown. */
  readonly seen: string | null;
  /** A sentence, capital first, without a full stop; or one and a question. */
  readonly message: string;
  /** Names of the settings that were most likely meant: they are not said to be missing on top. */
  readonly meant?: readonly string[];
}

/** A mistake found by a part of the program that does not know where the setting came from. */
export interface Complaint {
  /** Name of the setting: `mqtt-topic`. */
  readonly setting: string;
  readonly message: string;
  /** Which of its values, when there are several; default: the first. */
  readonly index?: number;
}

/** A message may repeat what it complains of, as an engine's words on a broken schema do. */
const messageCharsMax = 2_000;

/** A word that a command takes, as its help names it, or one that it does not take: these are no settings. */
const wordPlace = /^(?:[A-Z]+|command line)$/;

/**
 * All mistakes as text, wrapped to `width` columns. Ends with a line break.
 *
 * @param end what follows from them: a sentence
 */
export function renderProblems(problems: readonly Problem[], end: string, width = 96): string {
  const place = problems.every(({ where }) => wordPlace.test(where)) ? "on the command line" : "in the settings";
  const count = problems.length === 1 ? "1 mistake" : `${problems.length} mistakes`;
  const blocks = problems.map((problem) => {
    const seen = problem.seen === null ? "" : ` ${quoted(withoutLogin(problem.seen))}`;
    return `  ${printable(problem.where)}${seen}\n${
      wrap(sentence(printable(problem.message, messageCharsMax)), width, "      ")
    }`;
  });
  return `weir: ${count} ${place}\n\n${blocks.join("\n")}\n\n${end}\n`;
}

/** Breaks text into lines of at most `width` columns, each after `indent`. A longer word stands alone. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line].join("\n");
}

/** A URL may hold a password although it must not: it is not repeated on a terminal. */
function withoutLogin(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, "//...@");
}
