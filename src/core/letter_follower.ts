/**
 * The contract of whoever sends dead letters on to somewhere else, after they are stored.
 *
 * @module
 */
import type { LetterActions } from "./replay.ts";

/** The letters of a ledger, and a mark in it of how far they were followed. */
export type FollowedLetters = Pick<LetterActions, "lettersInRange" | "mark" | "saveMark">;

/** Follows the letters: each one that is stored is sent on, at least once. Holds nobody up. */
export interface LetterFollower {
  /** Letters sent on since the start. */
  readonly sent: number;
  /** Sends what is stored by now, for a little while; what is left then is sent after the next start. */
  drain(): Promise<void>;
  /** Gives up. Never throws. */
  close(): Promise<void>;
}
