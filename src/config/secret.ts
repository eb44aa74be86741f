/**
 * A secret that cannot be printed by accident: it is held in a closure, so that a log line, a JSON text or an inspected object shows
 * only that there is one.
 *
 * @module
 */

/** A password. */
export interface Secret {
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
export function secret(text: string): Secret {
  return { reveal: () => text, toString: () => "(secret)", toJSON: () => "(secret)" };
}
