/**
 * Times in, times out: ISO 8601 with or without a zone, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970 by
 * its magnitude; out as epoch milliseconds or as ISO 8601 in UTC. What is finer than a millisecond keeps its decimals.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import { isJsonNumber, isPlainInteger } from "./digits.ts";

/** How times are read and written. */
export interface TimeOptions {
  /** IANA name of the zone of times that name none: `UTC`, `Europe/Berlin`. */
  readonly timeZone: string;
  /** `epoch`: a number of milliseconds since 1970. `iso`: a string such as `2026-01-31T08:15:00.000Z`. */
  readonly timeFormat: "epoch" | "iso";
}

/** A time that was read; reused from row to row. */
export interface ReadTime {
  /** As the rules and templates see it: epoch milliseconds, or the ISO text. */
  value: number | string;
  /** As JSON. */
  json: string;
}

/** Reads and writes times. */
export interface TimeReader {
  /** Reads a time as text, ISO 8601 or a number; false when it is none. */
  readText(text: string, into: ReadTime): boolean;
  /** Reads a number since 1970. */
  readNumber(value: number, into: ReadTime): boolean;
  /** Writes a wall-clock time. */
  write(wallMs: number, into: ReadTime): void;
}

/**
 * Makes a {@linkcode TimeReader}.
 *
 * @throws {WeirError} `configuration` when the zone is not known
 */
export function createTimeReader(options: TimeOptions): TimeReader {
  const offsetOf = zoneOffsets(options.timeZone);
  const iso = options.timeFormat === "iso";
  /** The last text read and what it came to: rows of one moment follow each other. */
  let lastText = "";
  let lastWholeMs = 0;
  let lastFraction = "";
  /** The last date read, as text and as ms: only the time of the day has to be read of the next one. */
  let lastDay = "";
  let lastMidnightMs = 0;

  const give = (wholeMs: number, fraction: string, into: ReadTime): boolean => {
    if (!(Math.abs(wholeMs) <= timeMsMax)) return false;
    if (iso) {
      const text = new Date(wholeMs).toISOString();
      into.value = fraction === "" ? text : `${text.slice(0, -1)}${fraction}Z`;
      into.json = `"${into.value}"`;
    } else if (fraction === "") {
      into.value = wholeMs;
      into.json = String(wholeMs);
    } else {
      into.json = withFraction(wholeMs, fraction);
      into.value = Number(into.json);
    }
    return true;
  };

  const readEpoch = (text: string, into: ReadTime): boolean => {
    const value = Number(text);
    if (Number.isInteger(value) && Math.abs(value) >= secondsMax && Math.abs(value) < millisecondsMax) {
      if (iso || !isPlainInteger(text)) return give(value, "", into);
      // Milliseconds since 1970 are their own JSON: no need to make the text once more.
      into.value = value;
      into.json = text;
      return true;
    }
    const plain = /[eE]/.test(text) ? plainDecimal(value) : text;
    if (plain === null) return false;
    const magnitude = Math.abs(value);
    const shift = magnitude < secondsMax ? 3 : magnitude < millisecondsMax ? 0 : magnitude < microsecondsMax ? -3 : -6;
    const { whole, fraction } = shiftPoint(plain, shift);
    // The fraction counts upwards from the whole: -0.25 is 0.75 after -1.
    if (plain.startsWith("-") && fraction !== "") return give(-whole - 1, complement(fraction), into);
    return give(plain.startsWith("-") ? -whole : whole, fraction, into);
  };

  return {
    readText(text, into) {
      if (text === lastText && text !== "") return give(lastWholeMs, lastFraction, into);
      if (lastDay !== "" && text.startsWith(lastDay)) {
        const dayMs = readUtcClock(text);
        if (dayMs >= 0) return give(lastMidnightMs + dayMs, "", into);
      }
      const trimmed = text.trim();
      if (isJsonNumber(trimmed)) return readEpoch(trimmed, into);
      const parsed = parseIso(trimmed, offsetOf);
      if (parsed === null) return false;
      lastText = text;
      lastWholeMs = parsed.wholeMs;
      lastFraction = parsed.fraction;
      lastDay = trimmed.slice(0, 10);
      lastMidnightMs = parsed.midnightMs;
      return give(parsed.wholeMs, parsed.fraction, into);
    },
    readNumber: (value, into) => Number.isFinite(value) && readEpoch(String(value), into),
    write(wallMs, into) {
      give(Math.floor(wallMs), "", into);
    },
  };
}

/** Numbers below this are seconds (until the year 5138), then milliseconds (from 1973), microseconds and nanoseconds. */
const secondsMax = 1e11;
const millisecondsMax = 1e14;
const microsecondsMax = 1e17;
/** The range of ECMAScript's `Date`. */
const timeMsMax = 8.64e15;

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

interface IsoTime {
  readonly wholeMs: number;
  /** Midnight of the date as if it were in UTC. */
  readonly midnightMs: number;
  /** Digits beyond the milliseconds, without trailing zeros. */
  readonly fraction: string;
}

/** Reads ISO 8601 (RFC 3339 with a space for `T`, without seconds or zone, or a date alone). */
function parseIso(text: string, offsetOf: (localMs: number) => number): IsoTime | null {
  const match = isoPattern.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", decimals = "", zone] = match;
  const midnightMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date.UTC takes years below 100 as 19xx, and rolls the 31st of February over: such dates are refused.
  const date = new Date(midnightMs);
  if (date.getUTCDate() !== Number(day) || date.getUTCMonth() !== Number(month) - 1) return null;
  if (date.getUTCFullYear() !== Number(year)) return null;
  // Second 60 is a leap second: the next minute's first moment.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const localMs = midnightMs + Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1000 +
    Number(decimals.slice(0, 3).padEnd(3, "0"));
  const offsetMs = zone === undefined ? offsetOf(localMs) : zoneOffsetMs(zone);
  if (offsetMs === null) return null;
  return {
    wholeMs: localMs - offsetMs,
    midnightMs,
    fraction: decimals.length > 3 ? decimals.slice(3).replace(/0+$/, "") : "",
  };
}

/** The ms of the day in the usual form `yyyy-mm-ddThh:mm:ssZ` or `yyyy-mm-ddThh:mm:ss.sssZ`, else -1; the date is not looked at. */
function readUtcClock(text: string): number {
  const withMs = text.length === 24;
  if (!withMs && text.length !== 20) return -1;
  if (text.charCodeAt(text.length - 1) !== 0x5a || text.charCodeAt(10) !== 0x54) return -1;
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return -1;
  const hour = digitsAt(text, 11, 2);
  const minute = digitsAt(text, 14, 2);
  const second = digitsAt(text, 17, 2);
  const ms = withMs ? (text.charCodeAt(19) === 0x2e ? digitsAt(text, 20, 3) : -1) : 0;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || ms < 0) return -1;
  return hour * 3_600_000 + minute * 60_000 + second * 1000 + ms;
}

/** `count` digits as a number, -1 when there is anything else. */
function digitsAt(text: string, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function zoneOffsetMs(zone: string): number | null {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = zone.length > 3 ? Number(zone.slice(-2)) : 0;
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Offsets are looked up by the quarter of an hour: no zone changes its offset in between. */
const quarterMs = 15 * 60_000;
const cachedQuartersMax = 1024;

/**
 * Offset from UTC, in ms, of a local time in a zone. A local time that comes twice (clocks go back) is the first of the two; one that is
 * skipped (clocks go forward) is moved on by the gap: what Temporal calls `compatible`.
 */
function zoneOffsets(timeZone: string): (localMs: number) => number {
  // Without the engine's tables of zones and languages, which are 9 MB.
  if (/^(?:Etc\/)?(?:UTC|GMT)$/i.test(timeZone)) return () => 0;
  const format = zoneFormat(timeZone);
  const cache = new Map<number, number>();
  const offsetAt = (utcMs: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(utcMs)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(utcMs / 1000) * 1000;
  };
  return (localMs) => {
    const quarter = Math.floor(localMs / quarterMs);
    const known = cache.get(quarter);
    if (known !== undefined) return known;
    const at = quarter * quarterMs;
    // Before and after any change that is near: a day on either side is enough.
    const before = offsetAt(at - 86_400_000);
    const after = offsetAt(at + 86_400_000);
    const fits = (offset: number): boolean => offsetAt(at - offset) === offset;
    const offset = fits(before) || !fits(after) ? before : after;
    if (cache.size >= cachedQuartersMax) cache.clear();
    cache.set(quarter, offset);
    return offset;
  };
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (cause) {
    throw new WeirError("configuration", `The time zone ${quoted(timeZone)} is not known`, {
      advice: 'Give the IANA name of a zone, such as "UTC" or "Europe/Berlin"',
      cause,
    });
  }
}

/** A decimal number, sign left out, with its point moved `places` to the right: its whole part and the digits behind the point. */
function shiftPoint(text: string, places: number): { readonly whole: number; readonly fraction: string } {
  const unsigned = text.startsWith("-") ? text.slice(1) : text;
  const point = unsigned.indexOf(".");
  const digits = unsigned.replace(".", "");
  const at = (point < 0 ? unsigned.length : point) + places;
  const whole = at <= 0 ? "0" : digits.slice(0, at).padEnd(at, "0");
  const fraction = at <= 0 ? "0".repeat(-at) + digits : digits.slice(at);
  return { whole: Number(whole), fraction: fraction.replace(/0+$/, "") };
}

/** 1 minus a fraction, digit by digit. */
function complement(fraction: string): string {
  return (10n ** BigInt(fraction.length) - BigInt(fraction)).toString().padStart(fraction.length, "0");
}

function withFraction(wholeMs: number, fraction: string): string {
  if (wholeMs >= 0) return `${wholeMs}.${fraction}`;
  return `-${-wholeMs - 1}.${complement(fraction)}`;
}

/** A number that was written with an exponent, without one. */
function plainDecimal(value: number): string | null {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return null;
  return Math.abs(value) < 1e-6 ? "0" : String(value);
}
