/**
 * The newest dead letters for the page and for programs. What was in them (bytes, header, the value in the detail) is given out only where
 * a token guards it: it is data of the plant, and the state folder that holds it is readable to its owner alone.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { DeadLetterStore, StoredLetter } from "../../core/store.ts";
import { printable } from "../../core/text.ts";

/** What was in a letter. All of it escaped: controls (but line breaks) and direction marks are visible. */
export interface LetterContents {
  readonly detail: string;
  readonly header: readonly string[] | null;
  /** The first bytes as text. */
  readonly raw: string;
  readonly rawBytes: number;
  readonly rawIsCut: boolean;
}

/** One letter. `source` is hostile text. */
export interface LetterView {
  readonly number: number;
  readonly storedAtMs: number;
  readonly reason: string;
  readonly origin: string;
  readonly source: string;
  readonly row: number | null;
  readonly byte: number | null;
  readonly decoder: string;
  /** Null: not given out. */
  readonly contents: LetterContents | null;
}

/** The newest letters, and how many there are. */
export interface LettersView {
  readonly contentsShown: boolean;
  readonly stored: number;
  readonly storedBytes: number;
  readonly newest: readonly LetterView[];
}

/** Reads them now and then. */
export interface Letters {
  /** What is known, read again when there may be new ones; never waits for the ledger longer than it takes to answer. */
  view(deadLettered: number): Promise<LettersView>;
}

/** What letters are read from. */
export interface LettersOptions {
  readonly store: Pick<DeadLetterStore, "list" | "letterCount">;
  readonly clock: Clock;
  readonly contentsShown: boolean;
}

/** How many are shown. */
const newestMax = 5;
/** How many bytes of each. */
const rawBytesMax = 4096;
/** The ledger has other work: it is asked at most so often. */
const againMs = 5000;
/** Letters may also come from another life of the process or go with `dlq`: so often it is asked in any case. */
const anywayMs = 60_000;

/** Makes {@linkcode Letters}. */
export function createLetters({ store, clock, contentsShown }: LettersOptions): Letters {
  let known: LettersView = { contentsShown, stored: 0, storedBytes: 0, newest: [] };
  let readAtMs = -Infinity;
  let readAt = -1;
  let reading: Promise<LettersView> | null = null;

  async function read(): Promise<LettersView> {
    try {
      const [newest, count] = [await store.list({}, newestMax), await store.letterCount({})];
      known = {
        contentsShown,
        stored: count.letters,
        storedBytes: count.bytes,
        newest: newest.map((letter) => viewOf(letter, contentsShown)),
      };
    } catch {
      // The ledger says itself what is wrong with it; here the last known letters stay.
    } finally {
      reading = null;
    }
    return known;
  }

  return {
    view(deadLettered) {
      const age = clock.nowMs() - readAtMs;
      if (reading !== null) return reading;
      if (age < againMs || (age < anywayMs && deadLettered === readAt)) return Promise.resolve(known);
      readAtMs = clock.nowMs();
      readAt = deadLettered;
      reading = read();
      return reading;
    },
  };
}

function viewOf(letter: StoredLetter, contentsShown: boolean): LetterView {
  const { number, storedAtMs, reason, origin, source, row, byte, decoder } = letter;
  return {
    ...{ number, storedAtMs, reason, origin, source, row, byte, decoder },
    contents: contentsShown ? contentsOf(letter) : null,
  };
}

function contentsOf({ detail, header, raw }: StoredLetter): LetterContents {
  return {
    detail: printable(detail, 1000),
    header: header === null ? null : header.slice(0, 50).map((name) => printable(name, 100)),
    raw: linesOf(new TextDecoder().decode(raw.subarray(0, rawBytesMax))),
    rawBytes: raw.length,
    rawIsCut: raw.length > rawBytesMax,
  };
}

/** Line breaks stay: JSON of several lines is read by lines. The last one says nothing. */
function linesOf(text: string): string {
  return text.replace(/\r?\n$/, "").split("\n").map((line) => printable(line, rawBytesMax)).join("\n");
}
