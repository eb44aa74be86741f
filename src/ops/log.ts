/**
 * The log: events as lines, for people at a terminal, for journald, or for programs (JSON). One event is one line; whatever an event
 * holds, no control character gets through. An event that repeats itself is cut short and counted.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import type { Event, EventData, Level } from "../core/event.ts";
import { formatCount, printable, printableJson } from "../core/text.ts";

/** Lines of one event name in a window; more are counted, not written. */
const linesPerWindowMax = 30;
const windowMs = 60_000;

/** Names that are kept count of at once; they come from the code, not from outside, so this is only a backstop. */
const namesMax = 1000;

/** Longest text of a message or a value, in characters. */
const textMax = 2000;

/** How a log is written. */
export interface LogOptions {
  /** `text`: with time, for terminals and files. `journal`: with journald's priority in front, without time. */
  readonly format: "text" | "json" | "journal";
  /** The least level that is written. */
  readonly level: Level;
  readonly colour: boolean;
  readonly clock: Clock;
  /** Takes whole lines, with their line break. Must not throw. */
  readonly write: (line: string) => void;
}

/** A listener of events. */
export interface Log {
  take(event: Event): void;
  /** Says what was left out so far; at the end. */
  flush(): void;
}

/** Makes a {@linkcode Log}. */
export function createLog(options: LogOptions): Log {
  const { clock } = options;
  const windows = new Map<string, { endsMs: number; level: Level; lines: number; leftOut: number }>();

  function write(event: Event): void {
    options.write(`${lineOf(event, options)}\n`);
  }

  function close(name: string): void {
    const window = windows.get(name);
    windows.delete(name);
    if (window === undefined || window.leftOut === 0) return;
    write({
      level: window.level,
      name: "log.lines_left_out",
      message: `${formatCount(window.leftOut)} more lines like the last "${name}" were left out`,
      data: { event: name, left_out: window.leftOut },
    });
  }

  function closeEnded(nowMs: number): void {
    for (const [name, window] of windows) if (window.endsMs <= nowMs || windows.size > namesMax) close(name);
  }

  return {
    take(event) {
      if (severity[event.level] < severity[options.level]) return;
      const nowMs = clock.nowMs();
      closeEnded(nowMs);
      const window = windows.get(event.name) ?? { endsMs: nowMs + windowMs, level: event.level, lines: 0, leftOut: 0 };
      windows.set(event.name, window);
      if (window.lines >= linesPerWindowMax) window.leftOut += 1;
      else {
        window.lines += 1;
        write(event);
      }
    },
    flush() {
      for (const name of [...windows.keys()]) close(name);
    },
  };
}

const severity: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** syslog(3) priorities, as journald reads them in front of a line (sd-daemon(3)). */
const priority: Readonly<Record<Level, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

const word: Readonly<Record<Level, string>> = { debug: "debug", info: "info ", warn: "WARN ", error: "ERROR" };

const sgrOf: Readonly<Record<Level, string>> = { debug: "2", info: "36", warn: "33", error: "1;31" };

function lineOf(event: Event, options: LogOptions): string {
  if (options.format === "json") return jsonLine(event, options.clock);
  const message = printable(event.message, textMax);
  const more = details(event.data, message);
  if (options.format === "journal") return `<${priority[event.level]}>${message}${more === "" ? "" : ` (${more})`}`;
  const time = new Date(options.clock.wallMs()).toISOString();
  if (!options.colour) return `${time} ${word[event.level]} ${message}${more === "" ? "" : `  (${more})`}`;
  const level = sgr(sgrOf[event.level], word[event.level]);
  return `${sgr("2", time)} ${level} ${message}${more === "" ? "" : sgr("2", `  (${more})`)}`;
}

/** The data that a person would miss, as `key=value`: neither said in the message nor nothing (0, null). JSON has all of it. */
function details(data: EventData, message: string): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null && value !== 0 && typeof value !== "boolean" && !says(message, value))
    .map(([key, value]) => `${printable(key)}=${valueText(value)}`)
    .join(" ");
}

function says(message: string, value: string | number | boolean | null): boolean {
  if (typeof value === "number") return message.includes(String(value)) || message.includes(formatCount(value));
  return message.includes(printable(String(value), textMax));
}

function valueText(value: string | number | boolean | null): string {
  const text = printable(String(value), textMax);
  return /^[^\s"=()]+$/.test(text) ? text : JSON.stringify(text);
}

function jsonLine(event: Event, clock: Clock): string {
  const text = JSON.stringify({
    time: new Date(clock.wallMs()).toISOString(),
    level: event.level,
    event: event.name,
    message: event.message,
    ...(Object.keys(event.data).length === 0 ? {} : { data: event.data }),
  });
  return printableJson(text);
}

function sgr(codes: string, text: string): string {
  return `\u001b[${codes}m${text}\u001b[0m`;
}
