/**
 * From the words of the command line to the command that they name.
 *
 * @module
 */
import { nearest } from "../config/nearest.ts";
import { exitCodes } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import type { Command, CommandContext } from "./command.ts";
import { commandHelp, familyHelp, programHelp } from "./help.ts";
import { sayError } from "./mistakes.ts";

/**
 * Runs the command that `words` begin with.
 *
 * @param words the command line without the program's name
 * @returns the exit code
 */
export async function dispatch(
  words: readonly string[],
  commands: readonly Command[],
  context: Omit<CommandContext, "args">,
): Promise<number> {
  const [first] = words;
  if (first === undefined || isHelp(first)) {
    context.output.write(programHelp(commands, context.version));
    return exitCodes.ok;
  }
  if (first === "--version" || first === "-V" || first === "version") {
    context.output.write(`weir ${context.version}\n`);
    return exitCodes.ok;
  }
  if (first === "help") return help(words.slice(1), commands, context);
  const command = commandOf(words, commands);
  if (command === null && isHelp(words[1])) return help([first], commands, context);
  if (command === null) return unknown(words, commands, context);
  try {
    return await command.run({ ...context, args: words.slice(command.name.split(" ").length) });
  } catch (thrown) {
    return sayError(context, thrown);
  }
}

function isHelp(word: string | undefined): boolean {
  return word === "--help" || word === "-h";
}

function help(words: readonly string[], commands: readonly Command[], context: Omit<CommandContext, "args">): number {
  const command = commandOf(words, commands);
  const { output, version } = context;
  const [first] = words;
  const family = commands.filter(({ name }) => words.length === 1 && name.startsWith(`${first} `));
  if (first === undefined) output.write(programHelp(commands, version));
  else if (command !== null) output.write(commandHelp(command, output.columns));
  else if (family.length > 0) output.write(familyHelp(first, family));
  else return unknown(words, commands, context);
  return exitCodes.ok;
}

/** The command whose name, of one word or two, the words begin with. */
function commandOf(words: readonly string[], commands: readonly Command[]): Command | null {
  return commands.find((command) => command.name === words.slice(0, command.name.split(" ").length).join(" ")) ?? null;
}

function unknown(
  words: readonly string[],
  commands: readonly Command[],
  { errors }: Omit<CommandContext, "args">,
): number {
  const [first = "", second = ""] = words;
  const names = commands.map((command) => command.name);
  const family = names.filter((name) => name.startsWith(`${first} `));
  const hint = nearest(first, names) ?? nearest(`${first} ${second}`, names);
  const advice = first.startsWith("-")
    ? "The command comes first, then its flags: weir run --config weir.yaml"
    : family.length > 0
    ? `There is ${family.map((name) => `"weir ${name}"`).join(", ")}`
    : hint === null
    ? `The commands are ${names.join(", ")}; "weir help COMMAND" tells more`
    : `Did you mean "weir ${hint}"?`;
  const what = family.length > 0 && second === ""
    ? `${quoted(first)} needs another word`
    : `There is no command ${quoted(family.length > 0 ? `${first} ${second}` : first)}`;
  errors.write(`weir: ${what}\n  ${advice}\n`);
  return exitCodes.configuration;
}
