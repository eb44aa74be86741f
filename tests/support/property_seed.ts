/**
 * Loaded before every test file: with `WEIR_TEST_SEED` all properties are tried with that seed, so that a gate gives the same answer for
 * the same code. Without it each run takes seeds of its own, prints those that fail, and so finds in time what one seed cannot.
 *
 * @module
 */
import fc from "fast-check";

const seed = Deno.env.get("WEIR_TEST_SEED");
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });
