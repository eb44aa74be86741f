/**
 * Tries something until it works, with backoff, and says what keeps it from working: once when that begins, once when it is over. Never
 * resolves after the timers were cancelled or the cluster was closed.
 *
 * @module
 */
import { type BackoffOptions, createBackoff } from "../../core/backoff.ts";
import type { Dice } from "../../core/dice.ts";
import { isPassing, pathAdviceOf, troubleOf } from "./classify.ts";
import { PathError } from "./path_error.ts";
import type { Timers } from "./timers.ts";
import type { Troubles } from "./troubles.ts";

/** "It did not work": what {@linkcode Patience}'s act returns to be called again. */
export type NotYet = typeof notYet;
const notYet = Symbol("not yet");

/** Says why it did not work. Something passing is told only when it happens twice in a row. */
export type Suffer = (trouble: string, what: string, advice: string, passing: boolean) => NotYet;

/** Tries `act` until it returns something else than what its argument returns; a path that fails is tried again as well. */
export type Patience = <T>(place: string, act: (suffer: Suffer) => Promise<T | NotYet>) => Promise<T>;

/** What it works with. */
export interface PatienceDeps {
  readonly timers: Timers;
  readonly dice: Dice;
  readonly troubles: Troubles;
}

/** Makes a {@linkcode Patience}. `whose` goes before the names of places on the board of troubles. */
export function createPatience(whose: string, options: BackoffOptions, deps: PatienceDeps): Patience {
  const { timers, dice, troubles } = deps;
  return async (place, act) => {
    const backoff = createBackoff(options, dice);
    const where = `${whose} ${place}`;
    const suffer: Suffer = (trouble, what, advice, passing) => {
      if (!passing || backoff.failures > 0) troubles.suffer(trouble, where, what, advice);
      return notYet;
    };
    while (true) {
      try {
        const result = await act(suffer);
        if (result !== notYet) {
          troubles.recover(where);
          return result;
        }
      } catch (thrown) {
        if (!(thrown instanceof PathError)) throw thrown;
        if (thrown.failure === "closed") return await new Promise<never>(() => {});
        suffer(troubleOf(thrown.failure), thrown.message, pathAdviceOf(thrown), isPassing(thrown.failure));
      }
      await new Promise<void>((resolve) => timers.after(backoff.nextMs(), resolve));
    }
  };
}
