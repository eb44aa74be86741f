/**
 * Settings out of a YAML file: a map of names to values or lists of values. The one file that knows the YAML library; every mistake is
 * told with its line and column.
 *
 * @module
 */
import type { Node } from "yaml";
import { printable } from "../core/text.ts";
import { nearest } from "./nearest.ts";
import type { Option } from "./option.ts";
import { isEverywhere, optionList, secretNames } from "./options.ts";
import { splitTexts } from "./split.ts";
import type { Given, Problem } from "./problem.ts";

const optionByKey = new Map(
  optionList.filter((one) => isEverywhere(one) && one.name !== "config").map((one) => [one.name, one]),
);

/** What a config file says. */
export interface ConfigText {
  readonly given: readonly Given[];
  readonly problems: readonly Problem[];
  readonly readable: boolean;
}

/**
 * Reads the text of a config file.
 *
 * @param name how the file is called in messages
 * @param folder the file's own folder: relative paths in it start there
 */
export type ReadConfig = (name: string, text: string, folder: string) => ConfigText;

type Library = typeof import("yaml");

/** Loads the YAML library, which only who has a config file is to pay for, and gives what reads with it. */
export async function loadConfigReader(): Promise<ReadConfig> {
  const library = await import("yaml");
  return (name, text, folder) => readConfig(library, name, text, folder);
}

/** Whether a config file may be named: by the flag or by its variable. */
export function mayNameConfig(args: readonly string[], environment: Readonly<Record<string, string>>): boolean {
  return args.some((arg) => arg.startsWith("--config")) || Object.hasOwn(environment, "WEIR_CONFIG");
}

function readConfig(
  { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument }: Library,
  name: string,
  text: string,
  folder: string,
): ConfigText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2" });
  const given: Given[] = [];
  const problems: Problem[] = [];

  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const tell = (offset: number, what: string, message: string, meant: readonly string[] = [what]): void => {
    problems.push({ where: what === "" ? at(offset) : `${at(offset)} ${what}`, seen: null, message, meant });
  };

  for (const error of document.errors) tell(error.pos[0], "", `Not YAML: ${firstLine(error.message)}`);
  if (problems.length > 0) return { given, problems, readable: false };

  const root = document.contents;
  // A file of comments alone sets nothing.
  if (root === null || (isScalar(root) && root.value === null)) return { given, problems, readable: true };
  if (!isMap<Node, Node | null>(root)) {
    tell(root.range?.[0] ?? 0, "", 'Must be a map of settings, like "files-cap: 500/s"');
    return { given, problems, readable: false };
  }

  /** Takes a scalar as the text that was written, so that a flag and a key mean the same by the same words. */
  const take = (option: Option<unknown>, node: Node | null, keyOffset: number): void => {
    const target = isAlias(node) ? node.resolve(document) ?? null : node;
    const offset = node?.range?.[0] ?? keyOffset;
    if (isSeq<Node>(target) && option.arity === "many") {
      for (const item of target.items) {
        if (isSeq(item)) tell(item.range?.[0] ?? offset, option.name, "A list inside a list");
        else take(option, item, offset);
      }
    } else if (isScalar(target) && target.value !== null) {
      const text = typeof target.value === "string" ? target.value : target.source ?? String(target.value);
      const place = { from: "config", label: `${at(offset)} ${option.name}`, folder } as const;
      for (const part of splitTexts(option, text)) given.push({ name: option.name, text: part, place });
    } else if (target === null || isScalar(target)) {
      tell(offset, option.name, `Has no value: must be ${option.kind.allowed}`);
    } else {
      tell(
        offset,
        option.name,
        `${isSeq(target) ? "Takes one value, not a list" : "Takes no map"}: must be ${option.kind.allowed}`,
      );
    }
  };

  for (const { key, value } of root.items) {
    const keyText = isScalar(key) ? String(key.value) : "";
    const offset = key.range?.[0] ?? 0;
    const option = optionByKey.get(keyText);
    if (option === undefined) {
      const { message, meant } = unknownKey(keyText, isMap(value));
      tell(offset, printable(keyText, 60), message, meant);
    } else take(option, value, offset);
  }
  return { given, problems, readable: true };
}

function unknownKey(key: string, hasMap: boolean): Pick<Problem, "message" | "meant"> {
  const secret = secretNames.find((one) => one === key);
  if (secret !== undefined) {
    return { message: `A secret does not stand in the config file: use ${secret}-file`, meant: [`${secret}-file`] };
  }
  if (key === "config") return { message: "A config file cannot name another one" };
  const nested = hasMap ? [...optionByKey.keys()].filter((name) => name.startsWith(`${key}-`)) : [];
  const [first] = nested;
  if (first !== undefined) {
    return { message: `Settings are not nested: write the whole name, like "${first}: ..."`, meant: nested };
  }
  const hint = nearest(key, optionByKey.keys());
  if (hint === null) return { message: "Unknown setting" };
  return { message: `Unknown setting. Did you mean ${hint}?`, meant: [hint] };
}

function firstLine(message: string): string {
  return printable(message.split("\n")[0] ?? "");
}
