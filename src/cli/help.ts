/**
 * The help: of the program and of each command, out of the table of settings.
 *
 * @module
 */
import { belongsTo } from "../config/belongs.ts";
import { flagOf, groups, type Option } from "../config/option.ts";
import { optionList } from "../config/options.ts";
import { wrap } from "../config/problem.ts";
import type { Command } from "./command.ts";

/** Lines longer than this are hard to read, however wide the terminal is. */
const columnsMax = 100;

/** Narrower than this the explanations would be a ribbon: the terminal may break the lines itself. */
const columnsMin = 80;

/** Where the explanations of the flags begin. */
const indentColumns = 30;

const precedence =
  "A flag wins over its environment variable (--files-cap: WEIR_FILES_CAP), and that over its key in the " +
  "--config file (files-cap).";

/** What `weir` alone says. */
export function programHelp(commands: readonly Command[], version: string): string {
  const entries = [
    ...commands.map((command) => [command.name, command.summary] as const),
    ["help COMMAND", "all flags of a command"] as const,
  ];
  return [
    `Weir ${version}: one gateway for streams and files. It reads MQTT and dropped files,`,
    "lets the files pass slowly on purpose, and sends one merged flow to Kafka.",
    "",
    "Usage: weir COMMAND [flags]",
    "",
    ...listed(entries),
    "",
  ].join("\n");
}

/** The commands that begin with the same word. */
export function familyHelp(first: string, family: readonly Command[]): string {
  const lines = listed(family.map(({ name, summary }) => [name, summary]));
  return [`Usage: weir ${first} COMMAND [flags]`, "", ...lines, "", `All flags: weir help ${family[0]?.name}`, ""].join(
    "\n",
  );
}

function listed(entries: readonly (readonly [name: string, summary: string])[]): readonly string[] {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`);
}

/** All flags of a command, grouped, with units, defaults and examples. */
export function commandHelp(command: Command, columns: number): string {
  const width = Math.max(columnsMin, Math.min(columns, columnsMax));
  const mine = optionList.filter((option) => belongsTo(option, command.name));
  const words = command.words === "" ? "" : ` ${command.words}`;
  const sections = groups.flatMap((group) => {
    const flags = mine.filter((option) => option.group === group);
    return flags.length === 0
      ? []
      : [`${group}\n${flags.map((flag) => flagHelp(flag, width, command.defaults?.[flag.name])).join("\n")}`];
  });
  const examples = command.examples.length === 0
    ? []
    : [`Examples\n${command.examples.map((example) => `  ${example}`).join("\n")}`];
  return [
    `weir ${command.name}: ${command.summary}`,
    `Usage: weir ${command.name}${words}${mine.length === 0 ? "" : " [flags]"}`,
    ...sections,
    ...examples,
    ...(mine.length === 0 ? [] : [wrap(precedence, width, "")]),
    "",
  ].join("\n\n").replace(/\n+$/, "\n");
}

function flagHelp(option: Option<unknown>, width: number, standard: string | undefined): string {
  const placeholder = option.placeholder ?? option.kind.placeholder;
  const flag = `  ${flagOf(option)}${option.arity === "toggle" ? "" : ` ${placeholder}`}`;
  const indent = " ".repeat(indentColumns);
  const text = wrap(option.help + notes(option, standard), width, indent);
  return flag.length + 2 <= indentColumns ? flag.padEnd(indentColumns) + text.slice(indentColumns) : `${flag}\n${text}`;
}

/** ` [rows/s; default: 1000/s; like 500/s]`. */
function notes(option: Option<unknown>, ownDefault: string | undefined): string {
  const standard = ownDefault ?? option.defaultText ?? option.fallback;
  const parts = [
    ...(option.unit === undefined ? [] : [option.unit]),
    ...(option.arity === "many" ? ["repeatable"] : []),
    ...(standard === null ? [] : [`default: ${standard}`]),
    ...(option.example === undefined ? [] : [`like ${option.example}`]),
  ];
  return parts.length === 0 ? "" : ` [${parts.join("; ")}]`;
}
