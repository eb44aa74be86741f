/**
 * Several values in one text: a flag, a variable or a key may hold them all, parted by line breaks and, where no value can hold one, by
 * commas.
 *
 * @module
 */
import type { Option } from "./option.ts";

/** The values in a text of this option. Empty lines and blanks around values do not count. */
export function splitTexts(option: Option<unknown>, text: string): readonly string[] {
  if (option.arity !== "many") return [text];
  const parts = text.split(option.commas ? /[\r\n,]/ : /[\r\n]/).map((part) => part.trim()).filter((part) =>
    part !== ""
  );
  return parts.length === 0 ? [text] : parts;
}
