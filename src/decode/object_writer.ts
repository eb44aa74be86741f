/**
 * The quick way from a line of NDJSON to the JSON text of its reading, for lines that are laid out as one before them: the same keys in the
 * same order with the same white space, and plain values.
 *
 * ```text
 *   {"ts":1767225600000,"device_id":"press-1","value":21.5}
 *   literal    value     literal      value    literal
 * ```
 *
 * A layout is learned from a line that the normalizer has made a reading of. As with CSV, the bytes are exactly those that the normalizer gives,
 * or the line is left to it (-1): nested values, escapes of what JSON escapes, exponents, keys that stand twice, and all that is wrong.
 *
 * @module
 */
import type { LineWriter, ObjectRow } from "../core/decoder.ts";
import { bytesOf, isBytes, standsAt } from "./bytes.ts";
import { escapedStop, unescape } from "./json_escapes.ts";
import { isSpace } from "./json_scan.ts";
import { extraBytesOf, type Member, memberOf, type MemberWriter, type PlannedField } from "./member_writer.ts";
import { decimal, integer, isNegativeZero, kindOfNumber, notNumber, unsure } from "./number_bytes.ts";
import { planRowEnd, type RowEnd } from "./row_end.ts";
import type { Rules } from "./rules.ts";
import { typeBit } from "./schema.ts";
import type { Changing } from "../core/changing.ts";

/** What it works with. */
export interface ObjectWriterOptions {
  /** Is told the moment for which it writes by who owns it. */
  readonly members: MemberWriter;
  /** The fields that leave, in order, of an object with these names; null where there is no quick way. */
  readonly plan: (names: readonly string[]) => readonly PlannedField[] | null;
  readonly rules: Rules | null;
}

/** How lines are laid out, and what leaves. */
interface Layout {
  /** What stands before each value, and behind the last one. */
  readonly literals: readonly Uint8Array[];
  /** Null: the normalizer's business. */
  readonly leaves: Leaves | null;
}

/** What leaves of a line. */
interface Leaves {
  readonly list: readonly Member[];
  readonly end: RowEnd;
}

/** Layouts that are kept: lines of several kinds may take turns. Another one replaces the oldest. */
const layoutsMax = 8;
/** Longer lines, and those of more values, have no quick way. */
const lessonBytesMax = 16 * 1024;
const valuesMax = 256;
/** Learning costs as much as some lines: each line that is not known earns 1, so that lines that are never alike cost little more than themselves. */
const lessonCost = 16;
const savedMax = 64 * lessonCost;

/** Kinds of values besides those of numbers. */
const text = 4;
const word = 5;
const nothing = 6;
/** A text that had escapes: it stands in the scratch space. */
const escaped = 7;
/** Lines with more than so many bytes of such texts have no quick way. */
const escapedBytesMax = 1024;

const trueBytes = bytesOf("true");
const falseBytes = bytesOf("false");
const nullBytes = bytesOf("null");
const quote = 0x22;
const backslash = 0x5c;

/** Makes a {@linkcode LineWriter} that learns and knows no layout yet. */
export function createObjectWriter({ members, plan, rules }: ObjectWriterOptions): LineWriter {
  const { putArrival, putTopic, putEmpty, putTime, putString, putNumber, putEpoch, putWord } = members;
  const layouts: Layout[] = [];
  /** The layout that fitted last, and the one to be replaced next. */
  let last = 0;
  let oldest = 0;
  let saved = savedMax;
  /** The values of a line, or of the scratch space. A text's quotes are left out. */
  const starts = new Int32Array(valuesMax);
  const stops = new Int32Array(valuesMax);
  const kinds = new Uint8Array(valuesMax);
  const scratch = new Uint8Array(escapedBytesMax);

  /** Finds the values; false when the line is laid out otherwise, or a value is not plain. */
  function read({ literals }: Layout, line: Uint8Array, from: number, stop: number): boolean {
    let at = from;
    let unescaped = 0;
    const values = literals.length - 1;
    for (let i = 0; i < values; i++) {
      const literal = literals[i];
      if (literal === undefined || !standsAt(literal, line, at, stop)) return false;
      at += literal.length;
      const isText = line[at] === quote;
      let end = isText ? plainStop(line, at + 1, stop) : wordStop(line, at, stop);
      if (end < 0) return false;
      if (isText && line[end] === backslash) {
        end = escapedStop(line, end, stop);
        const length = end < 0 ? -1 : unescape(line, at + 1, end, scratch, unescaped);
        if (length < 0) return false;
        starts[i] = unescaped;
        unescaped += length;
        stops[i] = unescaped;
        kinds[i] = escaped;
        at = end + 1;
        continue;
      }
      const kind = isText ? text : kindOfWord(line, at, end);
      if (kind === notNumber || kind === unsure) return false;
      starts[i] = isText ? at + 1 : at;
      stops[i] = end;
      kinds[i] = kind;
      at = isText ? end + 1 : end;
    }
    const rest = literals[values];
    return rest !== undefined && isBytes(rest, line, at, stop);
  }

  /** Writes key, value and comma. */
  function put(member: Member, line: Uint8Array, into: Uint8Array, at: number): number {
    const { column, types } = member;
    if (column < 0) return column === -1 ? putArrival(member, into, at) : putTopic(member, into, at);
    const from = starts[column] ?? 0;
    const stop = stops[column] ?? 0;
    const kind = kinds[column] ?? unsure;
    if (kind === nothing) return putEmpty(member, into, at);
    if (kind === word) return putWord(member, line, from, stop, into, at);
    const isTime = (types & typeBit.time) !== 0;
    if (kind === text || kind === escaped) {
      const bytes = kind === text ? line : scratch;
      return isTime ? putTime(member, bytes, from, stop, into, at) : putString(member, bytes, from, stop, into, at);
    }
    // It leaves as 0, and rules can tell the difference.
    if (rules !== null && isNegativeZero(line, from, stop)) return -1;
    return isTime ? putEpoch(member, line, from, stop, into, at) : putNumber(member, line, from, stop, kind, into, at);
  }

  function writeMembers({ list, end }: Leaves, line: Uint8Array, into: Uint8Array, at: number): number {
    into[at] = 0x7b;
    let position = at + 1;
    for (let i = 0; i < list.length; i++) {
      const member = list[i];
      end.starts[i] = position;
      position = member === undefined ? -1 : put(member, line, into, position);
      if (position < 0) return -1;
    }
    end.starts[list.length] = position;
    return end.put(into, position);
  }

  const writer: Changing<LineWriter> = {
    extraBytes: 0,
    write(line, from, stop, into, at) {
      for (let i = 0; i < layouts.length; i++) {
        const which = (last + i) % layouts.length;
        const layout = layouts[which];
        if (layout === undefined || !read(layout, line, from, stop)) continue;
        last = which;
        return layout.leaves === null ? -1 : writeMembers(layout.leaves, line, into, at);
      }
      return -1;
    },
    learn(row) {
      saved = Math.min(savedMax, saved + 1);
      if (saved < lessonCost) return;
      saved -= lessonCost;
      const found = layoutOf(row);
      if (found === null || layouts.some(({ literals }) => isSame(literals, found.literals))) return;
      const list = plan(found.names)?.map(memberOf) ?? null;
      const leaves = list === null ? null : { list, end: planRowEnd({ list, members, rules }) };
      if (leaves !== null) {
        writer.extraBytes = Math.max(writer.extraBytes, extraBytesOf(leaves.list) + leaves.end.extraBytes);
      }
      layouts[oldest] = { literals: found.literals, leaves };
      oldest = (oldest + 1) % layoutsMax;
    },
  };
  return writer;
}

/** Where a text ends, or its first escape begins; -1 when something in it would have to be escaped. */
function plainStop(line: Uint8Array, from: number, stop: number): number {
  for (let i = from; i < stop; i++) {
    const byte = line[i] ?? 0;
    if (byte === quote || byte === backslash) return i;
    if (byte < 0x20) return -1;
  }
  return -1;
}

/** Where a number, a boolean or null ends. */
function wordStop(line: Uint8Array, from: number, stop: number): number {
  let at = from;
  while (at < stop && !isWordEnd(line[at] ?? 0)) at += 1;
  return at;
}

function isWordEnd(byte: number): boolean {
  return byte === 0x2c || byte === 0x7d || isSpace(byte);
}

/** The kind of a value that is no text; notNumber for a structure and for what is no JSON. */
function kindOfWord(line: Uint8Array, from: number, stop: number): number {
  const kind = kindOfNumber(line, from, stop);
  if (kind === integer || kind === decimal || kind === unsure) return kind;
  if (isBytes(nullBytes, line, from, stop)) return nothing;
  return isBytes(trueBytes, line, from, stop) || isBytes(falseBytes, line, from, stop) ? word : notNumber;
}

/** The layout of a row that is good JSON; null where it is not a simple one. */
function layoutOf(
  row: ObjectRow,
): { readonly literals: readonly Uint8Array[]; readonly names: readonly string[] } | null {
  const names = Object.keys(row.object);
  if (names.length === 0 || names.length > valuesMax || row.text.length > lessonBytesMax) return null;
  const line = bytesOf(row.text.replace(/\r?\n$/, ""));
  const literals: Uint8Array[] = [];
  let at = 0;
  for (const name of names) {
    // The name as it stands, where the parser saw it: no escapes, no other order, none twice.
    const key = bytesOf(`"${name}"`);
    const keyAt = line.indexOf(quote, at);
    if (keyAt < 0 || !standsAt(key, line, keyAt, line.length)) return null;
    let valueAt = keyAt + key.length;
    while (line[valueAt] === 0x3a || isSpace(line[valueAt] ?? 0)) valueAt += 1;
    const isText = line[valueAt] === quote;
    const end = isText ? escapedStop(line, valueAt + 1, line.length) : wordStop(line, valueAt, line.length);
    if (end < 0 || !isText && kindOfWord(line, valueAt, end) === notNumber) return null;
    literals.push(line.slice(at, valueAt));
    at = isText ? end + 1 : end;
  }
  // What stands behind the last name may be a name that came before: then that value counts.
  const rest = line.slice(at);
  if (!/^\s*\}\s*$/.test(new TextDecoder().decode(rest))) return null;
  literals.push(rest);
  return { literals, names };
}

function isSame(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return one.length === other.length &&
    one.every((literal, i) => isBytes(literal, other[i] ?? nullBytes, 0, other[i]?.length ?? 0));
}
