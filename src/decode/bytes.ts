/**
 * Bytes of ASCII: compared and copied by loops, which for some tens of bytes are the cheapest way.
 *
 * @module
 */

/** Copies `[from, to)`; returns where it ends in `into`. */
export function copy(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  const shift = at - from;
  for (let i = from; i < to; i++) into[i + shift] = bytes[i] ?? 0;
  return to + shift;
}

/** Whether `[from, stop)` of `line` holds these bytes and no others. */
export function isBytes(bytes: Uint8Array, line: Uint8Array, from: number, stop: number): boolean {
  if (bytes.length !== stop - from) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== line[from + i]) return false;
  return true;
}

/** Whether these bytes stand at `at`, before `stop`. */
export function standsAt(bytes: Uint8Array, line: Uint8Array, at: number, stop: number): boolean {
  if (at + bytes.length > stop) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== line[at + i]) return false;
  return true;
}

/** A text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
