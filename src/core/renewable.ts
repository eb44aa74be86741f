/**
 * What is renewed while the program runs: passwords and certificates. A part asks for it at each new connection.
 *
 * @module
 */

/** A value that stays, or the way to get the one that is in force now. Asking never throws. */
export type Renewable<T extends string | object> = T | (() => T);

/** The value that is in force now. */
export function current<T extends string | object>(value: Renewable<T>): T {
  return typeof value === "function" ? (value as () => T)() : value;
}
