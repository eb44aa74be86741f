/**
 * From the command line to {@linkcode Settings}, or to all the mistakes at once. No network is touched.
 *
 * @module
 */
import { buildSettings, stateDir } from "./build.ts";
import { checkTogether } from "./combinations.ts";
import { gather, type Gathered, type Presets } from "./gather.ts";
import { openNamedFiles } from "./named_files.ts";
import { type CommandName, flagOf } from "./option.ts";
import { optionByName } from "./options.ts";
import type { Complaint, Given, Problem } from "./problem.ts";
import type { Settings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What came of it. */
export type Loaded =
  | { readonly kind: "settings"; readonly settings: Settings; readonly gathered: Gathered }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] }
  /** `--help` was asked for. */
  | { readonly kind: "help" };

/** What {@linkcode loadSettings} may be told besides. */
export interface LoadOptions {
  /** Values that the command sets by itself. */
  readonly presets?: Presets;
  /** Checks of the parts: templates, expressions, schema. */
  readonly validate?: (settings: Settings, gathered: Gathered) => readonly Complaint[];
  /** Stand before everything else. */
  readonly overrides?: readonly Given[];
  /** The command does without a source or a sink: what is missing for a run is no mistake. Default: false. */
  readonly partly?: boolean;
}

/** Loads the settings of a command that runs the data path. */
export function loadSettings(
  command: CommandName,
  args: readonly string[],
  surroundings: Surroundings,
  options: LoadOptions = {},
): Loaded {
  const gathered = gather(command, args, surroundings, options.presets, options.overrides);
  if (gathered.help) return { kind: "help" };
  const files = openNamedFiles(gathered, surroundings);
  const settings = buildSettings(gathered, files, surroundings);
  const problems = [
    ...gathered.problems,
    ...wordProblems(gathered),
    ...(options.partly === true ? [] : checkTogether(gathered, settings)),
    ...files.problems(),
  ];
  // A rule may be right under the schema that could not be read: then the parts are not asked.
  const complaints = files.problems().length === 0 ? options.validate?.(settings, gathered) ?? [] : [];
  problems.push(...complaints.flatMap((one) => located(one, gathered, problems.length > 0)));
  if (problems.length > 0) return { kind: "problems", problems };
  return { kind: "settings", settings, gathered };
}

/** The state folder alone: for commands that only look at what a gateway left there. */
export function stateDirOf(gathered: Gathered, surroundings: Surroundings): string {
  return stateDir(openNamedFiles(gathered, surroundings), surroundings);
}

/** Words that no flag took: settings have names. */
function wordProblems(gathered: Gathered): readonly Problem[] {
  return gathered.words.map((word) => ({
    where: "command line",
    seen: word,
    message: "Belongs to no flag: a value with blanks or wildcards must be quoted",
  }));
}

/**
 * A complaint with the place that the setting was written at. Among other mistakes one about a stand-in (what is missing or wrong has one)
 * means nothing.
 */
function located(complaint: Complaint, gathered: Gathered, amongOthers: boolean): readonly Problem[] {
  const option = optionByName.get(complaint.setting);
  if (option === undefined) throw new Error(`No setting is called "${complaint.setting}"`);
  const at = gathered.given(option)[complaint.index ?? 0];
  if (amongOthers && (at === undefined || !gathered.isRight(option))) return [];
  return [{ where: at?.place.label ?? flagOf(option), seen: at?.text ?? null, message: complaint.message }];
}
