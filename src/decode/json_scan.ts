/**
 * Finds where JSON values end without parsing them: brackets are counted and strings are stepped over.
 *
 * @module
 */

const quote = 0x22;
const backslash = 0x5c;

/** Whether a byte (or character code) is JSON's white space. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Whether a code opens an array or an object, or closes one. */
export function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

/** See {@linkcode isOpening}. */
export function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

/** The texts of the elements of a JSON array, which must be valid. */
export function elementTexts(array: string): readonly string[] {
  const texts: string[] = [];
  let depth = 0;
  let begin = array.indexOf("[") + 1;
  let inString = false;
  for (let i = begin; i < array.length; i++) {
    const code = array.charCodeAt(i);
    if (inString) {
      if (code === backslash) i += 1;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (isOpening(code)) depth += 1;
    else if (isClosing(code)) {
      depth -= 1;
      if (depth >= 0) continue;
      texts.push(array.slice(begin, i).trim());
      return texts;
    } else if (code === 0x2c && depth === 0) {
      texts.push(array.slice(begin, i).trim());
      begin = i + 1;
    }
  }
  return texts;
}
