/**
 * In which encoding a file is written. A byte order mark decides; where there is none, the setting does.
 *
 * @module
 */
import type { FileEncoding } from "../../core/decoder.ts";
import { WeirError } from "../../core/error.ts";

/**
 * What the settings say. `auto`: files without a byte order mark are UTF-8. `utf-8`: all are, and nothing is transcoded. The others are
 * what files without a byte order mark are.
 */
export type EncodingSetting = "auto" | "utf-8" | "utf-16" | "latin1" | "windows-1252";

/** Bytes looked at where UTF-16 has no byte order mark. */
export const sniffBytes = 4096;

/**
 * The encoding of the (inflated) file that begins with `head`.
 *
 * @throws {WeirError} `bad_file` when it is to be UTF-16 and cannot be: every CSV or JSON file has characters of ASCII, and in UTF-16 each
 * of these has a byte of zero.
 */
export function encodingOf(head: Uint8Array, setting: EncodingSetting): FileEncoding {
  if (setting === "utf-8") return "utf-8";
  const marked = byteOrderMarkOf(head);
  if (marked !== null) return marked;
  switch (setting) {
    case "auto":
      return "utf-8";
    case "utf-16":
      return byteOrderOf(head.subarray(0, sniffBytes));
    default:
      return setting;
  }
}

/** What the byte order mark says (Unicode 16.0, section 23.8), or null where there is none. */
function byteOrderMarkOf([first, second, third]: Uint8Array): FileEncoding | null {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return first === 0xef && second === 0xbb && third === 0xbf ? "utf-8" : null;
}

/** The zero of an ASCII character is its second byte when the little end comes first. */
function byteOrderOf(head: Uint8Array): FileEncoding {
  const zeros = [0, 0];
  head.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  });
  const [first = 0, second = 0] = zeros;
  if (first + second === 0) {
    throw new WeirError("bad_file", `The file is not UTF-16: its first ${head.length} bytes have no byte of zero`, {
      advice: "leave --files-encoding at auto, or say what files without a byte order mark are",
    });
  }
  return first > second ? "utf-16be" : "utf-16le";
}
