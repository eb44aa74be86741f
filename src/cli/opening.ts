/**
 * How commands begin: help when it was asked for, all mistakes at once, and else the settings.
 *
 * @module
 */
import { gather, type Gathered } from "../config/gather.ts";
import { type Loaded, type LoadOptions, loadSettings } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { type StatusAddress, statusAddressOf } from "../config/status_address.ts";
import { exitCodes } from "../core/error.ts";
import type { Command, CommandContext } from "./command.ts";
import { commandHelp } from "./help.ts";
import { sayProblems, strayWord } from "./mistakes.ts";

/** What was loaded. */
export type LoadedSettings = Extract<Loaded, { kind: "settings" }>;

/** The settings of a command that makes an app, or the exit code with which the command is over. */
export function openSettings(
  command: Command,
  context: CommandContext,
  options: LoadOptions = {},
): LoadedSettings | number {
  const loaded = loadSettings(command.name, context.args, context.surroundings, options);
  if (loaded.kind === "help") return sayHelp(command, context);
  if (loaded.kind === "problems") return sayProblems(command, context, loaded.problems);
  return loaded;
}

/**
 * The values of a command that only looks at something, or the exit code with which it is over.
 *
 * @param check tells what else is wrong; for a command that takes no words beside its flags they are told already
 */
export function openFlags(
  command: Command,
  context: CommandContext,
  check: (gathered: Gathered) => readonly Problem[] = () => [],
): Gathered | number {
  const gathered = gather(command.name, context.args, context.surroundings);
  if (gathered.help) return sayHelp(command, context);
  const stray = command.words === "" ? gathered.words.map(strayWord) : [];
  const problems = [...gathered.problems, ...stray, ...check(gathered)];
  return problems.length > 0 ? sayProblems(command, context, problems) : gathered;
}

/** The same of a command that asks the running gateway. */
export function openGateway(
  command: Command,
  context: CommandContext,
): { readonly gathered: Gathered; readonly address: StatusAddress } | number {
  const gathered = openFlags(command, context);
  if (typeof gathered === "number") return gathered;
  const { address, problems } = statusAddressOf(gathered, context.surroundings);
  return address === null || problems.length > 0 ? sayProblems(command, context, problems) : { gathered, address };
}

function sayHelp(command: Command, { output }: CommandContext): number {
  output.write(commandHelp(command, output.columns));
  return exitCodes.ok;
}
