/**
 * Text for people: what comes from outside (topics, file names, payloads) is hostile and is escaped here before it reaches a
 * terminal or a log; sizes, rates and durations are written one way everywhere.
 *
 * @module
 */

/** Controls, formats (bidirectional overrides, zero widths, BOM), line and paragraph separators, lone surrogates. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Makes text from outside safe to print: control characters, bidirectional overrides and lone surrogates become `\u00xx`, and what is
 * longer than `maxChars` is cut with a mark.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(printable("a\u001b[31mb\n"), "a\\u001b[31mb\\u000a");
 * ```
 */
export function printable(text: string, maxChars = 300): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}... (${text.length} characters)` : text;
  return cut.replace(unprintable, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

/** `printable` in quotes, for values inside messages. */
export function quoted(text: string, maxChars = 120): string {
  return `"${printable(text, maxChars)}"`;
}

/** A size for people: `317 B`, `1.5 KiB`, `256 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ""}`;
}

/** A duration for people: `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "unknown";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A count for people, with thousands separated: `1,234,567`. */
export function formatCount(count: number): string {
  return Math.round(count).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/**
 * JSON text made safe to print: JSON leaves DEL, C1 controls and bidirectional overrides as they are; as `\u` escapes it is the same JSON.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(printableJson('"\u202e"'), '"\\u202e"');
 * ```
 */
export function printableJson(json: string): string {
  return json.replace(
    unprintable,
    (c) => [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** A message as a sentence that another one may follow: with a full stop, unless it asks something. */
export function sentence(message: string): string {
  return message.endsWith("?") ? message : `${message}.`;
}
