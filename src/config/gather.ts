/**
 * Brings flags, environment and config file together: the first that names a setting decides, in this order; then the default.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import { belongsTo } from "./belongs.ts";
import type { ConfigText } from "./config_file.ts";
import { readEnvironment } from "./environment.ts";
import { readFlags } from "./flags.ts";
import { type CommandName, flagOf, type Option } from "./option.ts";
import { optionByName, options } from "./options.ts";
import type { Given, Problem } from "./problem.ts";
import { reasonOf, type Surroundings } from "./surroundings.ts";

/** What was given, checked one by one. */
export interface Gathered {
  /** Words that are no flags. */
  readonly words: readonly string[];
  readonly help: boolean;
  readonly problems: readonly Problem[];
  /** The value in force. A wrong one (it is among the problems) counts as the default. */
  value<V>(option: Option<V>): V;
  /** Whether what is in force is right, or nothing was written. */
  isRight(option: Option<unknown>): boolean;
  /** Whether nothing was written for it, nor anything that may have been meant for it. */
  isMissing(option: Option<unknown>): boolean;
  /** What was written for it where it is in force, right or wrong; empty: nothing was. */
  given(option: Option<unknown>): readonly Given[];
}

/** Values that a command sets by itself, by name of the setting. They give way to what the user gives. */
export type Presets = Readonly<Record<string, string | readonly string[]>>;

/**
 * Reads and checks everything. Touches only the config file.
 *
 * @param overrides stand before everything else: what would be if
 */
export function gather(
  command: CommandName,
  args: readonly string[],
  surroundings: Surroundings,
  presets: Presets = {},
  overrides: readonly Given[] = [],
): Gathered {
  const flags = readFlags(args, command, surroundings.folder);
  const environment = readEnvironment(surroundings.environment, surroundings.folder);
  const config = readNamedConfig([...flags.given, ...environment.given], surroundings);
  const preset = Object.entries(presets).flatMap(([name, texts]) => {
    if (!optionByName.has(name)) throw new Error(`No setting is called "${name}"`);
    const place = { from: "preset", label: `preset ${name}`, folder: surroundings.folder } as const;
    return (typeof texts === "string" ? [texts] : texts).map((text): Given => ({ name, text, place }));
  });

  // Environment and config file are shared by all commands: what does not belong to this one is not its business.
  const isOurs = (one: Given): boolean => {
    const option = optionByName.get(one.name);
    return option !== undefined && belongsTo(option, command);
  };
  const instead = overrides.filter((one) => optionByName.has(one.name));
  const layers = [instead, flags.given, environment.given.filter(isOurs), config.given.filter(isOurs), preset]
    .map((layer) => Map.groupBy(layer, (one) => one.name));

  const inForce = new Map<string, readonly Given[]>();
  const wrong = new Set<string>();
  const mistakes: Problem[] = [];
  for (const [name, given] of layers.flatMap((layer) => [...layer])) {
    const decides = !inForce.has(name);
    if (decides) inForce.set(name, given);
    const read = optionByName.get(name)?.read(given.map((one) => one.text));
    if (read === undefined || "value" in read) continue;
    if (decides) wrong.add(name);
    // A wrong value is told even where another one is in force: nobody leaves a mistake on purpose.
    for (const mistake of read.mistakes) {
      const at = given[mistake.index];
      mistakes.push({ where: at?.place.label ?? name, seen: at?.text ?? null, message: mistake.message });
    }
  }

  const problems = [...flags.problems, ...environment.problems, ...config.problems, ...mistakes];
  const meant = new Set(problems.flatMap((problem) => problem.meant ?? []));
  return {
    words: flags.words,
    help: flags.help,
    problems,
    value(option) {
      const texts = wrong.has(option.name) ? [] : (inForce.get(option.name) ?? []).map((one) => one.text);
      const read = option.read(texts);
      if ("value" in read) return read.value;
      throw new Error(`The default of ${flagOf(option)} is wrong`);
    },
    isRight: (option) => !wrong.has(option.name),
    isMissing: (option) => config.readable && !inForce.has(option.name) && !meant.has(option.name),
    given: (option) => inForce.get(option.name) ?? [],
  };
}

function readNamedConfig(
  given: readonly Given[],
  surroundings: Surroundings,
): ConfigText {
  const named = given.find((one) => one.name === options.general.config.name);
  if (named === undefined) return { given: [], problems: [], readable: true };
  const path = resolve(named.place.folder, named.text);
  try {
    return surroundings.readConfig(basename(path), surroundings.readTextFile(path), dirname(path));
  } catch (thrown) {
    const problem = { where: named.place.label, seen: named.text, message: `Cannot be read: ${reasonOf(thrown)}` };
    return { given: [], problems: [problem], readable: false };
  }
}
