/**
 * Settings out of the command line.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { belongsTo } from "./belongs.ts";
import { nearest } from "./nearest.ts";
import { type CommandName, flagOf, type Option } from "./option.ts";
import { optionByName, optionList, secretNames } from "./options.ts";
import { splitTexts } from "./split.ts";
import type { Given, Problem } from "./problem.ts";

/** What stood on the command line. */
export interface Flags {
  readonly given: readonly Given[];
  /** Words that are no flags: the arguments of the command. */
  readonly words: readonly string[];
  /** `--help` or `-h` stood there. */
  readonly help: boolean;
  readonly problems: readonly Problem[];
}

/**
 * Reads the flags of a command.
 *
 * @param args what stands after the command's name
 * @param folder the working folder: relative paths start there
 */
export function readFlags(args: readonly string[], command: CommandName, folder: string): Flags {
  const given: Given[] = [];
  const words: string[] = [];
  const problems: Problem[] = [];
  let help = false;

  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, options: parserOptions });
  // The word behind an unknown flag is most likely its value: it is not complained about, nor shown (it may be a password).
  let afterUnknown = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (!afterUnknown) words.push(token.value);
      afterUnknown = false;
      continue;
    }
    afterUnknown = false;
    if (token.name === "help" || token.name === "h") {
      help = true;
      continue;
    }
    const { option, negated } = optionOf(token.name);
    if (option === null || !belongsTo(option, command)) {
      problems.push({ where: token.rawName, seen: null, ...unknownFlag(token.name, option, command) });
      afterUnknown = token.inlineValue !== true;
      continue;
    }
    const place = { from: "flag", label: token.rawName, folder } as const;
    if (option.arity === "toggle") {
      given.push({ name: option.name, text: negated ? "false" : token.value ?? "true", place });
    } else if (token.value === undefined || (token.inlineValue !== true && swallowed(token.value))) {
      problems.push({
        where: token.rawName,
        seen: null,
        message: `Needs a value: must be ${option.kind.allowed}`,
        meant: [option.name],
      });
      if (token.value === undefined) continue;
      // The parser took the next flag for the value: go on from there.
      const rest = readFlags(args.slice(token.index + 1), command, folder);
      return {
        given: [...given, ...rest.given],
        words: [...words, ...rest.words],
        problems: [...problems, ...rest.problems],
        help: help || rest.help,
      };
    } else {
      for (const text of splitTexts(option, token.value)) given.push({ name: option.name, text, place });
    }
  }
  problems.push(...repeated(given));
  return { given, words, help, problems };
}

const parserOptions = Object.fromEntries([
  ["help", { type: "boolean", short: "h" } as const],
  ...optionList.map((option) =>
    [option.name, { type: option.arity === "toggle" ? "boolean" : "string" } as const] as const
  ),
]);

function optionOf(name: string): { readonly option: Option<unknown> | null; readonly negated: boolean } {
  const option = optionByName.get(name);
  if (option !== undefined) return { option, negated: false };
  const positive = name.startsWith("no-") ? optionByName.get(name.slice(3)) : undefined;
  return positive?.arity === "toggle" ? { option: positive, negated: true } : { option: null, negated: false };
}

function swallowed(value: string): boolean {
  return value.startsWith("--");
}

function unknownFlag(
  name: string,
  option: Option<unknown> | null,
  command: CommandName,
): Pick<Problem, "message" | "meant"> {
  if (option !== null) {
    const others = option.commands.map((one) => `"weir ${one}"`).join(", ");
    return { message: `Does not belong to "weir ${command}", but to ${others}` };
  }
  const secret = secretNames.find((one) => one === name);
  if (secret !== undefined) {
    const file = `${secret}-file`;
    return {
      message: `A secret is never the value of a flag, where every user of the machine can read it: use --${file}`,
      meant: [file],
    };
  }
  const hint = nearest(name, optionList.filter((one) => belongsTo(one, command)).map((one) => one.name));
  if (hint === null) return { message: `Unknown flag: "weir help ${command}" lists them all` };
  return { message: `Unknown flag. Did you mean --${hint}?`, meant: [hint] };
}

/** A flag that may stand once and stands twice: which one is meant cannot be known. */
function repeated(given: readonly Given[]): readonly Problem[] {
  const seen = new Set<string>();
  return given.flatMap((one) => {
    const option = optionByName.get(one.name);
    const again = seen.has(one.name) && option?.arity !== "many";
    seen.add(one.name);
    return again && option !== undefined ? [{ where: flagOf(option), seen: one.text, message: "Stands twice" }] : [];
  });
}
