/**
 * Regular expressions that a hostile value could make run for ever. The engine tries all ways to divide a text between a repetition and
 * what is repeated inside it: `(a+)+$` takes twice as long for each further `a`, and everything else waits meanwhile. There is no way to
 * stop a match that runs, so such a pattern is refused at the start.
 *
 * It errs on the side of refusing: a repeated group must neither repeat anything inside without a bound, nor branch, unless each branch
 * begins with another letter.
 *
 * @module
 */

/** A group that is open. */
interface Group {
  /** Holds an unbounded repetition, or branches that may begin alike. */
  ambiguous: boolean;
  /** What each branch begins with: a letter, or null for anything else. */
  readonly heads: (string | null)[];
  atHead: boolean;
}

/** What to do about a pattern that is refused. */
export const slowPatternAdvice = "Repeat no group that repeats or branches inside: [a-z]+ instead of ([a-z]+)+";

/** Times that a repetition may be written out and still count as bounded. */
const repeatsMax = 10;

/** Whether a pattern (the source of a regular expression) could take exponential time. */
export function isSlowPattern(source: string): boolean {
  const open: Group[] = [{ ambiguous: false, heads: [], atHead: true }];
  const token = /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<\w+>))?|[\s\S]/gu;
  let closed: Group | null = null;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    const [text] = match;
    const group = open[open.length - 1];
    if (group === undefined) return true;
    const repeats = /^(?:[*+]|\{(\d+)(?:,(\d*))?\})/.exec(source.slice(match.index));
    if (repeats !== null) {
      const most = repeats[1] === undefined || repeats[2] === "" ? Infinity : Number(repeats[2] ?? repeats[1]);
      token.lastIndex = match.index + repeats[0].length;
      if (most > repeatsMax) {
        if (closed?.ambiguous === true) return true;
        group.ambiguous = true;
      }
      closed = null;
      continue;
    }
    if (text.startsWith("(")) {
      if (group.atHead) group.heads.push(null);
      group.atHead = false;
      open.push({ ambiguous: false, heads: [], atHead: true });
      closed = null;
    } else if (text === ")") {
      open.pop();
      const letters = group.heads.filter((head) => head !== null);
      const branches = group.heads.length > 1 || group.atHead;
      const apart = letters.length === group.heads.length && new Set(letters).size === letters.length && !group.atHead;
      closed = { ...group, ambiguous: group.ambiguous || (branches && !apart) };
      const outer = open[open.length - 1];
      if (outer !== undefined) outer.ambiguous ||= closed.ambiguous;
    } else if (text === "|") {
      if (group.atHead) group.heads.push(null);
      group.atHead = true;
      closed = null;
    } else {
      if (group.atHead) group.heads.push(/^[A-Za-z0-9_-]$/.test(text) ? text : null);
      group.atHead = false;
      // A lazy or optional mark belongs to what was closed: it changes nothing.
      if (text !== "?") closed = null;
    }
  }
  return false;
}

/** Patterns in a JSON Schema: the values of `pattern` and the names in `patternProperties`, wherever they stand. */
export function patternsIn(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(patternsIn);
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: readonly [string, unknown]) => [
    ...(key === "pattern" && typeof value === "string" ? [value] : []),
    ...(key === "patternProperties" && typeof value === "object" && value !== null ? Object.keys(value) : []),
    ...patternsIn(value),
  ]);
}

/**
 * What `x.matches(...)` in a CEL expression is given: the text of each literal, as it is written, or null where it is no literal.
 */
export function patternLiterals(expression: string): readonly (string | null)[] {
  const found: (string | null)[] = [];
  const literal = /[rR]?"(?:\\[\s\S]|[^"\\])*"|[rR]?'(?:\\[\s\S]|[^'\\])*'/y;
  const token = /[rR]?"(?:\\[\s\S]|[^"\\])*"|[rR]?'(?:\\[\s\S]|[^'\\])*'|\.\s*matches\s*\(\s*/g;
  for (let match = token.exec(expression); match !== null; match = token.exec(expression)) {
    if (!match[0].startsWith(".")) continue;
    literal.lastIndex = token.lastIndex;
    const [text] = literal.exec(expression) ?? [];
    const alone = text !== undefined && /^\s*\)/.test(expression.slice(token.lastIndex + text.length));
    found.push(alone ? text : null);
  }
  return found;
}
