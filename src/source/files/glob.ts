/**
 * Globs over base names: `*`, `?`, `[abc]`, `[!abc]`, `{csv,json}`. Letter case does not matter, for Windows machines write `.CSV`.
 *
 * @module
 */

/**
 * Makes a test for names out of globs: a name passes when one of them fits.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const fits = globTest(["*.{csv,tsv}", "plant?.json"]);
 * assert.deepEqual(["a.CSV", "plant7.json", "plant.json"].map(fits), [true, true, false]);
 * ```
 */
export function globTest(globs: readonly string[]): (name: string) => boolean {
  const expressions = globs.map((glob) => new RegExp(`^${expressionOf(glob)}$`, "isu"));
  return (name) => expressions.some((expression) => expression.test(name));
}

function expressionOf(glob: string): string {
  let depth = 0;
  let source = "";
  for (let i = 0; i < glob.length; i++) {
    const c = glob.charAt(i);
    const close = c === "[" ? glob.indexOf("]", i + 2) : -1;
    if (close > 0) {
      const set = glob.slice(i + 1, close).replace(/^!/, "^").replace(/[\\[\]]/g, "\\$&");
      source += `[${set}]`;
      i = close;
    } else if (c === "*") source += ".*";
    else if (c === "?") source += ".";
    else if (c === "{" && glob.indexOf("}", i) > 0) {
      depth += 1;
      source += "(?:";
    } else if (c === "}" && depth > 0) {
      depth -= 1;
      source += ")";
    } else if (c === "," && depth > 0) source += "|";
    else source += c.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  }
  return depth === 0 ? source : glob.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
