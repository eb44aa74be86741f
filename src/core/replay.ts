/**
 * The contract of acting on dead letters: reading them in their order, replaying them on request, letting them go. A part of the ledger.
 *
 * @module
 */
import type { LetterFilter, StoredLetter } from "./store.ts";

/** What is to be replayed. */
export interface ReplayWish {
  readonly filter: LetterFilter;
  /** Letters a second, at most. */
  readonly ratePerSecond: number;
}

/** A request to replay letters, and how far it is. It stays in the ledger until it is done, also over a restart. */
export interface ReplayRequest extends ReplayWish {
  /** Number of the request, rising. */
  readonly number: number;
  /** The newest letter when it was asked: later ones are not part of it. */
  readonly lastLetter: number;
  /** Letters up to this number are dealt with. */
  readonly atLetter: number;
  /** Letters that matched when it was asked. */
  readonly total: number;
  /** What came of those dealt with. The first two are gone from the letters, the last are still there. */
  readonly delivered: number;
  readonly filtered: number;
  readonly failed: number;
  readonly done: boolean;
  readonly askedAtMs: number;
}

/** How the next letters of a request ended, in their order and without a gap. */
export interface ReplayStep {
  /** Number of the request. */
  readonly request: number;
  /** The last of these letters. */
  readonly atLetter: number;
  /** Numbers of letters that have a durable home elsewhere: they are deleted. */
  readonly delivered: readonly number[];
  readonly filtered: readonly number[];
  /** Numbers of letters that failed again: their `tries` rise by one. */
  readonly failed: readonly number[];
  /** Nothing is left of the request. */
  readonly done: boolean;
}

/** A stretch of the letters, in order of number. */
export interface LetterRange {
  /** Numbers above this one. */
  readonly after: number;
  /** Up to and with this one. */
  readonly upTo: number;
  /** At most so many letters ... */
  readonly limit: number;
  /** ... and so many bytes, as the ledger counts them; one letter comes however large it is. */
  readonly bytesMax: number;
}

/** Requests that may be open at once; one more is refused. */
export const openReplaysMax = 16;

/** Dead letters to act on. */
export interface LetterActions {
  /** Letters in order of number, oldest first. */
  lettersInRange(filter: LetterFilter, range: LetterRange): Promise<readonly StoredLetter[]>;
  /** Deletes the oldest that match, at most `limit`; returns how many went. */
  removeLetters(filter: LetterFilter, limit: number): Promise<number>;
  /**
   * Asks for a replay of what is there now.
   *
   * @throws {WeirError} `unavailable` when {@linkcode openReplaysMax} are open.
   */
  askReplay(wish: ReplayWish): Promise<ReplayRequest>;
  /** The oldest request that is not done, or null. */
  nextReplay(): Promise<ReplayRequest | null>;
  replay(number: number): Promise<ReplayRequest | null>;
  /** Counts a step of a request and does what it says to the letters, all in one transaction. */
  stepReplay(step: ReplayStep): Promise<void>;
  /** Where somebody who follows the letters stands: a number of a letter, 0 before the first {@linkcode saveMark}. */
  mark(name: string): Promise<number>;
  saveMark(name: string, number: number): Promise<void>;
}
