/**
 * Texts in the encodings that Weir reads, written without its own tables.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FileEncoding } from "../../../src/core/decoder.ts";

export const encodings: readonly FileEncoding[] = ["utf-8", "utf-16le", "utf-16be", "latin1", "windows-1252"];

/** The characters of windows-1252 that latin1 has not, by Deno's own decoder: bytes it leaves out decode to controls. */
const moreOf1252 = new Map(
  Array.from({ length: 0x20 }, (_, index) => 0x80 + index)
    .map((byte) => [new TextDecoder("windows-1252").decode(Uint8Array.of(byte)), byte] as const)
    .filter(([character]) => (character.codePointAt(0) ?? 0) > 0xff),
);

/** Whether every character of a text can be written. */
export function canBeWritten(text: string, encoding: FileEncoding): boolean {
  if (encoding === "latin1") return Array.from(text).every((one) => one <= "\u00ff");
  if (encoding !== "windows-1252") return text.isWellFormed();
  return Array.from(text).every((one) => moreOf1252.has(one) || one < "\u0080" || one >= "\u00a0" && one <= "\u00ff");
}

/** The bytes of a text, lone surrogates in UTF-16 included. */
export function written(text: string, encoding: FileEncoding): Uint8Array {
  switch (encoding) {
    case "utf-8":
      return new TextEncoder().encode(text);
    case "utf-16le":
      return new Uint8Array(Buffer.from(text, "utf16le"));
    case "utf-16be":
      return new Uint8Array(Buffer.from(text, "utf16le").swap16());
    case "latin1":
      return new Uint8Array(Buffer.from(text, "latin1"));
    case "windows-1252":
      return Uint8Array.from(Array.from(text), (one) => moreOf1252.get(one) ?? one.charCodeAt(0));
  }
}
