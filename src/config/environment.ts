/**
 * Settings out of the environment: every name that begins with `WEIR_` must be a known one, so that a slip of the finger is told.
 *
 * @module
 */
import { nearest } from "./nearest.ts";
import { variableOf } from "./option.ts";
import { isEverywhere, optionList, secretNames } from "./options.ts";
import { splitTexts } from "./split.ts";
import type { Given, Problem } from "./problem.ts";

const prefix = "WEIR_";

/** Names for others: the test suite's servers. */
const foreignPrefix = "WEIR_TEST_";

const optionByVariable = new Map(optionList.filter(isEverywhere).map((option) => [variableOf(option), option]));

const secretVariables = secretNames.map((name) => variableOf({ name }));

/**
 * Reads the variables. An empty one counts as not set.
 *
 * @param folder the working folder: relative paths start there
 */
export function readEnvironment(
  environment: Readonly<Record<string, string>>,
  folder: string,
): { readonly given: readonly Given[]; readonly problems: readonly Problem[] } {
  const given: Given[] = [];
  const problems: Problem[] = [];
  for (const [variable, value] of Object.entries(environment).sort()) {
    if (!variable.startsWith(prefix) || variable.startsWith(foreignPrefix) || value === "") continue;
    if (secretVariables.includes(variable)) continue;
    const option = optionByVariable.get(variable);
    if (option === undefined) {
      problems.push({ where: variable, seen: null, ...unknownVariable(variable) });
      continue;
    }
    const place = { from: "environment", label: variable, folder } as const;
    for (const text of splitTexts(option, value)) given.push({ name: option.name, text, place });
  }
  return { given, problems };
}

function unknownVariable(variable: string): Pick<Problem, "message" | "meant"> {
  const hint = nearest(variable.slice(prefix.length), optionByVariable.values().map((option) => option.name));
  if (hint === null) return { message: "Unknown variable" };
  return { message: `Unknown variable. Did you mean ${variableOf({ name: hint })}?`, meant: [hint] };
}
