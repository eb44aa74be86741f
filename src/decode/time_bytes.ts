/**
 * Times in the bytes of a line: the usual forms, read without making a text of each.
 *
 * @module
 */
import { createShortTexts, type ShortTexts } from "../core/short_texts.ts";
import { isBytes } from "./bytes.ts";
import { digitsEnd, isDigit } from "./number_bytes.ts";
import type { ReadTime, TimeReader } from "./time.ts";

/** A number of seconds since 1970 has so many digits at most (until the year 5138), one of milliseconds more (from 1973 on). */
export const secondsDigitsMax = 11;

/** The digits of a whole number of seconds or milliseconds since 1970; 0 for what is none, and for other units. */
export function epochDigits(line: Uint8Array, from: number, stop: number): number {
  const length = stop - from;
  return length >= 1 && length <= 14 && line[from] !== 0x30 && digitsEnd(line, from, stop) === stop ? length : 0;
}

/** Reads `yyyy-mm-ddThh:mm:ssZ` and `yyyy-mm-ddThh:mm:ss.sssZ`; -1 for anything else and for times before 1970. */
export type Days = (line: Uint8Array, from: number, stop: number) => number;

/** Dates are read by the time reader; the last one is kept, for rows of a day follow each other. */
export function createDays(times: TimeReader): Days {
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
