/**
 * Writes the members of a reading as bytes, straight from the bytes of a line: what the quick ways of CSV and of NDJSON have in common. Each
 * function returns the position behind what it wrote, or -1 where it gives up and the normalizer has to look at the line.
 *
 * @module
 */
import type { Arrival } from "../core/decoder.ts";
import { writeNumber } from "../core/digits.ts";
import { createShortTexts } from "../core/short_texts.ts";
import { bytesOf, copy } from "./bytes.ts";
import { isArrivalTime } from "./header_plan.ts";
import { decimal, exactDigits, numberIn, writeShortest } from "./number_bytes.ts";
import type { SchemaField } from "./schema.ts";
import { typeBit } from "./schema.ts";
import type { ReadTime, TimeReader } from "./time.ts";
import { createDays, epochDigits, secondsDigitsMax } from "./time_bytes.ts";
import type { Changing } from "../core/changing.ts";

/** A field that leaves, and where it is read from. */
export interface PlannedField {
  readonly field: SchemaField;
  /** Cell, or value of the object; -1: there is none; `topicColumn(index)`: a field of the topic. */
  readonly column: number;
  /** `"name":` */
  readonly key: string;
}

/** The column of a field that the topic gives. */
export function topicColumn(index: number): number {
  return -2 - index;
}

/** Which field of the topic a column is. */
function topicIndex(column: number): number {
  return -2 - column;
}

/** The fields that a topic gives, as they leave: the JSON of each behind that of the one before. */
export interface TopicValues {
  readonly bytes: Uint8Array;
  /** Where each ends. */
  readonly ends: readonly number[];
}

/** A {@linkcode PlannedField} as it is written. */
export interface Member {
  readonly name: string;
  readonly key: Uint8Array;
  readonly column: number;
  readonly types: number;
  readonly required: boolean;
  /** Without a value it is the time of arrival. */
  readonly isArrival: boolean;
  readonly check: SchemaField["check"];
}

/** Writes values, each with its key and the comma behind it. */
export interface MemberWriter {
  /** The moment for which the next ones are written, and the topic that they came by, if any. */
  arrive(arrival: Pick<Arrival, "origin" | "wallMs">, topic?: TopicValues): void;
  /** What the topic gives. */
  putTopic(member: Member, into: Uint8Array, at: number): number;
  /** What leaves as `origin` and `processing_time` at that moment. */
  readonly origin: string;
  readonly processingTime: unknown;
  /** The time of arrival, of a field that has no column. */
  putArrival(member: Member, into: Uint8Array, at: number): number;
  /** What an empty cell, or null, leaves behind. */
  putEmpty(member: Member, into: Uint8Array, at: number): number;
  /** A number that is read as a time. */
  putEpoch(member: Member, line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number;
  /** A text that is read as a time. */
  putTime(member: Member, line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number;
  /** A text without anything that JSON escapes. */
  putString(member: Member, line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number;
  /** A number with the digits it came with; `kind` is what `kindOfNumber` says. */
  putDigits(
    member: Member,
    line: Uint8Array,
    from: number,
    stop: number,
    kind: number,
    into: Uint8Array,
    at: number,
  ): number;
  /** A number as JavaScript writes it: 21.50 as 21.5. */
  putNumber(
    member: Member,
    line: Uint8Array,
    from: number,
    stop: number,
    kind: number,
    into: Uint8Array,
    at: number,
  ): number;
  /** `true` or `false`. */
  putWord(member: Member, line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number;
  /** `origin`, `processing_time` and the brace behind them. */
  putTail(into: Uint8Array, at: number): number;
}

const quote = 0x22;
const comma = 0x2c;
const letterT = 0x74;
const numbers = typeBit.number | typeBit.integer;
const nullBytes = bytesOf("null");
const threeZeros = bytesOf("000");

const noTopic: TopicValues = { bytes: new Uint8Array(0), ends: [] };

/** Longest form of a time as JSON, without a fraction. */
const timeBytesMax = 20;
/** Longest number that JavaScript writes, and some. */
const numberTextMax = 32;

/** Bytes that the text of a reading may have more than its line. */
export function extraBytesOf(members: readonly Member[]): number {
  return members.reduce((sum, { key }) => sum + key.length + timeBytesMax + 4, 128);
}

/** Makes a {@linkcode Member}. */
export function memberOf({ field, column, key }: PlannedField): Member {
  const { name, types, required, check } = field;
  return { name, key: bytesOf(key), column, types, required, isArrival: isArrivalTime(field), check };
}

/** Makes a {@linkcode MemberWriter} of times that leave as epoch milliseconds. */
export function createMemberWriter(times: TimeReader): MemberWriter {
  const texts = createShortTexts();
  const days = createDays(times);
  const time: ReadTime = { value: 0, json: "" };
  let arrivalTime = bytesOf("");
  let tail = bytesOf("");
  let tailOf: Pick<Arrival, "origin" | "wallMs"> | null = null;
  let topicValues: TopicValues = noTopic;

  /** Whether a number is of the member's types, and within its bounds. */
  function fits({ types, check }: Member, line: Uint8Array, from: number, stop: number, kind: number): boolean {
    // A decimal may be a whole number yet: 1.0.
    if ((types & numbers) === 0 || kind === decimal && (types & typeBit.number) === 0) return false;
    if (check === null) return true;
    return check(stop - from <= exactDigits ? numberIn(line, from, stop) : Number(texts(line, from, stop))) === null;
  }

  function putEpoch(
    member: Member,
    line: Uint8Array,
    from: number,
    stop: number,
    into: Uint8Array,
    at: number,
  ): number {
    // Milliseconds since 1970 are their own JSON, seconds lack three zeros.
    const digits = epochDigits(line, from, stop);
    if (digits === 0) return -1;
    const end = copy(line, from, stop, into, putKey(member, into, at));
    return closed(digits > secondsDigitsMax ? end : copy(threeZeros, 0, threeZeros.length, into, end), into);
  }

  const members: Changing<MemberWriter> = {
    origin: "",
    processingTime: null,
    arrive(arrival, topic = noTopic) {
      topicValues = topic;
      if (tailOf?.wallMs === arrival.wallMs && tailOf.origin === arrival.origin) return;
      tailOf = arrival;
      times.write(arrival.wallMs, time);
      members.origin = arrival.origin;
      members.processingTime = time.value;
      arrivalTime = bytesOf(time.json);
      tail = bytesOf(`"origin":"${arrival.origin}","processing_time":${time.json}}`);
    },
    putArrival: (member, into, at) => putConstant(member.key, arrivalTime, into, at),
    putTopic(member, into, at) {
      const { bytes, ends } = topicValues;
      const index = topicIndex(member.column);
      const valueAt = putKey(member, into, at);
      return closed(copy(bytes, index === 0 ? 0 : ends[index - 1] ?? 0, ends[index] ?? 0, into, valueAt), into);
    },
    putEmpty(member, into, at) {
      if (member.isArrival) return putConstant(member.key, arrivalTime, into, at);
      if ((member.types & typeBit.null) !== 0) {
        return isGood(member, null) ? putConstant(member.key, nullBytes, into, at) : -1;
      }
      return member.required ? -1 : at;
    },
    putEpoch,
    putTime(member, line, from, stop, into, at) {
      const wholeMs = days(line, from, stop);
      if (wholeMs < 0) return putEpoch(member, line, from, stop, into, at);
      return closed(writeNumber(wholeMs, into, putKey(member, into, at)), into);
    },
    putString(member, line, from, stop, into, at) {
      if ((member.types & typeBit.string) === 0) return -1;
      if (member.check !== null && !isGood(member, texts(line, from, stop))) return -1;
      const valueAt = putKey(member, into, at);
      into[valueAt] = quote;
      const end = copy(line, from, stop, into, valueAt + 1);
      into[end] = quote;
      return closed(end + 1, into);
    },
    putDigits(member, line, from, stop, kind, into, at) {
      if (!fits(member, line, from, stop, kind)) return -1;
      return closed(copy(line, from, stop, into, putKey(member, into, at)), into);
    },
    putNumber(member, line, from, stop, kind, into, at) {
      if (!fits(member, line, from, stop, kind)) return -1;
      const valueAt = putKey(member, into, at);
      const end = writeShortest(line, from, stop, kind, into, valueAt);
      if (end >= 0) return closed(end, into);
      if (stop - from > numberTextMax) return -1;
      const text = texts(line, from, stop);
      return String(Number(text)) === text ? closed(copy(line, from, stop, into, valueAt), into) : -1;
    },
    putWord(member, line, from, stop, into, at) {
      if ((member.types & typeBit.boolean) === 0 || !isGood(member, line[from] === letterT)) return -1;
      return closed(copy(line, from, stop, into, putKey(member, into, at)), into);
    },
    putTail: (into, at) => copy(tail, 0, tail.length, into, at),
  };
  return members;
}

function isGood({ check }: Member, value: unknown): boolean {
  return check === null || check(value) === null;
}

function putKey({ key }: Member, into: Uint8Array, at: number): number {
  return copy(key, 0, key.length, into, at);
}

function putConstant(key: Uint8Array, value: Uint8Array, into: Uint8Array, at: number): number {
  return closed(copy(value, 0, value.length, into, copy(key, 0, key.length, into, at)), into);
}

function closed(at: number, into: Uint8Array): number {
  into[at] = comma;
  return at + 1;
}
