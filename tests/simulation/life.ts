/**
 * One life of the program under simulation: the power that its parts run on. When it goes, between any two steps, nothing of this life has
 * an effect any more: its timers do not fire, what it asked of the disk or the ledger never comes back, and the next life begins with
 * what was durable at that moment.
 *
 * @module
 */
import type { Clock } from "../../src/core/clock.ts";

/** Where a life is to end: at the `nth` time that it passes the moment `site`, or when somebody ends it (null). */
export interface Death {
  readonly site: string;
  readonly nth: number;
}

/** A life. */
export interface Life {
  readonly number: number;
  readonly alive: boolean;
  /** The clock of the parts: its timers die with the life. */
  readonly clock: Clock;
  /** A moment at which the power may go: true when it holds. */
  passes(site: string): boolean;
  /** Something durable that is done at once: the power may go before it, or after it and before anybody hears of it. */
  step<T>(site: string, act: () => Promise<T>): Promise<T>;
  /** Something that changes nothing: answered while the power holds. */
  ask<T>(act: () => Promise<T>): Promise<T>;
  end(cause: string): void;
}

/** Makes a life. `ended` is called in the moment in which it ends. */
export function createLife(number: number, clock: Clock, death: Death | null, ended: (cause: string) => void): Life {
  const noTimer = { cancel() {} };
  let alive = true;
  let passed = 0;

  function end(cause: string): void {
    if (!alive) return;
    alive = false;
    ended(cause);
  }

  function passes(site: string): boolean {
    if (alive && site === death?.site && (passed += 1) === death.nth) end(site);
    return alive;
  }

  function heard<T>(answer: Promise<T>): Promise<T> {
    return answer.then(
      (value) => alive ? value : never(),
      (error) => alive ? Promise.reject(error) : never(),
    );
  }

  return {
    number,
    get alive() {
      return alive;
    },
    clock: {
      nowMs: clock.nowMs,
      wallMs: clock.wallMs,
      after: (delayMs, callback) =>
        alive
          ? clock.after(delayMs, () => {
            if (alive) callback();
          })
          : noTimer,
    },
    passes,
    step(site, act) {
      if (!passes(`${site}: before`)) return never();
      const answer = act();
      return passes(`${site}: after`) ? heard(answer) : never(answer);
    },
    ask: (act) => alive ? heard(act()) : never(),
    end,
  };
}

/** What nobody hears of any more, an error neither. */
function never<T>(unheard?: Promise<T>): Promise<T> {
  unheard?.catch(() => {});
  return new Promise(() => {});
}
