/**
 * What the ledger and its worker say to each other. Requests are numbered and answered in order; an error travels as plain data, since a
 * class does not survive the way between threads.
 *
 * @module
 */
import { type ErrorCode, WeirError } from "../core/error.ts";
import type { LedgerTables, StoreLimits } from "./ledger_store.ts";

/** What is done only inside a transaction of another method. */
type Inner = "removeNumbers";

/** One call of a method of the tables; the arguments fit the method. */
export type Call = {
  readonly [M in Exclude<keyof LedgerTables, Inner>]: {
    readonly method: M;
    readonly args: Parameters<LedgerTables[M]>;
  };
}[Exclude<keyof LedgerTables, Inner>];

/** To the worker. `id` rises by one; `wallMs` is the wall clock, which the worker has no other way to know. */
export type Request =
  & { readonly id: number; readonly wallMs: number }
  & (
    | { readonly kind: "open"; readonly options: StoreLimits }
    | { readonly kind: "call"; readonly call: Call }
    | { readonly kind: "close" }
  );

/** From the worker: one answer for each request, and news between them. */
export type Response =
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: WireError }
  | { readonly kind: "set_aside"; readonly reason: string; readonly path: string };

/** A thrown error as plain data. `code` is null for a defect. */
export interface WireError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly retriable: boolean;
  readonly advice: string | null;
  readonly stack: string | null;
}

/** Packs what was thrown. */
export function toWire(thrown: unknown): WireError {
  if (thrown instanceof WeirError) {
    const { code, message, retriable, advice } = thrown;
    return { code, message, retriable, advice: advice ?? null, stack: null };
  }
  const defect = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { code: null, message: defect.message, retriable: false, advice: null, stack: defect.stack ?? null };
}

/** Unpacks it: a {@linkcode WeirError}, or a plain `Error` for a defect, with the worker's stack as its cause. */
export function fromWire(error: WireError): Error {
  const { code, message, retriable, advice, stack } = error;
  if (code === null) return new Error(`The ledger's worker failed: ${message}`, { cause: stack });
  return new WeirError(code, message, advice === null ? { retriable } : { retriable, advice });
}
