/**
 * NDJSON (JSON Lines): one JSON object a line, streamed in constant memory, resumable after any line. A bad line is reported and reading
 * goes on at the next one. Empty lines are skipped and are not rows.
 *
 * @module
 */
import type { BadRow, Decoder, DecoderState, Row, TakeLine } from "../core/decoder.ts";
import type { Reason } from "../core/reading.ts";
import { formatBytes } from "../core/text.ts";
import { parseObject } from "./json_value.ts";
import { createLineRuns, lineEndIn, lineStopIn, runBytes } from "./line_runs.ts";

/** Limits of JSON decoders. */
export interface JsonOptions {
  /** Longest line or array element in bytes. */
  readonly rowBytesMax: number;
}

/**
 * Makes an NDJSON decoder.
 *
 * @param state where to go on, or null to begin at byte 0
 */
export function createNdjsonDecoder(options: JsonOptions, state: DecoderState | null): Decoder {
  const { rowBytesMax } = options;
  const lines = createLineRuns(state?.byte ?? 0, rowBytesMax);
  let row = state?.row ?? 0;
  /** File offset of the next line, and its place in the text of the run. */
  let next = lines.at;
  let textAt = 0;
  /** The line over the limit that this pull gave, if any. */
  let longStart = -1;

  const badRow = (start: number, reason: Reason, detail: string): BadRow => {
    row += 1;
    return { kind: "bad", row, start, end: next, reason, detail };
  };

  const readText = (text: string, start: number): Row | null => {
    // U+FEFF may stand at the beginning of the file only.
    const content = start === 0 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    if (isBlank(content)) return null;
    const parsed = parseObject(content);
    if (parsed.object === null) return badRow(start, parsed.reason, parsed.detail);
    row += 1;
    return { kind: "object", row, start, end: next, object: parsed.object, text: content };
  };

  /** The line at `next`, or null when it is empty. */
  const readLine = (): Row | null => {
    const { latin, text } = lines;
    const start = next;
    const at = start - lines.at;
    const end = lineEndIn(latin, at);
    next = lines.at + end;
    const from = textAt;
    if (text !== null) textAt = text === latin ? end : lineEndIn(text, from);
    if (end - at > rowBytesMax) return badRow(start, "too_long", tooLong(end - at));
    if (text !== null) return readText(text.slice(from, textAt), start);
    const line = lines.window.utf8(start, next);
    if (line === null) return badRow(start, "invalid_utf8", `A line of ${end - at} bytes is not valid UTF-8`);
    return readText(line, start);
  };

  /** Whether the line at `next` was taken as it is. */
  const isTaken = (take: TakeLine): boolean => {
    const { latin, text } = lines;
    if (text === null) return false;
    const at = next - lines.at;
    const end = lineEndIn(latin, at);
    if (end - at > rowBytesMax) return false;
    if (!take(lines.bytes, at, lineStopIn(latin, at, end), row + 1, next, lines.at + end)) return false;
    row += 1;
    next = lines.at + end;
    textAt = text === latin ? end : lineEndIn(text, textAt);
    return true;
  };

  const tooLong = (bytes: number): string =>
    `The line has ${formatBytes(bytes)}, over the limit of ${formatBytes(rowBytesMax)}; only its beginning is kept`;

  return {
    format: "ndjson",
    push(chunk) {
      lines.push(chunk, next);
    },
    end() {
      lines.end();
    },
    pull(maxRows, into, take) {
      let given = 0;
      longStart = -1;
      while (given < maxRows) {
        if (next >= lines.at + lines.latin.length) {
          const loaded = lines.load(next, runBytes);
          if (loaded === "wait" || loaded === "done") break;
          textAt = 0;
          if (loaded === "long") {
            longStart = next;
            next = lines.longEnd;
            into.push(badRow(longStart, "too_long", tooLong(next - longStart)));
            return given + 1;
          }
        }
        if (take !== undefined && isTaken(take)) {
          given += 1;
          continue;
        }
        const read = readLine();
        if (read === null) continue;
        into.push(read);
        given += 1;
        // What is taken stands before what is appended.
        if (take !== undefined) break;
      }
      return given;
    },
    raw(of) {
      if (of.start === longStart) return lines.longPrefix;
      return lines.window.view(of.start, Math.min(of.end, of.start + rowBytesMax));
    },
    stateAfter(of) {
      return { format: "ndjson", byte: of.end, row: of.row, header: null, delimiter: null, insideArray: false };
    },
  };
}

/** Whether a line holds nothing but JSON's white space. */
function isBlank(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return false;
  }
  return true;
}
