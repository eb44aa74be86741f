/**
 * Tests of the tests: each broken scheduler is caught by the promise that it breaks.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import type { createFairShare } from "../../src/scheduler/fair_share.ts";
import { simulate } from "./model.ts";
import type { Item, Plan } from "./plan.ts";
import { type Promised, promises } from "./promises.ts";
import { sound, type Variant, variants } from "./broken/variants.ts";

const sources = new URL("../../src/scheduler/", import.meta.url);
const core = new URL("../../src/core/", import.meta.url);

/** Far more than any of them needs: most are caught in the first twenty. */
const worldsMax = 800;

for (const variant of variants) {
  Deno.test(`a broken scheduler is caught: ${variant.name}`, async () => {
    const result = await tried(variant, promises[variant.caughtBy], worldsMax);
    assert.ok(result.failed, `${result.numRuns} worlds and none shows it (seed ${result.seed})`);
    assert.ok(result.errorInstance instanceof assert.AssertionError, String(result.errorInstance));
  });
}

Deno.test("a copy of the scheduler with nothing wrong is not caught", async () => {
  const result = await tried(sound, promises.cap, 50);
  assert.ok(!result.failed, String(result.errorInstance));
});

async function tried(variant: Variant, { plans, check }: Promised, numRuns: number): Promise<fc.RunDetails<[Plan]>> {
  const make = await copyOf(variant);
  const property = fc.property(plans, (plan) => assert.equal(check(simulate(plan, make, variant.route)), null));
  return fc.check(property, { numRuns, endOnFailure: true });
}

/** Copies src/scheduler/, makes the edits, and loads the copy. */
async function copyOf({ edits }: Variant): Promise<typeof createFairShare<Item>> {
  const folder = await Deno.makeTempDir({ prefix: "weir-broken-" });
  try {
    for await (const { name } of Deno.readDir(sources)) {
      let text = await Deno.readTextFile(new URL(name, sources));
      for (const { file, from, to } of edits) {
        if (file !== name) continue;
        assert.equal(text.split(from).length, 2, `"${from}" must stand once in ${name}`);
        text = text.replace(from, () => to);
      }
      await Deno.writeTextFile(join(folder, name), text.replaceAll(`"../core/`, `"${core.href}`));
    }
    const module: { createFairShare: typeof createFairShare<Item> } = await import(
      pathToFileURL(join(folder, "fair_share.ts")).href
    );
    return module.createFairShare;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
