/**
 * Characters as the bytes of UTF-8.
 *
 * Source: RFC 3629, section 3.
 *
 * @module
 */

/** Writes a character from U+0000 to U+FFFF; returns the position behind it. */
export function putCharacter(code: number, into: Uint8Array, at: number): number {
  if (code < 0x80) {
    into[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    into[at] = 0xc0 | code >> 6;
    into[at + 1] = 0x80 | code & 0x3f;
    return at + 2;
  }
  into[at] = 0xe0 | code >> 12;
  into[at + 1] = 0x80 | code >> 6 & 0x3f;
  into[at + 2] = 0x80 | code & 0x3f;
  return at + 3;
}
