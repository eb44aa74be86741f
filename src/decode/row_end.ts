/**
 * What comes behind the members of a reading that was written as bytes: the operator's rules, if there are any, then `origin` and
 * `processing_time`. Of the reading only the fields that the rules name become values; what they set is put between the bytes.
 *
 * ```text
 *   {"device_id":"press-1","value":21.5,        ->  value > 0.0 ?  ->  {"device_id":"press-1","value":70.7,"origin":...}
 *    starts[0]             starts[1]    starts[2]
 * ```
 *
 * @module
 */
import { turnedAway } from "../core/decoder.ts";
import { createShortTexts } from "../core/short_texts.ts";
import { bytesOf, copy } from "./bytes.ts";
import { jsonString } from "./coerce.ts";
import type { Member, MemberWriter } from "./member_writer.ts";
import { exactDigits, kindOfNumber, numberIn, unsure } from "./number_bytes.ts";
import type { Rules } from "./rules.ts";

/** Ends readings that have these members. */
export interface RowEnd {
  /** Bytes that rules may add. */
  readonly extraBytes: number;
  /** Where each member begins, and at last where they end: filled in by who writes them. Equal for one that left nothing. */
  readonly starts: Int32Array;
  /** Returns where the reading ends, -1 to leave it to the normalizer, {@linkcode turnedAway}. */
  put(into: Uint8Array, at: number): number;
}

/** What it is made of. */
export interface RowEndOptions {
  /** In the order in which they leave. */
  readonly list: readonly Member[];
  /** Is told the moment by who owns it. */
  readonly members: MemberWriter;
  readonly rules: Rules | null;
}

/** A field that rules set. */
interface Target {
  readonly key: Uint8Array;
  /** Index of the member that it replaces; -1: there is none. */
  readonly member: number;
  json: string;
}

/** Longer values that are set have no quick way. */
const setCharsMax = 256;
const bytesOfCharMax = 3;
const setBytesMax = setCharsMax * bytesOfCharMax;

const quote = 0x22;
const comma = 0x2c;
const firstLetter = 0x61;
const letterT = 0x74;
const letterF = 0x66;

/** Makes a {@linkcode RowEnd}. */
export function planRowEnd({ list, members, rules }: RowEndOptions): RowEnd {
  const starts = new Int32Array(list.length + 1);
  if (rules === null) return { extraBytes: 0, starts, put: members.putTail };
  return withRules(rules, list, members, starts);
}

function withRules(rules: Rules, list: readonly Member[], members: MemberWriter, starts: Int32Array): RowEnd {
  const texts = createShortTexts();
  const indexOf = (name: string): number => list.findIndex((member) => member.name === name);
  const values: Record<string, unknown> = Object.fromEntries(rules.used.map((name) => [name, null]));
  const seen = rules.used.map((name) => ({ name, index: indexOf(name) })).filter(({ index }) => index >= 0);
  /** Names that are used and that no member has, but what a rule before may set. */
  const absent = rules.used.filter((name) => indexOf(name) < 0);
  const names = [...new Set(rules.targets)];
  const targets = names.map((name): Target => ({
    key: bytesOf(`${jsonString(name)}:`),
    member: indexOf(name),
    json: "",
  }));
  const targetOf = rules.targets.map((name) => targets[names.indexOf(name)]);
  let setsDone = 0;
  const encoder = new TextEncoder();
  const scratch = new Uint8Array(setBytesMax);

  const noteSet = (_name: string, _value: unknown, json: string): void => {
    const target = targetOf[setsDone];
    if (target !== undefined) target.json = json;
    setsDone += 1;
  };

  /** The value of a member, as the normalizer would have it: of the JSON that was written for it, in which nothing is escaped. */
  function valueOf(bytes: Uint8Array, index: number): unknown {
    const from = (starts[index] ?? 0) + (list[index]?.key.length ?? 0);
    const stop = (starts[index + 1] ?? 0) - 1;
    if (stop < from) return null;
    const first = bytes[from] ?? 0;
    if (first === quote) return texts(bytes, from + 1, stop - 1);
    if (first >= firstLetter) return first === letterT ? true : first === letterF ? false : null;
    // A field of a topic may have an exponent.
    const isPlain = stop - from <= exactDigits && kindOfNumber(bytes, from, stop) !== unsure;
    return isPlain ? numberIn(bytes, from, stop) : Number(texts(bytes, from, stop));
  }

  function look(bytes: Uint8Array): void {
    for (const name of absent) values[name] = absentValue(name);
    for (const { name, index } of seen) values[name] = valueOf(bytes, index);
  }

  function absentValue(name: string): unknown {
    return name === "origin" ? members.origin : name === "processing_time" ? members.processingTime : null;
  }

  /** Puts what was set in place of a member's value, or behind the last member; returns where the members end then, or -1. */
  function putSet({ key, member, json }: Target, into: Uint8Array, at: number): number {
    if (json.length > setCharsMax) return -1;
    const length = encode(json);
    const keyAt = starts[member] ?? at;
    const end = starts[member + 1] ?? at;
    if (member < 0 || keyAt === end) {
      const valueAt = copy(key, 0, key.length, into, at);
      const stop = copy(scratch, 0, length, into, valueAt);
      into[stop] = comma;
      return stop + 1;
    }
    const valueAt = keyAt + key.length;
    const moved = valueAt + length + 1 - end;
    if (moved !== 0) {
      into.copyWithin(end + moved, end, at);
      for (let i = member + 1; i < starts.length; i++) starts[i] = (starts[i] ?? 0) + moved;
    }
    into[copy(scratch, 0, length, into, valueAt)] = comma;
    return at + moved;
  }

  /** Brings a text into `scratch`; returns its bytes. */
  function encode(text: string): number {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return encoder.encodeInto(text, scratch).written;
      scratch[i] = code;
    }
    return text.length;
  }

  return {
    extraBytes: targets.reduce((sum, { key }) => sum + key.length + setBytesMax + 1, 0),
    starts,
    put(into, at) {
      look(into);
      setsDone = 0;
      const result = rules.decide(values, noteSet);
      if (result === "filtered") return turnedAway;
      // What went wrong is said by the normalizer.
      if (result !== "kept") return -1;
      let end = at;
      for (let i = 0; i < targets.length; i++) {
        const target = targets[i];
        end = target === undefined ? -1 : putSet(target, into, end);
        if (end < 0) return -1;
      }
      return members.putTail(into, end);
    },
  };
}
