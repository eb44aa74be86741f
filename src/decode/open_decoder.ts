/**
 * Which decoder reads a file: by the ending of its name, then by its first bytes, unless the settings say it.
 *
 * @module
 */
import type { FileFormat, OpenDecoder } from "../core/decoder.ts";
import { WeirError } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import type { CsvOptions } from "./csv.ts";
import { createCsvDecoder } from "./csv.ts";
import { createJsonDecoder } from "./json.ts";
import { createNdjsonDecoder } from "./ndjson.ts";

/** How files are read. */
export interface OpenDecoderOptions extends CsvOptions {
  /** The format of all files, or null to find it out file by file. */
  readonly format: FileFormat | null;
}

/** The delimiter that an ending promises, before the first lines are asked. */
const delimiterOfEnding: Readonly<Record<string, string>> = { tsv: "\t" };

/** Makes an {@linkcode OpenDecoder}. */
export function createOpenDecoder(options: OpenDecoderOptions): OpenDecoder {
  return (name, head, state) => {
    const format = state?.format ?? options.format ?? detectFormat(name, head);
    switch (format) {
      case "csv": {
        const delimiter = options.delimiter ?? delimiterOfEnding[endingOf(name)] ?? null;
        return createCsvDecoder({ ...options, delimiter }, head, state);
      }
      case "ndjson":
        return createNdjsonDecoder(options, state);
      case "json":
        return createJsonDecoder(options, state);
    }
  };
}

/**
 * The format of a file. `.csv` and `.tsv`, `.ndjson` and `.jsonl` are what they say. In a `.json` file, and under any other name, the first
 * character that is no white space decides: `[` is an array; `{` is NDJSON when the first line is a whole value, else values that span
 * lines; anything else is CSV, but not in a `.json` file.
 *
 * @throws {WeirError} `bad_file` when the file is binary, or says `.json` and holds something else
 */
export function detectFormat(name: string, head: Uint8Array): FileFormat {
  const ending = endingOf(name);
  if (head.includes(0)) {
    const utf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
    throw new WeirError(
      "bad_file",
      utf16 ? `The file ${quoted(name)} is in UTF-16` : `The file ${quoted(name)} is binary: it holds bytes of zero`,
      {
        advice: utf16
          ? "Leave --files-encoding at auto"
          : "Files are read as CSV, JSON or NDJSON, plain or compressed with gzip or zstd; if it is UTF-16 without a byte order " +
            "mark, say --files-encoding utf-16",
      },
    );
  }
  if (ending === "csv" || ending === "tsv") return "csv";
  if (ending === "ndjson" || ending === "jsonl") return "ndjson";
  const text = new TextDecoder().decode(head).trimStart();
  if (text === "") return ending === "json" ? "json" : "csv";
  if (text.startsWith("[")) return "json";
  if (text.startsWith("{")) return firstLineIsWhole(text) ? "ndjson" : "json";
  if (ending !== "json") return "csv";
  throw new WeirError("bad_file", `The file ${quoted(name)} does not hold JSON: it begins with ${quoted(text, 20)}`, {
    advice: "Give it the ending of its format, or say --files-format",
  });
}

/** Ending of a name in small letters, without its point. */
function endingOf(name: string): string {
  const point = name.lastIndexOf(".");
  return point < 0 ? "" : name.slice(point + 1).toLowerCase();
}

function firstLineIsWhole(text: string): boolean {
  const end = text.indexOf("\n");
  try {
    JSON.parse(end < 0 ? text : text.slice(0, end));
    return true;
  } catch {
    return false;
  }
}
