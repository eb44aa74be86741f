/**
 * The one error class of the program. Everything that can go wrong for a reason outside the code is a {@linkcode WeirError} with a
 * code; anything else that is thrown is a defect and ends the program with 70.
 *
 * @module
 */

/** What kind of thing went wrong. The exit code follows from it: see {@linkcode exitCodes}. */
export type ErrorCode =
  /** A setting is wrong, missing or impossible in combination. */
  | "configuration"
  /** Something that is needed is not there: broker, Kafka, topic, folder. */
  | "unavailable"
  /** The operating system or a server refuses access. */
  | "permission"
  /** The disk is full, read-only or failing. */
  | "storage"
  /** State on disk cannot be understood. */
  | "corrupt_state"
  /** Somebody else holds what we need (a second instance on one state folder). */
  | "locked"
  /** Another instance under the same name has taken over what only one may do. */
  | "fenced"
  /** A file as a whole cannot be read on: it goes to the error folder. */
  | "bad_file";

/** Exit codes as in sysexits.h. */
export const exitCodes = {
  ok: 0,
  unavailable: 69,
  internal: 70,
  tryAgain: 75,
  permission: 77,
  configuration: 78,
} as const;

const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  configuration: exitCodes.configuration,
  unavailable: exitCodes.unavailable,
  permission: exitCodes.permission,
  storage: exitCodes.tryAgain,
  corrupt_state: exitCodes.tryAgain,
  locked: exitCodes.tryAgain,
  // Two gateways of one name: trying again would only make them take turns.
  fenced: exitCodes.configuration,
  bad_file: exitCodes.unavailable,
};

/** Options of {@linkcode WeirError}. */
export interface WeirErrorOptions {
  /** Whether the same act may succeed later without anybody changing anything. Default: false. */
  readonly retriable?: boolean;
  /** What the person at the terminal should do. Shown after the message. */
  readonly advice?: string;
  readonly cause?: unknown;
}

/**
 * An error with a code. The message says what happened, where, and the value seen; capital first, strings quoted, no full stop.
 */
export class WeirError extends Error {
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly advice: string | undefined;

  constructor(code: ErrorCode, message: string, options: WeirErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "WeirError";
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.advice = options.advice;
  }

  /** The exit code (sysexits) that this error ends the program with. */
  get exitCode(): number {
    return exitCodeOf[this.code];
  }
}

/** The text of anything that was thrown, looking through wrappers to the first cause. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined || thrown.cause === null ? "" : messageOf(thrown.cause);
  if (cause === "" || thrown.message.includes(cause)) return thrown.message;
  return `${thrown.message}: ${cause}`;
}
