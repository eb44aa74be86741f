/**
 * Values out of a row of SQLite, checked: the tables are STRICT, so a value of another type means that the file was tampered with.
 *
 * @module
 */
import { WeirError } from "../core/error.ts";
import type { SqlRow } from "./database.ts";

/**
 * Selects a text column as bytes. Text from outside may hold U+0000, at which `node:sqlite` would cut it off;
 * {@linkcode textIn} takes either.
 */
export function wholeText(column: string): string {
  return `CAST(${column} AS BLOB) AS ${column}`;
}

/** @throws {WeirError} `corrupt_state` */
export function textIn(row: SqlRow, column: string): string {
  const value = row[column];
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return typeof value === "string" ? value : damagedColumn(column, "text");
}

/** @throws {WeirError} `corrupt_state` */
export function textOrNullIn(row: SqlRow, column: string): string | null {
  return row[column] === null ? null : textIn(row, column);
}

/** @throws {WeirError} `corrupt_state` */
export function numberIn(row: SqlRow, column: string): number {
  const value = row[column];
  return typeof value === "number" ? value : damagedColumn(column, "a number");
}

/** @throws {WeirError} `corrupt_state` */
export function numberOrNullIn(row: SqlRow, column: string): number | null {
  return row[column] === null ? null : numberIn(row, column);
}

/** @throws {WeirError} `corrupt_state` */
export function bytesIn(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : damagedColumn(column, "bytes");
}

/**
 * One of a list of words.
 *
 * @throws {WeirError} `corrupt_state`
 */
export function wordIn<const T extends string>(row: SqlRow, column: string, words: readonly T[]): T {
  const text = textIn(row, column);
  return words.find((word) => word === text) ?? damagedColumn(column, words.join(" or "));
}

/**
 * JSON text, or null.
 *
 * @throws {WeirError} `corrupt_state`
 */
export function jsonOrNullIn<T>(row: SqlRow, column: string, is: (value: unknown) => value is T): T | null {
  const text = textOrNullIn(row, column);
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return damagedColumn(column, "JSON");
  }
  return is(value) ? value : damagedColumn(column, "what Weir writes there");
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

/** @throws {WeirError} `corrupt_state`, always */
export function damagedColumn(column: string, expected: string): never {
  throw new WeirError("corrupt_state", `The state file is damaged: column ${column} is not ${expected}`);
}
