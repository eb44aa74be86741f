/**
 * The real program as a child process, for tests from end to end: `deno run -A main.ts`, or the
 * compiled one that `WEIR_TEST_BINARY_X64` names, so that where there is one the shipped thing is what is tested.
 *
 * @module
 */
import { eventually, patienceMs } from "./servers.ts";

/** A gateway under test. */
export interface Gateway {
  readonly pid: number;
  /** All that it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until stderr has a line that fits. */
  logged(pattern: RegExp, withinMs?: number): Promise<string>;
  signal(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGHUP" | "SIGSTOP" | "SIGCONT"): void;
  /** Resolves with the exit code when it has ended. */
  readonly ended: Promise<number>;
  /** SIGTERM, then waits for the exit code. */
  stop(): Promise<number>;
}

const main = new URL("../../main.ts", import.meta.url).pathname;

/** Command line of the program under test, without its arguments. */
export function programUnderTest(): readonly string[] {
  const binary = Deno.env.get("WEIR_TEST_BINARY_X64");
  return binary === undefined ? [Deno.execPath(), "run", "-A", main] : [binary];
}

/**
 * Starts the program. Its environment has no `WEIR_` variables but those given, and one that keeps the status server off: gateways of
 * tests that run at the same time would fight for its port.
 */
export function startGateway(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  program: readonly string[] = programUnderTest(),
): Gateway {
  const [executable = "", ...words] = program;
  const command = new Deno.Command(executable, {
    args: [...words, ...args],
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
    logged(pattern, withinMs = patienceMs) {
      return eventually(
        `the gateway logs ${pattern}`,
        () => {
          const line = err.text().split("\n").find((candidate) => pattern.test(candidate));
          if (line === undefined && over) throw new Error(`It ended without; stderr was:\n${err.text()}`);
          return line;
        },
        withinMs,
      ).catch((thrown) => {
        throw new Error(`It does not log ${pattern}; the end of stderr:\n${err.text().slice(-4_000)}`, {
          cause: thrown,
        });
      });
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
  program: readonly string[] = programUnderTest(),
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const gateway = startGateway(args, environment, program);
  const code = await gateway.ended;
  return { code, stdout: gateway.stdout(), stderr: gateway.stderr() };
}

function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) =>
    !name.startsWith("WEIR_") && name !== "JOURNAL_STREAM" && name !== "STATE_DIRECTORY" &&
    name !== "NOTIFY_SOCKET"
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
