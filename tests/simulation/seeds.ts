/**
 * Plays seeds and judges each. A failing seed is told with the command that plays it alone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { judge } from "./judge.ts";
import type { Mutant } from "./mutant.ts";
import { deathSites } from "./nature.ts";
import { type Outcome, play } from "./world.ts";

/** Test files that share the seeds among them. */
const parts = 4;

/**
 * Plays one seed and judges it.
 *
 * @throws {Error} the first promise that does not hold, also one that broke where nobody waits for it.
 */
export async function playAndJudge(seed: number, mutant?: Mutant): Promise<Outcome> {
  const unheard: unknown[] = [];
  const hear = (event: PromiseRejectionEvent | ErrorEvent): void => {
    event.preventDefault();
    unheard.push("reason" in event ? event.reason : event.error);
  };
  addEventListener("unhandledrejection", hear);
  addEventListener("error", hear);
  try {
    const outcome = await play(seed, mutant);
    await judge(outcome);
    await turn();
    if (unheard.length > 0) throw unheard[0];
    return outcome;
  } catch (thrown) {
    await turn();
    // What broke first says more than what came of it.
    throw unheard[0] ?? thrown;
  } finally {
    removeEventListener("unhandledrejection", hear);
    removeEventListener("error", hear);
  }
}

/**
 * Plays the seeds of one of the test files, which run side by side. `WEIR_SIMULATION_SEED` plays one seed alone, in the first of them;
 * `WEIR_SIMULATION_SEEDS` says how many there are in all.
 */
export async function playPart(part: number): Promise<void> {
  const alone = Deno.env.get("WEIR_SIMULATION_SEED");
  if (alone !== undefined) {
    if (part === 1) await playSeed(Number(alone));
    return;
  }
  const count = Number(Deno.env.get("WEIR_SIMULATION_SEEDS") ?? 2000);
  const each = Math.ceil(count / parts);
  const ends = new Set<string | null>();
  for (let seed = (part - 1) * each + 1; seed <= Math.min(count, part * each); seed++) {
    for (const { cause } of (await playSeed(seed)).lives) ends.add(cause);
  }
  // A simulation in which no life ends at a moment proves nothing about that moment. Of before and after, one must come in each part.
  const came = new Set([...ends].map((site) => momentOf(site ?? "")));
  if (each >= 500) assert.deepEqual(deathSites.filter((site) => !came.has(momentOf(site))), [], "no life ended there");
}

function momentOf(site: string): string {
  return site.replace(/: (before|after)$/, "");
}

/**
 * Plays one seed.
 *
 * @throws {Error} naming the seed and the command that plays it alone.
 */
export async function playSeed(seed: number): Promise<Outcome> {
  try {
    return await playAndJudge(seed);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const command = `WEIR_SIMULATION_SEED=${seed} deno test -A tests/simulation/seeds_1_test.ts`;
    throw new Error(`Seed ${seed}: ${what}\n  alone: ${command}`, { cause });
  }
}

/** Rejections that nobody hears are told when the event loop turns. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
