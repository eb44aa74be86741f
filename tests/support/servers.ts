/**
 * What a suite that needs a real server does when there is none. On a developer's machine it is left out, and says so; where
 * servers are promised (`CI=true`, or `WEIR_TEST_REQUIRE_SERVERS=1`) its absence is a failing test, so that nothing is left out
 * without anybody noticing.
 *
 * @module
 */

/** Tells the operating system's word on whether servers must be there. */
export function serversRequired(): boolean {
  return Deno.env.get("CI") === "true" || Deno.env.get("WEIR_TEST_REQUIRE_SERVERS") === "1";
}

/**
 * Says that a suite is left out, in one line on stderr, or registers a failing test where servers are required. Call it at the top
 * level of the test file, in place of registering the suite's tests.
 *
 * @param suite what is left out: `Kafka sink end to end`
 * @param reason what is missing and how to get it: `no java on PATH; install a Java 17 runtime or set WEIR_TEST_KAFKA_BROKERS`
 */
export function leftOut(suite: string, reason: string): void {
  if (!serversRequired()) {
    Deno.stderr.writeSync(new TextEncoder().encode(`left out: ${suite}: ${reason}\n`));
    return;
  }
  Deno.test(`${suite} has the server it needs`, () => {
    throw new Error(`${suite} cannot run, and servers are required here: ${reason}`);
  });
}

/**
 * Waits until `condition` gives something other than null, false or undefined, asking again every `everyMs`.
 *
 * @throws {Error} when `withinMs` have passed; the last error of `condition`, if any, is its cause.
 */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 30_000,
  everyMs = 20,
): Promise<T> {
  const until = performance.now() + withinMs;
  let last: unknown;
  do {
    try {
      const found = await condition();
      if (found !== null && found !== undefined && found !== false) return found;
      last = undefined;
    } catch (thrown) {
      last = thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  } while (performance.now() < until);
  throw new Error(`Waited ${withinMs} ms in vain until ${what}`, { cause: last });
}

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
