/**
 * Numbers whose digits a double cannot hold: counters beyond 2^53, energy meters with twenty decimals, nanosecond timestamps. They are
 * found by a cheap look at the text, and leave with the digits they came with.
 *
 * @module
 */

/** A number that keeps its source text: what `JSON.rawJSON` makes. */
export interface RawNumber {
  readonly rawJSON: string;
}

/**
 * JSON with source text access (ECMA-262, "JSON.parse source text access"), which V8 has and TypeScript's library does not describe yet.
 */
interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}

const json: JsonWithSource = JSON as unknown as JsonWithSource;

/** Whether `text` is a number by the grammar of JSON (RFC 8259, section 6): no `+`, no leading zeros, no bare point, no `NaN`. */
export function isJsonNumber(text: string): boolean {
  const end = text.length;
  let at = text.charCodeAt(0) === minus ? 1 : 0;
  const first = at < end ? text.charCodeAt(at) : 0;
  if (!isDigit(first)) return false;
  at = first === zero ? at + 1 : digitsEnd(text, at);
  if (at < end && text.charCodeAt(at) === point) {
    const from = at + 1;
    at = digitsEnd(text, from);
    if (at === from) return false;
  }
  // 0x20 makes a small letter of a capital one.
  if (at < end && (text.charCodeAt(at) | 0x20) === smallE) {
    const sign = text.charCodeAt(at + 1);
    const from = sign === plus || sign === minus ? at + 2 : at + 1;
    at = digitsEnd(text, from);
    if (at === from) return false;
  }
  return at === end;
}

/** Whether a number by the grammar of JSON is written with nothing but digits. */
export function isPlainInteger(number: string): boolean {
  return digitsEnd(number, 0) === number.length;
}

const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;
const zero = 0x30;
const smallE = 0x65;

/** Where the digits that begin at `from` end. */
function digitsEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

function isDigit(code: number): boolean {
  return code >= zero && code <= 0x39;
}

/** Digits that a double always keeps. */
const safeDigits = 15;
const stride = safeDigits + 1;

/**
 * Whether a JSON text may hold a number that a double cannot keep. Looks at every 16th character only: a run of 16 digits and points
 * cannot hide from that. Says yes too often (digits in strings), and no wrongly only for a number beyond 1e308 that stands in no structure:
 * that one is seen to be infinite.
 */
export function mayLoseDigits(text: string): boolean {
  for (let i = stride - 1; i < text.length; i += stride) {
    if (!isDigitOrPoint(text.charCodeAt(i))) continue;
    let from = i;
    let to = i + 1;
    while (from > 0 && isDigitOrPoint(text.charCodeAt(from - 1))) from -= 1;
    while (to < text.length && isDigitOrPoint(text.charCodeAt(to))) to += 1;
    if (to - from > stride) return true;
    // Sixteen digits are microseconds since 1970, common and safe.
    if (to - from === stride && !Number.isSafeInteger(Number(text.slice(from, to)))) return true;
  }
  // Exponents: a small one underflows to 0, a large one overflows to Infinity, which the caller sees in a number but not inside a structure.
  if ((text.includes("e-") || text.includes("E-")) && smallExponent.test(text)) return true;
  return (text.includes("[") || text.indexOf("{", 1) > 0) && anyExponent.test(text);
}

const smallExponent = /\d[eE]-\d/;
const anyExponent = /\d[eE][+\d]/;

/** Whether a number written as `source` comes back from a double with the same value. */
export function survivesDouble(source: string): boolean {
  const value = Number(source);
  return Number.isFinite(value) && canonical(source) === canonical(String(value));
}

/** Like `JSON.parse`, but a number that a double cannot hold becomes a {@linkcode RawNumber}. Slow: for texts that {@linkcode mayLoseDigits}. */
export function parseExact(text: string): unknown {
  return json.parse(
    text,
    (_key, value, { source }) =>
      typeof value === "number" && source !== undefined && !survivesDouble(source) ? json.rawJSON(source) : value,
  );
}

/** Whether `value` is a number that kept its source text. */
export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** A decimal number as its significant digits and its exponent, so that equal values are equal texts. Takes JSON numbers only. */
function canonical(text: string): string {
  const exponentAt = text.search(/[eE]/);
  const mantissa = exponentAt < 0 ? text : text.slice(0, exponentAt);
  let exponent = exponentAt < 0 ? 0 : Number(text.slice(exponentAt + 1));
  const negative = mantissa.startsWith("-");
  const unsigned = negative ? mantissa.slice(1) : mantissa;
  const point = unsigned.indexOf(".");
  if (point >= 0) exponent -= unsigned.length - point - 1;
  const digits = unsigned.replace(".", "").replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${negative ? "-" : ""}${significant}e${exponent + digits.length - significant.length}`;
}

function isDigitOrPoint(code: number): boolean {
  return isDigit(code) || code === point;
}
