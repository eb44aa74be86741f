/**
 * The quick way from a plain CSV line (no quotes) to the JSON text of its reading: byte by byte, with a plan made once for all lines under a
 * header. It gives exactly the bytes that the normalizer gives, or gives up (-1) and leaves the line to it: whatever is rare, has to be
 * explained to somebody, or is not sure, is not done here.
 *
 * ```text
 *   {"device_id":"press-1","value":21.5,...,"origin":"batch","processing_time":1767225600000}
 *    key         cell,     key     cell      the tail, the same for all lines of a moment
 * ```
 *
 * Between the last cell and the tail the operator's rules are carried out (`row_end.ts`).
 *
 * @module
 */
import type { LineWriter } from "../core/decoder.ts";
import { bytesOf, isBytes } from "./bytes.ts";
import { extraBytesOf, type Member, memberOf, type MemberWriter, type PlannedField } from "./member_writer.ts";
import { kindOfNumber, notNumber, unsure } from "./number_bytes.ts";
import { planRowEnd } from "./row_end.ts";
import type { Rules } from "./rules.ts";
import { typeBit } from "./schema.ts";

/** What a plan is made of. */
export interface LineWriterOptions {
  /** Cells of a line. */
  readonly columns: number;
  /** In the order in which they leave. */
  readonly fields: readonly PlannedField[];
  /** ASCII. */
  readonly delimiter: string;
  /** Is told the moment for which it writes by who owns it. */
  readonly members: MemberWriter;
  readonly rules: Rules | null;
}

const structures = typeBit.object | typeBit.array;
const numbers = typeBit.number | typeBit.integer;
const trueBytes = bytesOf("true");
const falseBytes = bytesOf("false");

/** Makes the plan; null where there can be none. */
export function planLineWriter(options: LineWriterOptions): LineWriter | null {
  const { columns, rules } = options;
  const { putArrival, putEmpty, putTime, putString, putDigits, putWord } = options.members;
  const delimiter = options.delimiter.charCodeAt(0);
  const members = options.fields.map(memberOf);
  if (!members.every(canWrite)) return null;
  const end = planRowEnd({ list: members, members: options.members, rules });
  const { starts } = end;
  const ends = new Int32Array(columns);

  /** Where each cell ends; false when the line is not as many plain cells as there are columns. */
  function split(line: Uint8Array, from: number, stop: number): boolean {
    let cell = 0;
    for (let i = from; i < stop; i++) {
      const byte = line[i] ?? 0;
      if (byte === delimiter) {
        ends[cell] = i;
        cell += 1;
        if (cell === columns) return false;
      } else if (byte < 0x20 || byte === 0x5c) return false;
    }
    ends[cell] = stop;
    return cell + 1 === columns;
  }

  /** Writes key, value and comma. */
  function put(member: Member, line: Uint8Array, from: number, stop: number, into: Uint8Array, at: number): number {
    const { types } = member;
    if (from === stop) return putEmpty(member, into, at);
    if ((types & typeBit.time) !== 0) return putTime(member, line, from, stop, into, at);
    if ((types & numbers) !== 0) {
      const kind = kindOfNumber(line, from, stop);
      if (kind === unsure) return -1;
      if (kind !== notNumber) return putDigits(member, line, from, stop, kind, into, at);
    }
    if (
      (types & typeBit.boolean) !== 0 && (isBytes(trueBytes, line, from, stop) || isBytes(falseBytes, line, from, stop))
    ) {
      return putWord(member, line, from, stop, into, at);
    }
    return putString(member, line, from, stop, into, at);
  }

  return {
    extraBytes: extraBytesOf(members) + end.extraBytes,
    write(line, from, stop, into, at) {
      if (!split(line, from, stop)) return -1;
      into[at] = 0x7b;
      let position = at + 1;
      for (let i = 0; i < members.length; i++) {
        const member = members[i];
        if (member === undefined) return -1;
        const { column } = member;
        starts[i] = position;
        position = column < 0
          ? putArrival(member, into, position)
          : put(member, line, column === 0 ? from : (ends[column - 1] ?? 0) + 1, ends[column] ?? 0, into, position);
        if (position < 0) return -1;
      }
      starts[members.length] = position;
      return end.put(into, position);
    },
  };
}

/** Whether a member is of a kind that can be written at all. A column that is missing leaves nothing but the time of arrival. */
function canWrite({ column, types, isArrival }: Member): boolean {
  if (column < 0) return isArrival;
  return (types & typeBit.string) !== 0 || (types & structures) === 0;
}
