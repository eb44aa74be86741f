/**
 * The quick way from a plain CSV line (ASCII, no quotes) to the JSON text of its reading: byte by byte, with a plan made once for all lines
 * under a header. It gives exactly the bytes that the normalizer gives, or gives up (-1) and leaves the line to it: whatever is rare, has to be
 * explained to somebody, or is not sure, is not done here.
 *
 * ```text
 *   {"device_id":"press-1","value":21.5,...,"origin":"batch","processing_time":1767225600000}
 *    key         cell,     key     cell      the tail, the same for all lines of a moment
 * ```
 *
 * @module
 */
import type { Arrival, LineWriter } from "../core/decoder.ts";
import { writeNumber } from "../core/digits.ts";
import { createShortTexts, type ShortTexts } from "../core/short_texts.ts";
import { isArrivalTime } from "./header_plan.ts";
import type { SchemaField } from "./schema.ts";
import { typeBit } from "./schema.ts";
import type { ReadTime, TimeReader } from "./time.ts";

/** A field that leaves, and the column that it is read from; -1: the header has none. */
export interface PlannedField {
  readonly field: SchemaField;
  readonly column: number;
  /** `"name":` */
  readonly key: string;
}

/** What a plan is made of. */
export interface LineWriterOptions {
  /** Cells of a line. */
  readonly columns: number;
  /** In the order in which they leave. */
  readonly fields: readonly PlannedField[];
  /** ASCII. */
  readonly delimiter: string;
  readonly times: TimeReader;
  /** Times leave as epoch milliseconds. */
  readonly epoch: boolean;
}

/** A {@linkcode LineWriter} that is told the moment for which it writes. */
export interface PlannedWriter extends LineWriter {
  arrive(arrival: Arrival): void;
}

interface Member {
  readonly key: Uint8Array;
  readonly column: number;
  readonly types: number;
  readonly required: boolean;
  /** Without a value it is the time of arrival. */
  readonly isArrival: boolean;
  readonly check: SchemaField["check"];
}

/** A number of JavaScript keeps so many digits, so that digits reckoned up are the number that they mean. */
const exactDigits = 15;
const powersOfTen: readonly number[] = Array.from({ length: exactDigits + 1 }, (_, i) => 10 ** i);

/** Kinds of text by what JSON makes of them. */
const notNumber = 0;
const integer = 1;
const decimal = 2;
const unsure = 3;

const structures = typeBit.object | typeBit.array;
const numbers = typeBit.number | typeBit.integer;
const trueBytes = asciiOf("true");
const falseBytes = asciiOf("false");
const quote = 0x22;
const comma = 0x2c;

/** Longest form of a time as JSON, without a fraction. */
const timeBytesMax = 20;

/** Makes the plan; null where there can be none. */
export function planLineWriter(options: LineWriterOptions): PlannedWriter | null {
  const { columns, times, epoch } = options;
  const delimiter = options.delimiter.charCodeAt(0);
  const members = options.fields.map(memberOf);
  if (!members.every((member) => canWrite(member, epoch))) return null;
  const texts = createShortTexts();
  const days = createDays(times);
  const time: ReadTime = { value: 0, json: "" };
  const ends = new Int32Array(columns);
  let arrivalTime = asciiOf("");
  let tail = asciiOf("");
  let tailOf: Arrival | null = null;
  const extraBytes = members.reduce((sum, { key }) => sum + key.length + timeBytesMax + 4, 128);

  /** Where each cell ends; false when the line is not as many plain cells as there are columns. */
  function split(line: Uint8Array, from: number, stop: number): boolean {
    let cell = 0;
    for (let i = from; i < stop; i++) {
      const byte = line[i] ?? 0;
      if (byte === delimiter) {
        ends[cell] = i;
        cell += 1;
        if (cell === columns) return false;
      } else if (byte < 0x20 || byte > 0x7e || byte === 0x5c) return false;
    }
    ends[cell] = stop;
    return cell + 1 === columns;
  }

  /** Writes key, value and comma; returns where they end, -1 when the normalizer must look at it. */
  function put(member: Member, line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number {
    const { types } = member;
    if (from === stop) return putEmpty(member, into, at);
    const valueAt = copy(member.key, 0, member.key.length, into, at);
    if ((types & typeBit.time) !== 0) return putTime(line, from, stop, into, valueAt);
    if ((types & (numbers | typeBit.boolean)) !== 0) {
      const kind = (types & numbers) === 0 ? notNumber : kindOfNumber(line, from, stop);
      if (kind === unsure || kind === decimal && (types & typeBit.number) === 0) return -1;
      const isWord = kind === notNumber && (types & typeBit.boolean) !== 0 &&
        (isBytes(trueBytes, line, from, stop) || isBytes(falseBytes, line, from, stop));
      if (isWord && member.check !== null) return -1;
      if (kind !== notNumber && member.check !== null) {
        if (stop - from > exactDigits || member.check(numberIn(line, from, stop)) !== null) return -1;
      }
      if (kind !== notNumber || isWord) return closed(copy(line, from, stop, into, valueAt), into);
    }
    if ((types & typeBit.string) === 0) return -1;
    if (member.check !== null && member.check(texts(line, from, stop)) !== null) return -1;
    into[valueAt] = quote;
    const end = copy(line, from, stop, into, valueAt + 1);
    into[end] = quote;
    return closed(end + 1, into);
  }

  function putEmpty(member: Member, into: Uint8Array, at: number): number {
    if (member.isArrival) return putConstant(member.key, arrivalTime, into, at);
    if ((member.types & typeBit.null) !== 0) {
      return member.check === null ? putConstant(member.key, nullBytes, into, at) : -1;
    }
    return member.required ? -1 : at;
  }

  function putTime(line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number {
    // Milliseconds since 1970 are their own JSON.
    if (isMilliseconds(line, from, stop)) return closed(copy(line, from, stop, into, at), into);
    const wholeMs = days(line, from, stop);
    return wholeMs < 0 ? -1 : closed(writeNumber(wholeMs, into, at), into);
  }

  return {
    extraBytes,
    arrive(arrival) {
      if (tailOf?.wallMs === arrival.wallMs && tailOf.origin === arrival.origin) return;
      tailOf = arrival;
      times.write(arrival.wallMs, time);
      arrivalTime = asciiOf(time.json);
      tail = asciiOf(`"origin":"${arrival.origin}","processing_time":${time.json}}`);
    },
    write(line, from, stop, into, at) {
      if (!split(line, from, stop)) return -1;
      into[at] = 0x7b;
      let position = at + 1;
      for (let i = 0; i < members.length; i++) {
        const member = members[i];
        if (member === undefined) return -1;
        const { column } = member;
        position = column < 0
          ? putConstant(member.key, arrivalTime, into, position)
          : put(member, line, column === 0 ? from : (ends[column - 1] ?? 0) + 1, ends[column] ?? 0, into, position);
        if (position < 0) return -1;
      }
      return copy(tail, 0, tail.length, into, position);
    },
  };
}

const nullBytes = asciiOf("null");

function memberOf({ field, column, key }: PlannedField): Member {
  const { types, required, check } = field;
  return { key: new TextEncoder().encode(key), column, types, required, isArrival: isArrivalTime(field), check };
}

/** Whether a member is of a kind that can be written at all. A column that is missing leaves nothing but the time of arrival. */
function canWrite({ column, types, isArrival }: Member, epoch: boolean): boolean {
  if ((types & typeBit.time) !== 0 && !epoch) return false;
  if (column < 0) return isArrival;
  return (types & typeBit.string) !== 0 || (types & structures) === 0;
}

function putConstant(key: Uint8Array, value: Uint8Array, into: Uint8Array, at: number): number {
  return closed(copy(value, 0, value.length, into, copy(key, 0, key.length, into, at)), into);
}

function closed(at: number, into: Uint8Array): number {
  into[at] = comma;
  return at + 1;
}

/** A loop: for some tens of bytes the cheapest way. */
function copy(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  const shift = at - from;
  for (let i = from; i < to; i++) into[i + shift] = bytes[i] ?? 0;
  return to + shift;
}

/** What a cell is by JSON's grammar; unsure where there is an exponent. */
function kindOfNumber(line: Uint8Array, from: number, stop: number): number {
  let at = line[from] === 0x2d ? from + 1 : from;
  const first = at < stop ? line[at] ?? 0 : 0;
  if (!isDigit(first)) return notNumber;
  at = first === 0x30 ? at + 1 : digitsEnd(line, at, stop);
  let kind = integer;
  if (at < stop && line[at] === 0x2e) {
    const end = digitsEnd(line, at + 1, stop);
    if (end === at + 1) return notNumber;
    at = end;
    kind = decimal;
  }
  // 0x20 makes a small letter of a capital one.
  if (at < stop) return ((line[at] ?? 0) | 0x20) === 0x65 ? unsure : notNumber;
  // Beyond this a double may be infinite.
  return stop - from > 300 ? unsure : kind;
}

function digitsEnd(line: Uint8Array, from: number, stop: number): number {
  let at = from;
  while (at < stop && isDigit(line[at] ?? 0)) at += 1;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** A plain number of at most {@linkcode exactDigits} characters: digits and a power of ten are exact, so one division rounds as it must. */
function numberIn(line: Uint8Array, from: number, stop: number): number {
  const negative = line[from] === 0x2d;
  let digits = 0;
  let point = -1;
  for (let i = negative ? from + 1 : from; i < stop; i++) {
    const byte = line[i] ?? 0;
    if (byte === 0x2e) point = i;
    else digits = digits * 10 + byte - 0x30;
  }
  const value = point < 0 ? digits : digits / (powersOfTen[stop - point - 1] ?? 1);
  return negative ? -value : value;
}

/** Whether a cell is a number of milliseconds since 1970, told from other units by its 12 to 14 digits. */
function isMilliseconds(line: Uint8Array, from: number, stop: number): boolean {
  const length = stop - from;
  return length >= 12 && length <= 14 && line[from] !== 0x30 && digitsEnd(line, from, stop) === stop;
}

/** Reads `yyyy-mm-ddThh:mm:ssZ` and `yyyy-mm-ddThh:mm:ss.sssZ`; -1 for anything else and for times before 1970. */
type Days = (line: Uint8Array, from: number, stop: number) => number;

/** Dates are read by the time reader; the last one is kept, for rows of a day follow each other. */
function createDays(times: TimeReader): Days {
  const text: ShortTexts = createShortTexts();
  const time: ReadTime = { value: 0, json: "" };
  const dayBytes = 10;
  let lastDay = new Uint8Array(0);
  let midnightMs = -1;

  return (line, from, stop) => {
    const length = stop - from;
    if (length !== 20 && length !== 24 || line[stop - 1] !== 0x5a || line[from + dayBytes] !== 0x54) return -1;
    if (!isBytes(lastDay, line, from, from + dayBytes)) {
      if (!times.readText(`${text(line, from, from + dayBytes)}T00:00:00Z`, time)) return -1;
      lastDay = line.slice(from, from + dayBytes);
      midnightMs = Number(time.value);
    }
    const clockMs = clockIn(line, from + dayBytes + 1, stop - 1);
    return clockMs < 0 || midnightMs < 0 ? -1 : midnightMs + clockMs;
  };
}

/** ms of the day of `hh:mm:ss` or `hh:mm:ss.sss`, else -1. */
function clockIn(line: Uint8Array, from: number, stop: number): number {
  if (line[from + 2] !== 0x3a || line[from + 5] !== 0x3a) return -1;
  const hour = twoDigits(line, from);
  const minute = twoDigits(line, from + 3);
  const second = twoDigits(line, from + 6);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1;
  const wholeMs = hour * 3_600_000 + minute * 60_000 + second * 1000;
  if (stop - from === 8) return wholeMs;
  const tens = twoDigits(line, from + 9);
  const last = line[from + 11] ?? 0;
  return line[from + 8] !== 0x2e || tens < 0 || !isDigit(last) ? -1 : wholeMs + tens * 10 + last - 0x30;
}

function twoDigits(line: Uint8Array, at: number): number {
  const tens = line[at] ?? 0;
  const ones = line[at + 1] ?? 0;
  return isDigit(tens) && isDigit(ones) ? (tens - 0x30) * 10 + ones - 0x30 : -1;
}

function isBytes(bytes: Uint8Array, line: Uint8Array, from: number, stop: number): boolean {
  if (bytes.length !== stop - from) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== line[from + i]) return false;
  return true;
}

function asciiOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
