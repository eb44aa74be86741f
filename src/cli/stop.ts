/**
 * What ends a run from outside: signals, and a reader of the output that goes away.
 *
 * @module
 */
import type { AppDeps } from "../app.ts";
import type { CommandContext } from "./command.ts";

/** Reasons to stop, in the order in which they come. */
export interface StopRequests {
  /** The first one: drain and leave. Resolves with the reason, for people. */
  readonly first: Promise<string>;
  /** Another signal after that: leave at once. */
  readonly second: Promise<void>;
  /** Asks for a stop from inside. */
  ask(reason: string): void;
  /** Listens no longer: a signal ends the process again. */
  release(): void;
}

/** Listens for SIGINT and SIGTERM. */
export function listenForStop(context: Pick<CommandContext, "onStopSignal">): StopRequests {
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<void>();
  let asked = false;
  const ask = (reason: string): void => {
    asked = true;
    first.resolve(reason);
  };
  const release = context.onStopSignal((signal) => {
    if (asked) second.resolve();
    else ask(`${signal} came; once more quits at once`);
  });
  return { first: first.promise, second: second.promise, ask, release };
}

/** A stdout that calls back when its reader is gone (`weir run --sink stdout | head`). */
export function watchedStdout(stdout: AppDeps["stdout"], onGone: () => void): AppDeps["stdout"] {
  return {
    async write(bytes) {
      try {
        return await stdout.write(bytes);
      } catch (thrown) {
        if (thrown instanceof Deno.errors.BrokenPipe) onGone();
        throw thrown;
      }
    },
  };
}
