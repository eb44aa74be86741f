/**
 * Readings of streams that are put aside on disk because the sink is slow or away: what is kept of each, and the contract of where.
 *
 * @module
 */

/** A finished reading as it is kept: all that the sink needs, so that it leaves as it would have without the detour, under the same id. */
export interface SpooledReading {
  /** Its place in the order of arrival; unique. */
  readonly number: number;
  /** `weir.id`. */
  readonly id: string;
  /** The MQTT topic. Hostile text. */
  readonly source: string;
  /** The JSON text that is sent. */
  readonly value: string;
  /** Index in the payload's array. */
  readonly row: number;
  /** Wall-clock ms at which it came in. */
  readonly arrivedAtMs: number;
  readonly redelivered: boolean;
}

/** What is in the spool. */
export interface SpoolTotals {
  readonly readings: number;
  /** As {@linkcode spooledBytes} counts them. */
  readonly bytes: number;
  /** When the first in order came in, wall-clock ms; null when it is empty. */
  readonly oldestAtMs: number | null;
}

/** The spool as a start finds it. */
export interface SpoolInventory extends SpoolTotals {
  /** Least and greatest number; 0 when it is empty. */
  readonly firstNumber: number;
  readonly lastNumber: number;
  readonly sources: readonly { readonly source: string; readonly readings: number }[];
}

/** Which readings are wanted. */
export interface SpoolRange {
  /** Beyond this number. */
  readonly after: number;
  /** At most so many readings ... */
  readonly limit: number;
  /** ... and so many bytes; one reading comes however large it is. */
  readonly bytesMax: number;
  /** None of these sources. */
  readonly except: readonly string[];
}

/** What made room. */
export interface SpoolDrop extends SpoolTotals {
  readonly dropped: readonly Pick<SpooledReading, "number" | "source">[];
}

/** The readings on disk. Each write is one transaction: all of it or nothing. Writes answer in the order in which they were asked for. */
export interface SpoolStore {
  /** Synced to the disk when it resolves. */
  spoolAppend(readings: readonly SpooledReading[]): Promise<SpoolTotals>;
  /** In order of number. */
  spoolRead(range: SpoolRange): Promise<readonly SpooledReading[]>;
  /** Numbers that are not there are no error. May be undone by a power cut: then they are sent again. */
  spoolRemove(numbers: readonly number[]): Promise<SpoolTotals>;
  /** Removes the first in order but for those spared, until so many bytes are free or none is left. */
  spoolDropOldest(bytes: number, spared: readonly number[]): Promise<SpoolDrop>;
  spoolInventory(): Promise<SpoolInventory>;
}

/** Number, row and index overhead of a reading in the state file, measured and rounded up. */
const overheadBytes = 64;

/** Bytes that a reading counts in the spool; `valueBytes` is the size of its value in UTF-8. */
export function spooledBytes({ id, source }: Pick<SpooledReading, "id" | "source">, valueBytes: number): number {
  return overheadBytes + valueBytes + utf8Bytes(id) + utf8Bytes(source);
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    bytes += code < 0x800 ? 1 : 2;
    // Two units of a surrogate pair are four bytes.
    if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i += 1;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
