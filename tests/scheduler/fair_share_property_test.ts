/**
 * The scheduler keeps its promises in random worlds. A failure prints the seed and the smallest world that shows it.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createFairShare } from "../../src/scheduler/fair_share.ts";
import { simulate } from "./model.ts";
import { type Promised, promises } from "./promises.ts";

for (const { name, plans, check, runs } of Object.values<Promised>(promises)) {
  Deno.test(name, () => {
    fc.assert(
      fc.property(plans, (plan) => assert.equal(check(simulate(plan, createFairShare)), null)),
      { numRuns: runs },
    );
  });
}
