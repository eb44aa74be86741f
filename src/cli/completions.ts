/**
 * `weir completions SHELL`: a script that lets the shell complete commands, flags and the values of flags, out of the table of settings.
 *
 * @module
 */
import { belongsTo } from "../config/belongs.ts";
import { gather } from "../config/gather.ts";
import { flagOf, type Option } from "../config/option.ts";
import { optionList } from "../config/options.ts";
import { exitCodes } from "../core/error.ts";
import type { Command } from "./command.ts";
import { commandHelp } from "./help.ts";
import { sayProblems, strayWord } from "./mistakes.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = typeof shells[number];

/** Makes the command. `commands` is asked when it runs, for it is one of them. */
export function completionsOf(commands: () => readonly Command[]): Command {
  const completions: Command = {
    name: "completions",
    summary: "print completions for bash, zsh or fish",
    words: "SHELL",
    examples: [
      "weir completions bash > /etc/bash_completion.d/weir",
      "weir completions zsh > /usr/local/share/zsh/site-functions/_weir",
      "weir completions fish > ~/.config/fish/completions/weir.fish",
    ],
    run(context) {
      const gathered = gather("completions", context.args, context.surroundings);
      if (gathered.help) {
        context.output.write(commandHelp(completions, context.output.columns));
        return Promise.resolve(exitCodes.ok);
      }
      const [word, ...more] = gathered.words;
      const shell = shells.find((one) => one === word);
      const problems = [...gathered.problems, ...more.map(strayWord)];
      if (shell === undefined) {
        problems.push({ where: "SHELL", seen: word ?? null, message: `Must be one of ${shells.join(", ")}` });
      }
      if (shell === undefined || problems.length > 0) {
        return Promise.resolve(sayProblems(completions, context, problems));
      }
      context.output.write(scriptOf(shell, commands()));
      return Promise.resolve(exitCodes.ok);
    },
  };
  return completions;
}

/** What a command takes. */
interface Entry {
  /** One word, or two. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option<unknown>[];
  /** What may stand behind the name. */
  readonly words: readonly string[];
}

function scriptOf(shell: Shell, commands: readonly Command[]): string {
  const entries = commands.map(({ name, summary, words }): Entry => ({
    name,
    summary,
    words: /^\[([a-z|]+)\]$/.exec(words)?.[1]?.split("|") ?? [],
    options: optionList.filter((option) => belongsTo(option, name)),
  }));
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](entries);
}

/** The values that a flag can have, where they can be listed. */
function choicesOf(option: Option<unknown>): readonly string[] {
  const words = option.kind.placeholder.split("|");
  return words.length > 1 && words.every((word) => /^[a-z0-9_.-]+$/.test(word)) ? words : [];
}

function isPath(option: Option<unknown>): boolean {
  return /^(FILE|DIR|PATH)\b/.test(option.placeholder ?? option.kind.placeholder);
}

/** First words, and for commands of two words what may come second. */
function firstWords(entries: readonly Entry[]): readonly string[] {
  return [...new Set(entries.map(({ name }) => name.split(" ")[0] ?? name)), "help"];
}

function secondWords(entries: readonly Entry[]): ReadonlyMap<string, readonly string[]> {
  const pairs = entries.flatMap(({ name }) => {
    const [first = "", second] = name.split(" ");
    return second === undefined ? [] : [[first, second] as const];
  });
  const families = [...Map.groupBy(pairs, ([first]) => first)]
    .map(([first, all]): readonly [string, readonly string[]] => [first, all.map(([, second]) => second)]);
  return new Map([
    ...families,
    ["help", firstWords(entries).filter((word) => word !== "help")],
    ["completions", shells],
  ]);
}

function bashScript(entries: readonly Entry[]): string {
  const flags = entries.map(({ name, options, words }) =>
    `    "${name}") flags="${[...words, ...options.map(flagOf), "--help"].join(" ")}" ;;`
  );
  const seconds = [...secondWords(entries)].map(([first, words]) => `    ${first}) words="${words.join(" ")}" ;;`);
  const all = optionList.filter((option) => entries.some((entry) => entry.options.includes(option)));
  const values = all.flatMap((option) => {
    const choices = choicesOf(option);
    if (choices.length > 0) {
      return [`    ${flagOf(option)}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$cur")); return ;;`];
    }
    if (isPath(option)) return [`    ${flagOf(option)}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`];
    return option.arity === "toggle" ? [] : [`    ${flagOf(option)}) return ;;`];
  });
  return `# Completions of weir for bash: source this file, or put it into /etc/bash_completion.d.
_weir() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words="" flags=""
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${[...firstWords(entries), "--help", "--version"].join(" ")}" -- "$cur"))
    return
  fi
  case "$command" in
${seconds.join("\n")}
  esac
  if [[ $COMP_CWORD -eq 2 && -n "$words" ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "$prev" in
${values.join("\n")}
  esac
  [[ -n "$words" ]] && command="$command \${COMP_WORDS[2]}"
  case "$command" in
${flags.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$flags" -- "$cur"))
}
complete -o filenames -F _weir weir
`;
}

function zshScript(entries: readonly Entry[]): string {
  const described = entries.filter(({ name }) => !name.includes(" "))
    .map(({ name, summary }) => `    ${zshQuoted(`${name}:${summary}`)}`);
  const families = firstWords(entries).filter((word) => !entries.some(({ name }) => name === word))
    .map((word) => `    ${zshQuoted(word)}`);
  const seconds = [...secondWords(entries)].map(([first, words]) => `    ${first}) seconds=(${words.join(" ")}) ;;`);
  const cases = entries.map(({ name, options, words }) => {
    const behind = words.length === 0 ? [] : [zshQuoted(`1:what:(${words.join(" ")})`)];
    const specs = [...behind, ...options.map(zshSpec)].map((spec) => `        ${spec}`).join(" \\\n");
    const rest = specs === "" ? "" : ` \\\n${specs}`;
    return `    ${zshQuoted(name)})\n      _arguments '--help[show this command in full]'${rest}\n      ;;`;
  });
  return `#compdef weir
# Completions of weir for zsh: put this file as _weir into a folder of $fpath.
_weir() {
  local -a commands seconds
  local command="$words[2]"
  commands=(
${[...described, ...families].join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$command" in
${seconds.join("\n")}
  esac
  if (( CURRENT == 3 && $#seconds > 0 )); then
    _describe word seconds
    return
  fi
  if (( $#seconds > 0 )); then
    command="$command $words[3]"
    shift words
    (( CURRENT-- ))
  fi
  # The last word of the command takes the place of the program: to zsh one more word before the flags would end them.
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
if [[ "$funcstack[1]" == _weir ]]; then _weir "$@"; else compdef _weir weir; fi
`;
}

function zshSpec(option: Option<unknown>): string {
  const many = option.arity === "many" ? "*" : "";
  const about = `${flagOf(option)}[${option.help.replace(/[[\]\\:]/g, "\\$&")}]`;
  if (option.arity === "toggle") return zshQuoted(`${many}${about}`);
  const choices = choicesOf(option);
  const action = choices.length > 0 ? `(${choices.join(" ")})` : isPath(option) ? "_files" : " ";
  return zshQuoted(`${many}${about}:${option.name}:${action}`);
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishScript(entries: readonly Entry[]): string {
  const lines = ["# Completions of weir for fish.", "complete -c weir -f"];
  const seconds = secondWords(entries);
  for (const word of firstWords(entries)) {
    const summary = entries.find(({ name }) => name === word)?.summary ?? "";
    lines.push(
      `complete -c weir -n __fish_use_subcommand -a ${word}${summary === "" ? "" : ` -d ${fishQuoted(summary)}`}`,
    );
  }
  for (const [first, words] of seconds) {
    const none = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${words.join(" ")}`;
    lines.push(`complete -c weir -n ${fishQuoted(none)} -a ${fishQuoted(words.join(" "))}`);
  }
  for (const { name, options, words } of entries) {
    const seen = name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    if (words.length > 0) lines.push(`complete -c weir -n ${fishQuoted(seen)} -a ${fishQuoted(words.join(" "))}`);
    for (const option of options) {
      const choices = choicesOf(option);
      const value = option.arity === "toggle"
        ? ""
        : choices.length > 0
        ? ` -x -a ${fishQuoted(choices.join(" "))}`
        : isPath(option)
        ? " -r -F"
        : " -x";
      lines.push(
        `complete -c weir -n ${fishQuoted(seen)} -l ${option.name}${value} -d ${fishQuoted(option.help)}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
