/**
 * The one error of a path to a broker: it could not be opened, or it broke before the answer came. What Kafka answers is never an
 * error but a code; what the program does wrong is any other error, and is not caught.
 *
 * @module
 */

/** How a path failed. */
export type PathFailure =
  /** Nobody listens there. */
  | "refused"
  /** The name has no address. */
  | "unresolved"
  /** The network has no way to it. */
  | "unreachable"
  /** No answer in time. */
  | "timed_out"
  /** The connection broke. */
  | "lost"
  /** The certificate is not trusted, or there is no TLS at the other end. */
  | "tls"
  /** User name or password are wrong. */
  | "authentication"
  /** The broker does not offer this SASL mechanism. */
  | "mechanism"
  /** The broker is too old (or too new) for what we speak. */
  | "unsupported"
  /** The answer could not be understood. */
  | "garbled"
  /** The metadata names no address for this node: it is gone. */
  | "unknown_node"
  /** We closed it ourselves. */
  | "closed";

/** A path failed: whether what was on it arrived is not known. */
export class PathError extends Error {
  readonly failure: PathFailure;
  /** What to do, where more is known than the failure; else undefined. */
  readonly advice: string | undefined;

  constructor(failure: PathFailure, message: string, cause?: unknown, advice?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PathError";
    this.failure = failure;
    this.advice = advice;
  }
}
