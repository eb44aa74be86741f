/**
 * Settings out of a YAML file: a map of names to values or lists of values. The one file that knows the YAML library; every mistake is
 * told with its line and column.
 *
 * @module
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { printable } from "../core/text.ts";
import { nearest } from "./nearest.ts";
import type { Option } from "./option.ts";
import { isEverywhere, optionList, secretNames } from "./options.ts";
import { splitTexts } from "./split.ts";
import type { Given, Problem } from "./problem.ts";

const optionByKey = new Map(
  optionList.filter((one) => isEverywhere(one) && one.name !== "config").map((one) => [one.name, one]),
);

/**
 * Reads the text of a config file.
 *
 * @param name how the file is called in messages
 * @param folder the file's own folder: relative paths in it start there
 */
export function readConfig(
  name: string,
  text: string,
  folder: string,
): { readonly given: readonly Given[]; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2" });
  const given: Given[] = [];
  const problems: Problem[] = [];

  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const tell = (offset: number, what: string, seen: string | null, message: string): void => {
    problems.push({ where: what === "" ? at(offset) : `${at(offset)} ${what}`, seen, message });
  };

  for (const error of document.errors) tell(error.pos[0], "", null, `Not YAML: ${firstLine(error.message)}`);
  if (problems.length > 0) return { given, problems };

  const root = document.contents;
  // A file of comments alone sets nothing.
  if (root === null || (isScalar(root) && root.value === null)) return { given, problems };
  if (!isMap<Node, Node | null>(root)) {
    tell(root.range?.[0] ?? 0, "", null, 'Must be a map of settings, like "files-cap: 500/s"');
    return { given, problems };
  }

  /** Takes a scalar as the text that was written, so that a flag and a key mean the same by the same words. */
  const take = (option: Option<unknown>, node: Node | null, keyOffset: number): void => {
    const target = isAlias(node) ? node.resolve(document) ?? null : node;
    const offset = node?.range?.[0] ?? keyOffset;
    if (isSeq<Node>(target) && option.arity === "many") {
      for (const item of target.items) {
        if (isSeq(item)) tell(item.range?.[0] ?? offset, option.name, null, "A list inside a list");
        else take(option, item, offset);
      }
    } else if (isScalar(target) && target.value !== null) {
      const text = typeof target.value === "string" ? target.value : target.source ?? String(target.value);
      const place = { from: "config", label: `${at(offset)} ${option.name}`, folder } as const;
      for (const part of splitTexts(option, text)) given.push({ name: option.name, text: part, place });
    } else if (target === null || isScalar(target)) {
      tell(offset, option.name, null, `Has no value: must be ${option.kind.allowed}`);
    } else {
      tell(
        offset,
        option.name,
        null,
        `${isSeq(target) ? "Takes one value, not a list" : "Takes no map"}: must be ${option.kind.allowed}`,
      );
    }
  };

  for (const { key, value } of root.items) {
    const keyText = isScalar(key) ? String(key.value) : "";
    const offset = key.range?.[0] ?? 0;
    const option = optionByKey.get(keyText);
    if (option === undefined) tell(offset, printable(keyText, 60), null, unknownKey(keyText, isMap(value)));
    else take(option, value, offset);
  }
  return { given, problems };
}

function unknownKey(key: string, hasMap: boolean): string {
  const secret = secretNames.find((one) => one === key);
  if (secret !== undefined) return `A secret does not stand in the config file: use ${secret}-file`;
  if (key === "config") return "A config file cannot name another one";
  const nested = hasMap ? [...optionByKey.keys()].find((name) => name.startsWith(`${key}-`)) : undefined;
  if (nested !== undefined) return `Settings are not nested: write the whole name, like "${nested}: ..."`;
  const hint = nearest(key, optionByKey.keys());
  return hint === null ? "Unknown setting" : `Unknown setting. Did you mean ${hint}?`;
}

function firstLine(message: string): string {
  return printable(message.split("\n")[0] ?? "");
}
