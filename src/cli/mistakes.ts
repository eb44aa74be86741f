/**
 * Saying what went wrong on the command line, in one form for all commands.
 *
 * @module
 */
import { type Problem, renderProblems } from "../config/problem.ts";
import { messageOf, WeirError } from "../core/error.ts";
import { exitCodes } from "../core/error.ts";
import { printable } from "../core/text.ts";
import type { Command, CommandContext } from "./command.ts";

/** Says all mistakes in the settings and the words of a command. */
export function sayProblems(
  { name, undone = `"weir help ${name}" tells what it takes.` }: Pick<Command, "name" | "undone">,
  context: Pick<CommandContext, "errors">,
  problems: readonly Problem[],
): number {
  context.errors.write(renderProblems(problems, undone, Math.max(60, Math.min(context.errors.columns, 100))));
  return exitCodes.configuration;
}

/** A word on the command line that nothing takes. */
export function strayWord(word: string): Problem {
  return { where: "command line", seen: word, message: "Belongs to no flag" };
}

/** Says what stopped a command. A defect of the program is told with its stack, so that it can be reported. */
export function sayError(context: Pick<CommandContext, "errors">, thrown: unknown): number {
  if (thrown instanceof WeirError) {
    const advice = thrown.advice === undefined ? "" : `\n  ${printable(thrown.advice, 1000)}`;
    context.errors.write(`weir: ${printable(thrown.message, 2000)}${advice}\n`);
    return thrown.exitCode;
  }
  const stack = thrown instanceof Error ? thrown.stack ?? "" : "";
  const lines = [`weir: defect in the program: ${messageOf(thrown)}`, ...stack.split("\n").slice(1)];
  context.errors.write(`${lines.map((line) => printable(line, 2000)).join("\n")}\n`);
  return exitCodes.internal;
}
