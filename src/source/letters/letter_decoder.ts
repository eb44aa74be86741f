/**
 * A dead letter becomes an item again: its bytes are decoded by the decoder that read them first, and what comes out goes through the same
 * normalizer and rules as everything else, as they are now. What failed before fails again unless something was changed.
 *
 * @module
 */
import type { Arrival, CellsRow, DecodePayload, Normalizer, ObjectRow, OpenDecoder, Row } from "../../core/decoder.ts";
import type { Delivery } from "../../core/delivery.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { DeadLetter, Fields, Item, Reason } from "../../core/reading.ts";
import type { StoredLetter } from "../../core/store.ts";
import { quoted } from "../../core/text.ts";

/** What letters are read with. */
export interface LetterDecoderParts {
  readonly openDecoder: OpenDecoder;
  readonly decodePayload: DecodePayload;
  readonly normalizer: Normalizer;
  /** The fields that a topic gives by the templates of now; null when none fits. */
  readonly topicFields: (topic: string) => Readonly<Record<string, string>> | null;
}

/** Turns a letter into an item of `delivery`, index 0. `nowMs` is monotonic, `wallMs` the wall clock of the same moment. */
export type DecodeLetter = (letter: StoredLetter, delivery: Delivery, nowMs: number, wallMs: number) => Item;

/** What became of a letter's bytes. */
type Tried =
  | { readonly kind: "reading"; readonly fields: Fields; readonly value: string; readonly bytes: number }
  | { readonly kind: "filtered" }
  | { readonly kind: "misfit"; readonly reason: Reason; readonly detail: string };

type GoodRow = CellsRow | ObjectRow;

/** What sets cells apart, in the order in which they are tried on letters that do not say it. */
const delimiters = [",", ";", "\t", "|"] as const;

/** Makes a {@linkcode DecodeLetter}. */
export function createLetterDecoder(parts: LetterDecoderParts): DecodeLetter {
  const { normalizer } = parts;

  function tried(letter: StoredLetter): Tried {
    if (letter.decoder === "reading") return finishedReading(letter);
    if (letter.decoder === "payload") {
      const topicFields = parts.topicFields(letter.source);
      if (topicFields === null) {
        return misfit("topic_mismatch", `The topic ${quoted(letter.source)} fits no template`);
      }
      return normalized(payloadRow(parts.decodePayload(letter.raw), letter.row), letter, topicFields);
    }
    // Of a row over the limit only the beginning was kept: it must not pass for the whole.
    if (letter.reason === "too_long") return misfit("too_long", letter.detail);
    try {
      if (letter.decoder === "csv" && letter.header !== null) normalizer.checkHeader(letter.header);
      return normalized(fileRow(letter), letter, null);
    } catch (thrown) {
      if (!(thrown instanceof WeirError)) throw thrown;
      return misfit(letter.decoder === "csv" ? "bad_csv" : "bad_json", messageOf(thrown));
    }
  }

  function fileRow(letter: StoredLetter): Row | null {
    if (letter.decoder === "ndjson" || letter.decoder === "json") return onlyRow(letter, null);
    if (letter.decoder !== "csv") return null;
    if (letter.delimiter !== undefined) return onlyRow(letter, letter.delimiter);
    const rows = delimiters.map((delimiter) => onlyRow(letter, delimiter));
    return rows.find((row) => row?.kind === "cells") ?? rows[0] ?? null;
  }

  /** The one row in the letter's bytes; null when there is none, or another behind it. */
  function onlyRow(letter: StoredLetter, delimiter: string | null): Row | null {
    const format = letter.decoder === "csv" || letter.decoder === "ndjson" ? letter.decoder : "json";
    const header = format === "csv" ? letter.header : null;
    const state = { format, byte: 0, row: 0, header, delimiter, insideArray: false } as const;
    const decoder = parts.openDecoder(letter.source, letter.raw, state);
    const rows: Row[] = [];
    decoder.push(letter.raw);
    decoder.end();
    decoder.pull(2, rows);
    return rows.length === 1 ? rows[0] ?? null : null;
  }

  function normalized(row: Row | null, letter: StoredLetter, topicFields: Arrival["topicFields"]): Tried {
    if (row === null) return misfit(letter.reason, letter.detail);
    if (row.kind === "bad") return misfit(row.reason, row.detail);
    const good: GoodRow = row;
    return normalizer.normalize(good, { origin: letter.origin, wallMs: letter.arrivedAtMs, topicFields });
  }

  return (letter, delivery, nowMs, wallMs) => {
    const result = tried(letter);
    const index = 0;
    if (result.kind === "filtered") return { kind: "filtered", delivery, index, bytes: letter.raw.length };
    if (result.kind === "misfit") {
      const { reason, detail } = result;
      return {
        kind: "misfit",
        delivery,
        index,
        bytes: letter.raw.length,
        letter: { ...plain(letter), reason, detail },
      };
    }
    const { fields, value, bytes } = result;
    return {
      kind: "reading",
      delivery,
      index,
      bytes,
      id: letter.id,
      fields,
      value,
      row: letter.row ?? 0,
      byte: letter.byte ?? -1,
      // Should the sink refuse it, the letter keeps the time at which it came in first.
      arrivedMs: nowMs - (wallMs - letter.arrivedAtMs),
      redelivered: false,
    };
  };
}

/** Without what only the store knows. */
function plain({ number: _number, storedAtMs: _storedAtMs, tries: _tries, ...letter }: StoredLetter): DeadLetter {
  return letter;
}

/** Of an array the letter holds one element, or, where that is no object, the whole payload. */
function payloadRow(rows: readonly Row[], index: number | null): Row | null {
  return rows.length > 1 ? rows.find((row) => row.row === index) ?? null : rows[0] ?? null;
}

/** A reading that the sink refused is sent as it is. */
function finishedReading(letter: StoredLetter): Tried {
  try {
    const value = new TextDecoder("utf-8", { fatal: true }).decode(letter.raw);
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      const fields: Fields = Object.assign(Object.create(null), parsed);
      return { kind: "reading", fields, value, bytes: letter.raw.length };
    }
  } catch {
    // Below.
  }
  return misfit("bad_json", "The bytes of the letter are not a finished reading");
}

function misfit(reason: Reason, detail: string): Tried {
  return { kind: "misfit", reason, detail };
}
