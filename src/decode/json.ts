/**
 * JSON files: one top-level array of objects, or objects one after the other, on one line or on many; streamed in constant memory and
 * resumable after any element. The end of each element is found by counting brackets; then the element is parsed on its own, so that a
 * bad one costs only itself. What is not balanced cannot be read on: nobody knows where the next element begins.
 *
 * ```text
 *   top level --[--> in the array --element--> after it --,--> in the array
 *       ^                 |                       |
 *       +--------]--------+-----------]-----------+
 * ```
 *
 * @module
 */
import type { BadRow, Decoder, DecoderState, Row } from "../core/decoder.ts";
import { WeirError } from "../core/error.ts";
import type { Reason } from "../core/reading.ts";
import { formatBytes, quoted } from "../core/text.ts";
import { createByteWindow } from "./byte_window.ts";
import { isClosing, isOpening, isSpace } from "./json_scan.ts";
import { parseObject } from "./json_value.ts";
import type { JsonOptions } from "./ndjson.ts";

/** Where the reader is between elements. */
type Place =
  /** Outside an array: an element or an array may begin. */
  | "top"
  /** Behind `[`: an element or `]`. */
  | "array_begin"
  /** Behind `,`: an element. */
  | "array_next"
  /** Behind an element of an array: `,` or `]`. */
  | "array_after";

interface Side {
  readonly fromRow: number;
  readonly insideArray: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openArray = 0x5b;
const closeArray = 0x5d;

/**
 * Makes a JSON decoder.
 *
 * @param state where to go on, or null to begin at byte 0
 */
export function createJsonDecoder(options: JsonOptions, state: DecoderState | null): Decoder {
  const { rowBytesMax } = options;
  const window = createByteWindow(state?.byte ?? 0);
  let ended = false;
  let row = state?.row ?? 0;
  let place: Place = state?.insideArray === true ? "array_after" : "top";
  let atFileStart = (state?.byte ?? 0) === 0;
  /** File offset of the byte to look at next. */
  let at = window.end;

  /** The element that is being scanned, from its first byte; -1 between elements. */
  let start = -1;
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** The beginning of an element over the limit, kept while the rest goes by. */
  let longPrefix: Uint8Array | null = null;
  /** From which row on elements stand inside an array, or outside: one entry a change, forgotten as `stateAfter` moves on. */
  let sides: readonly Side[] = [{ fromRow: row, insideArray: place !== "top" }];
  let longStart = -1;

  const skipByteOrderMark = (): boolean => {
    if (window.end < 3 && !ended) return false;
    if (window.byteAt(0) === 0xef && window.byteAt(1) === 0xbb && window.byteAt(2) === 0xbf) at = 3;
    atFileStart = false;
    return true;
  };

  /** Why the file cannot be read on. Thrown by a `pull` that has no row to give: one that throws must not swallow the rows before it. */
  let failure: WeirError | null = null;

  const currentFailure = (): WeirError | null => failure;

  /** Notes the failure; false, like every search that found nothing. */
  const fail = (what: string): false => {
    failure = new WeirError("bad_file", `The JSON cannot be read on at byte ${at}: ${what}`, {
      advice: "Repair the file and drop it again; rows before this place have been read",
    });
    return false;
  };

  /** Goes to the first byte of the next element; false when more bytes are needed or the file is at its end. */
  const findElement = (): boolean => {
    for (; at < window.end; at++) {
      const code = window.byteAt(at);
      if (isSpace(code)) continue;
      if (place === "array_after") {
        if (code === comma) place = "array_next";
        else if (code === closeArray) place = "top";
        else return fail(`${shown(code)} stands where "," or "]" is wanted`);
      } else if (code === closeArray && place === "array_begin") place = "top";
      else if (code === openArray && place === "top") place = "array_begin";
      else if (code === comma || code === closeArray) return fail(`${shown(code)} stands where a value is wanted`);
      else {
        start = at;
        return true;
      }
    }
    if (ended && place !== "top") return fail('the array is not closed by "]"');
    return false;
  };

  /** Goes behind the element that begins at `start`; false when more bytes are needed. */
  const findEnd = (): boolean => {
    const bytes = window.view(at, window.end);
    const first = window.byteAt(start);
    const isScalar = depth === 0 && !inString && !isOpening(first) && first !== quote;
    for (let i = 0; i < bytes.length; i++) {
      const code = bytes[i] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (code === backslash) escaped = true;
        else if (code === quote) {
          inString = false;
          if (depth === 0) return foundEnd(i + 1);
        }
      } else if (isScalar) {
        if (isSpace(code) || code === comma || code === closeArray) return foundEnd(i);
      } else if (code === quote) inString = true;
      else if (isOpening(code)) depth += 1;
      else if (isClosing(code)) {
        depth -= 1;
        if (depth === 0) return foundEnd(i + 1);
      }
    }
    at += bytes.length;
    if (!ended) return false;
    if (isScalar && place === "top") return true;
    return fail(`the value that begins at byte ${start} is not closed`);
  };

  const foundEnd = (bytes: number): boolean => {
    at += bytes;
    return true;
  };

  const readElement = (): Row => {
    const begin = start;
    start = -1;
    depth = 0;
    if (place !== "top") place = "array_after";
    row += 1;
    const insideArray = place !== "top";
    if (sides.at(-1)?.insideArray !== insideArray) sides = [...sides, { fromRow: row, insideArray }];
    const bad = (reason: Reason, detail: string): BadRow => ({
      kind: "bad",
      row,
      start: begin,
      end: at,
      reason,
      detail,
    });
    if (at - begin > rowBytesMax) {
      longStart = begin;
      longPrefix ??= window.view(begin, begin + rowBytesMax).slice();
      return bad(
        "too_long",
        `The element has ${formatBytes(at - begin)}, over the limit of ${
          formatBytes(rowBytesMax)
        }; only its beginning is kept`,
      );
    }
    const text = window.utf8(begin, at);
    if (text === null) return bad("invalid_utf8", `An element of ${at - begin} bytes is not valid UTF-8`);
    const parsed = parseObject(text);
    if (parsed.object === null) return bad(parsed.reason, parsed.detail);
    return { kind: "object", row, start: begin, end: at, object: parsed.object, text };
  };

  return {
    format: "json",
    push(chunk) {
      if (start >= 0 && at - start > rowBytesMax) {
        longPrefix ??= window.view(start, start + rowBytesMax).slice();
        window.release(at);
      } else {
        window.release(start >= 0 ? start : at);
      }
      window.push(chunk);
    },
    end() {
      ended = true;
    },
    pull(maxRows, into) {
      let given = 0;
      if (longStart >= 0) longPrefix = null;
      longStart = -1;
      if (failure !== null) throw failure;
      if (atFileStart && !skipByteOrderMark()) return 0;
      while (given < maxRows && longStart < 0) {
        if (start < 0 && !findElement()) break;
        if (!findEnd()) break;
        into.push(readElement());
        given += 1;
      }
      const failed = currentFailure();
      if (failed !== null && given === 0) throw failed;
      return given;
    },
    raw(of) {
      if (of.start === longStart && longPrefix !== null) return longPrefix;
      return window.view(of.start, of.end);
    },
    stateAfter(of) {
      const known = sides.findLastIndex((side) => side.fromRow <= of.row);
      if (known > 0) sides = sides.slice(known);
      const insideArray = sides[0]?.insideArray ?? false;
      return { format: "json", byte: of.end, row: of.row, header: null, delimiter: null, insideArray };
    },
  };
}

function shown(code: number): string {
  return quoted(String.fromCharCode(code));
}
