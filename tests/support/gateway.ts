/**
 * The real program as a child process, for tests from end to end: `deno run -A main.ts`, or a compiled binary named in `WEIR_TEST_BINARY`.
 *
 * @module
 */
import { eventually } from "./servers.ts";

/** A gateway under test. */
export interface Gateway {
  readonly pid: number;
  /** All that it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until stderr has a line that fits. */
  logged(pattern: RegExp, withinMs?: number): Promise<string>;
  signal(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): void;
  /** Resolves with the exit code when it has ended. */
  readonly ended: Promise<number>;
  /** SIGTERM, then waits for the exit code. */
  stop(): Promise<number>;
}

const main = new URL("../../main.ts", import.meta.url).pathname;

/**
 * Starts the program. Its environment has no `WEIR_` variables but those given, and one that keeps the status server off: gateways of
 * tests that run at the same time would fight for its port.
 */
export function startGateway(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Gateway {
  const binary = Deno.env.get("WEIR_TEST_BINARY");
  const command = new Deno.Command(binary ?? Deno.execPath(), {
    args: binary === undefined ? ["run", "-A", main, ...args] : [...args],
    env: { ...cleanEnvironment(), ...environment },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const out = collected(child.stdout);
  const err = collected(child.stderr);
  let over = false;
  const ended = Promise.all([child.status, out.done, err.done]).then(([status]) => {
    over = true;
    return status.code;
  });

  function signal(name: Deno.Signal): void {
    if (!over) child.kill(name);
  }

  return {
    pid: child.pid,
    stdout: out.text,
    stderr: err.text,
    logged(pattern, withinMs = 30_000) {
      return eventually(
        `the gateway logs ${pattern}`,
        () => {
          const line = err.text().split("\n").find((candidate) => pattern.test(candidate));
          if (line === undefined && over) throw new Error(`It ended without; stderr was:\n${err.text()}`);
          return line;
        },
        withinMs,
      );
    },
    signal,
    ended,
    stop() {
      signal("SIGTERM");
      return ended;
    },
  };
}

/** Runs the program to its end. */
export async function runGateway(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const gateway = startGateway(args, environment);
  const code = await gateway.ended;
  return { code, stdout: gateway.stdout(), stderr: gateway.stderr() };
}

function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) =>
    !name.startsWith("WEIR_") && name !== "JOURNAL_STREAM" && name !== "STATE_DIRECTORY"
  );
  return { ...Object.fromEntries(kept), NO_COLOR: "1", WEIR_STATUS_LISTEN: "none" };
}

function collected(stream: ReadableStream<Uint8Array>): { text(): string; readonly done: Promise<void> } {
  const decoder = new TextDecoder();
  let text = "";
  const done = (async () => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  })();
  return { text: () => text, done };
}
