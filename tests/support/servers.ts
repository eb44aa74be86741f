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
 * How long a test waits for what has to come. It costs nothing when all is well, and a machine that is slow, busy or stands still for a
 * while has the time that it needs: what is tested is that it comes, not how soon.
 */
export const patienceMs = 180_000;

/**
 * Waits until `condition` gives something other than null, false or undefined, asking again every `everyMs`.
 *
 * @throws {Error} when `withinMs` have passed; the last error of `condition`, if any, is its cause.
 */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = patienceMs,
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

/** Ports that Linux gives to nobody by itself: neither to a listener on port 0 nor to the near end of a connection. */
const ports = { first: 20_000, end: 32_000 };

/**
 * A TCP port on 127.0.0.1 that nobody else gets. A server may listen on it much later, and go away and come back: so it is none that the
 * system would give to somebody else meanwhile, and the test files of a machine, which run side by side, take theirs in turn.
 */
export function freePort(): number {
  for (let tries = ports.first; tries < ports.end; tries++) {
    const port = nextPort();
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.AddrInUse)) throw thrown;
    }
  }
  throw new Error(`No port from ${ports.first} to ${ports.end - 1} is free on 127.0.0.1`);
}

/** Counts on in a file that all test files of this user share. */
function nextPort(): number {
  const path = `${Deno.env.get("TMPDIR") ?? "/tmp"}/weir-test-port-${Deno.uid() ?? 0}`;
  using file = Deno.openSync(path, { read: true, write: true, create: true });
  file.lockSync(true);
  const bytes = new Uint8Array(8);
  const last = Number(new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0)));
  const inRange = last >= ports.first && last + 1 < ports.end;
  const port = inRange ? last + 1 : ports.first;
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(new TextEncoder().encode(`${port}`));
  return port;
}
