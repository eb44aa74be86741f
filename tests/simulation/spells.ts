/**
 * Spells of trouble: each begins by chance, lasts for a while and ends.
 *
 * @module
 */
import type { Clock } from "../../src/core/clock.ts";
import type { Dice } from "../../src/core/dice.ts";

/** A kind of trouble. */
export interface Spell {
  /** That it begins, at each look. */
  readonly chance: number;
  readonly maxMs: number;
  set(on: boolean): void;
}

/** All kinds together. */
export interface Spells {
  readonly active: boolean;
  /** One look: what is over ends, what is not there may begin. */
  tick(): void;
  /** The same, and nothing begins. */
  expire(): void;
}

/** Makes them, none of them there. */
export function createSpells(clock: Clock, dice: Dice, kinds: readonly Spell[]): Spells {
  const all = kinds.map((kind) => ({ kind, untilMs: -Infinity, on: false }));

  function expire(): void {
    for (const one of all) {
      if (!one.on || clock.nowMs() < one.untilMs) continue;
      one.on = false;
      one.kind.set(false);
    }
  }

  return {
    get active() {
      return all.some((one) => one.on);
    },
    expire,
    tick() {
      expire();
      for (const one of all) {
        if (one.on || dice() >= one.kind.chance) continue;
        one.on = true;
        one.untilMs = clock.nowMs() + dice() * one.kind.maxMs;
        one.kind.set(true);
      }
    },
  };
}
