/**
 * Whether something out of a file or a message is the state of a decoder.
 *
 * @module
 */
import type { DecoderState, FileEncoding } from "./decoder.ts";

/** Looks at every field: a decoder that goes on from nonsense would lose rows. */
export function isDecoderState(value: unknown): value is DecoderState {
  if (typeof value !== "object" || value === null) return false;
  const state: Partial<Record<keyof DecoderState, unknown>> = value;
  return ["csv", "ndjson", "json"].includes(String(state.format)) &&
    Number.isInteger(state.byte) && Number.isInteger(state.row) &&
    (state.header === null || isTextList(state.header)) &&
    (state.delimiter === null || typeof state.delimiter === "string") &&
    typeof state.insideArray === "boolean" &&
    (state.encoding === undefined || isFileEncoding(state.encoding));
}

function isFileEncoding(value: unknown): value is FileEncoding {
  return ["utf-8", "utf-16le", "utf-16be", "latin1", "windows-1252"].includes(String(value));
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}
