/**
 * A secret that cannot be printed by accident: it is held in a closure, so that a log line, a JSON text or an inspected object shows
 * only that there is one.
 *
 * @module
 */

/** A password or a private key. */
export interface Secret {
  /** Absolute path of the file that it came from; null when it came from the environment. */
  readonly path: string | null;
  /** The secret itself, for the one call that sends it. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

/**
 * Wraps a secret.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(JSON.stringify({ password: secret("hunter2") }), '{"password":"(secret)"}');
 * assert.equal(secret("hunter2").reveal(), "hunter2");
 * ```
 */
export function secret(text: string, path: string | null = null): Secret {
  return { path, reveal: () => text, toString: () => "(secret)", toJSON: () => "(secret)" };
}
