/**
 * Seeds of random tests: a new one for each run, printed, or the one in `WEIR_TEST_SEED`, to see a failure again.
 *
 * @module
 */

/** The seed of a test, told on stderr under the test's name. */
export function printedSeed(name: string): number {
  const given = Deno.env.get("WEIR_TEST_SEED");
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  say(`${name}: WEIR_TEST_SEED=${seed}`);
  return seed;
}

/** A line about a test for whoever watches it run. */
export function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
