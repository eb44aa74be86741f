/**
 * MQTT payloads: a JSON object is one row, an array of objects many, a bare value the field `value` of one.
 *
 * A payload that is not JSON but a plain word (`ON`, `open`, `21.5 C`) is a string value: countless devices speak so. It must be UTF-8, not
 * empty, free of control characters, and must not begin like broken JSON (`{`, `[` or `"`). `null` is a value too: the sensor is there and
 * has nothing to say.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import type { BadRow, DecodePayload, ObjectRow, Row } from "../core/decoder.ts";
import type { Reason } from "../core/reading.ts";
import { formatBytes, quoted } from "../core/text.ts";
import { jsonString } from "./coerce.ts";
import { isFields, isTooDeep, jsonProblem, kindOf, nestingMax } from "./json_value.ts";
import { elementTexts } from "./json_scan.ts";

/** Limits of payloads. */
export interface PayloadOptions {
  /** Longest payload in bytes. */
  readonly payloadBytesMax: number;
}

/** Makes a {@linkcode DecodePayload}. */
export function createPayloadDecoder(options: PayloadOptions): DecodePayload {
  return (payload) => {
    const end = payload.length;
    if (end > options.payloadBytesMax) {
      return [
        bad(
          end,
          0,
          "too_long",
          `The payload has ${formatBytes(end)}, over the limit of ${formatBytes(options.payloadBytesMax)}`,
        ),
      ];
    }
    if (end === 0) return [bad(end, 0, "bad_json", "The payload is empty")];
    if (!isUtf8(payload)) return [bad(end, 0, "invalid_utf8", `The payload of ${end} bytes is not valid UTF-8`)];
    const text = textOf(payload);
    if (isTooDeep(text)) return [bad(end, 0, "bad_json", `The payload is nested deeper than ${nestingMax} levels`)];
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (isPlainWord(text)) return [scalar(end, jsonString(text.trim()), text.trim())];
      return [bad(end, 0, "bad_json", `${quoted(text, 60)} is not JSON: ${jsonProblem(error)}`)];
    }
    if (isFields(value)) return [good(end, 0, value, text)];
    if (!Array.isArray(value)) return [scalar(end, text.trim(), value)];
    if (value.length === 0) return [bad(end, 0, "bad_json", "The payload is an array without elements")];
    const texts = elementTexts(text);
    return value.map((element, row) =>
      isFields(element)
        ? good(end, row, element, texts[row] ?? "")
        : bad(end, row, "bad_json", `Element ${row} of the payload is ${kindOf(element)}, not an object`)
    );
  };
}

/** Made for every message: functions of the module, not closures. `end` is the length of the payload. */
function bad(end: number, row: number, reason: Reason, detail: string): BadRow {
  return { kind: "bad", row, start: 0, end, reason, detail };
}

function good(end: number, row: number, object: ObjectRow["object"], text: string): ObjectRow {
  return { kind: "object", row, start: 0, end, object, text };
}

function scalar(end: number, text: string, value: unknown): Row {
  return good(end, 0, { value }, `{"value":${text}}`);
}

/** The text of valid UTF-8 without its byte order mark. Half the cost of a TextDecoder, which matters for texts as short as payloads. */
function textOf(payload: Uint8Array): string {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8");
  return text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text;
}

const byteOrderMark = 0xfeff;

/** Text that a device may mean as it stands. */
function isPlainWord(text: string): boolean {
  const word = text.trim();
  return word !== "" && !/^[{["]|\p{Cc}/u.test(word);
}
