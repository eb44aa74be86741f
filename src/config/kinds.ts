/**
 * The kinds of values that several settings share: counts, sizes, times, rates, paths, choices. All read text, so that a flag, an
 * environment variable and a key of the config file mean the same by the same words.
 *
 * @module
 */
import { type Kind, kind, refuse } from "./kind.ts";

/** On or off. */
export const toggle: Kind<boolean> = kind({
  placeholder: "",
  allowed: "true or false",
  boolean: true,
  parse: (text) => text === "true" ? true : text === "false" ? false : refuse(),
});

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return kind<T>({
    placeholder: words.join("|"),
    allowed: `one of ${words.join(", ")}`,
    choices: words,
    parse: (text) => words.find((word) => word === text) ?? refuse(),
  });
}

/** One of a few words, some of which are numbers in YAML; each with what it means. */
export function oneMeaning<T>(...meanings: readonly (readonly [word: string, meaning: T])[]): Kind<T> {
  const words = meanings.map(([word]) => word);
  return kind<T>({
    placeholder: words.join("|"),
    allowed: `one of ${words.join(", ")}`,
    choices: words,
    number: "integer",
    parse(text) {
      const found = meanings.find(([word]) => word === text);
      return found === undefined ? refuse() : found[1];
    },
  });
}

/** A whole number within limits. */
export function count(min: number, max: number): Kind<number> {
  return kind({
    placeholder: "N",
    allowed: `a whole number from ${min} to ${max}`,
    number: "integer",
    parse(text) {
      const value = wholeNumber(text);
      return value === null || value < min || value > max ? refuse() : value;
    },
  });
}

/** Text that fits a pattern. */
export function text(placeholder: string, allowed: string, pattern: RegExp): Kind<string> {
  return kind({ placeholder, allowed, number: "decimal", parse: (value) => pattern.test(value) ? value : refuse() });
}

/** A path; made absolute later, against the folder of whoever wrote it. */
export const path: Kind<string> = kind({
  placeholder: "PATH",
  allowed: "a path",
  parse: (value) => value === "" || value.includes("\0") ? refuse() : value,
});

const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A size in bytes: `256MiB`, `1.5GB`, or a bare number of bytes. */
export function size(minBytes: number): Kind<number> {
  return kind({
    placeholder: "SIZE",
    allowed: `a size like 64KiB, 256MiB or 2GiB (a bare number is bytes), at least ${minBytes} bytes`,
    number: "integer",
    parse(value) {
      const bytes = measure(value, sizeUnits);
      return bytes === null || bytes < minBytes ? refuse() : Math.round(bytes);
    },
  });
}

/** A {@linkcode size}, or `none`. */
export function sizeOrNone(minBytes: number): Kind<number | "none"> {
  return orNone(size(minBytes), "SIZE|none");
}

/** A {@linkcode size}, or `0` for none. */
export function sizeOrZero(minBytes: number): Kind<number> {
  const inner = size(minBytes);
  return kind({
    placeholder: "SIZE",
    allowed: `${inner.allowed}, or 0 for none`,
    number: "integer",
    parse(value) {
      if (value === "0") return 0;
      const parsed = inner.parse(value);
      return parsed.ok ? parsed.value : refuse();
    },
  });
}

const timeUnits: Readonly<Record<string, number>> = {
  "": 1000,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time in ms: `250ms`, `10s`, `5m`, `24h`, `7d`, `1h30m`, or a bare number of seconds. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  return kind({
    placeholder: "TIME",
    allowed: `a time like 500ms, 10s, 5m, 24h or 7d (a bare number is seconds), from ${briefTime(minMs)} to ${
      briefTime(maxMs)
    }`,
    number: "decimal",
    parse(value) {
      const ms = durationMs(value);
      return ms === null || ms < minMs || ms > maxMs ? refuse() : ms;
    },
  });
}

/** A {@linkcode duration}, or `none`. */
export function durationOrNone(minMs: number, maxMs: number): Kind<number | "none"> {
  return orNone(duration(minMs, maxMs), "TIME|none");
}

/** The ms of a time like `1h30m`; null when it is none. */
export function durationMs(value: string): number | null {
  if (/^\d+(\.\d+)?$/.test(value)) return measure(value, timeUnits);
  const parts = value.match(/\d+(?:\.\d+)?[a-z]+/gi) ?? [];
  if (parts.length === 0 || parts.join("") !== value) return null;
  let totalMs = 0;
  for (const part of parts) {
    const ms = measure(part, timeUnits);
    if (ms === null) return null;
    totalMs += ms;
  }
  return Math.round(totalMs);
}

/** A rate in rows/s: `500` or `500/s`. */
export function rate(min: number): Kind<number> {
  return kind({
    placeholder: "RATE",
    allowed: `whole rows a second like 500 or 500/s, from ${min} to ${rateMax}`,
    number: "integer",
    parse(value) {
      const rows = wholeNumber(value.replace(/\/s$/, ""));
      return rows === null || rows < min || rows > rateMax ? refuse() : rows;
    },
  });
}

/** A {@linkcode rate}, or `none`. */
export function rateOrNone(min: number): Kind<number | "none"> {
  return orNone(rate(min), "RATE|none");
}

/** A rate in bytes/s: `2MiB/s`, `500KiB`, `none`. */
export const byteRateOrNone: Kind<number | "none"> = kind<number | "none">({
  placeholder: "SIZE/s|none",
  allowed: "bytes a second like 512KiB/s or 2MiB/s (a bare number is bytes a second), at least 1KiB/s, or none",
  number: "integer",
  parse(value) {
    if (value === "none") return "none";
    const bytes = measure(value.replace(/\/s$/, ""), sizeUnits);
    return bytes === null || bytes < 1024 ? refuse() : Math.round(bytes);
  },
});

/** The name of a time zone. */
export const timeZone: Kind<string> = kind({
  placeholder: "ZONE",
  allowed: "a time zone like UTC or Europe/Berlin",
  parse(value) {
    try {
      // The usual zone, and the engine's tables of zones and languages are 9 MB.
      if (value === "UTC") return value;
      return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone;
    } catch {
      return refuse();
    }
  },
});

/** A moment: so long ago, or at a time of the calendar. */
export type Moment = { readonly agoMs: number } | { readonly atMs: number };

/** `2h` (ago) or an ISO 8601 time; without a zone it is UTC. */
export const moment: Kind<Moment> = kind<Moment>({
  placeholder: "WHEN",
  allowed: "a time ago like 2h or 7d, or a moment like 2026-03-01 or 2026-03-01T08:00:00Z (UTC when it names no zone)",
  parse(value) {
    const agoMs = /[a-z]$/.test(value) ? durationMs(value) : null;
    if (agoMs !== null) return { agoMs };
    const form = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(value);
    if (form === null) return refuse();
    const atMs = Date.parse(form[1] !== undefined && form[4] === undefined ? `${value}Z` : value);
    return Number.isNaN(atMs) ? refuse() : { atMs };
  },
});

/** The whole number that a text is; null when it is none, or too large to be exact. */
export function wholeNumber(value: string): number | null {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(number) ? number : null;
}

/** More rows a second than any machine of this size sends. */
const rateMax = 10_000_000;

function measure(value: string, units: Readonly<Record<string, number>>): number | null {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(value) ?? [];
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  if (number === "" || factor === undefined) return null;
  const total = Number(number) * factor;
  return total <= Number.MAX_SAFE_INTEGER ? total : null;
}

function orNone(inner: Kind<number>, placeholder: string): Kind<number | "none"> {
  return kind<number | "none">({
    placeholder,
    allowed: `${inner.allowed}, or none`,
    number: "decimal",
    parse(value) {
      if (value === "none") return "none";
      const parsed = inner.parse(value);
      return parsed.ok ? parsed.value : refuse();
    },
  });
}

function briefTime(ms: number): string {
  if (ms > 0 && ms % 86_400_000 === 0) return `${ms / 86_400_000}d`;
  if (ms > 0 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
