/**
 * A sink that writes one JSON line for each reading to standard output, for pipes and for looking. A reading is delivered once the
 * operating system has taken its line.
 *
 * When the reader closes the pipe (`weir run --sink stdout | head`) nothing can ever be delivered again: that is said once, the owner
 * is told so that the program can leave in order, and what was not written stays unacknowledged and comes again.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { Sink } from "../../core/sink.ts";
import { createLineWriter, type LineTarget } from "../line_writer.ts";

/** Where it writes. */
export interface StdoutOptions {
  /** Writes some of the bytes and says how many: `Deno.stdout.write`. */
  readonly write: (bytes: Uint8Array) => Promise<number>;
}

/** What it works with. */
export interface StdoutDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** The reader is gone for good. Called once; then only `close` is left to do, and a `flush` waits until then. */
  readonly onClosed: () => void;
}

/** Makes the sink. */
export function createStdoutSink(options: StdoutOptions, deps: StdoutDeps): Sink {
  const { clock, dice, emit } = deps;
  const writer = createLineWriter({
    kind: "stdout",
    clock,
    dice,
    emit,
    openTarget: () => Promise.resolve(pipe(options.write)),
    onGone(error) {
      emit("warn", "stdout.closed", messageOf(error));
      deps.onClosed();
    },
  });
  return {
    name: "stdout",
    ...writer,
    check: () => Promise.resolve([{ ok: true, subject: "standard output", result: "is always there" }]),
  };
}

/** A pipe cannot take back what it was given: a write that failed half-way goes on where it stopped. */
function pipe(write: StdoutOptions["write"]): LineTarget {
  let written = 0;
  return {
    async append(lines) {
      try {
        while (written < lines.byteLength) written += await write(lines.subarray(written));
        written = 0;
      } catch (thrown) {
        throw writeError(thrown);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** EPIPE: the reader closed it. EIO: the terminal hung up. EBADF: it was closed from the start (`>&-`). */
const goneCodes: readonly unknown[] = ["EPIPE", "EIO", "EBADF"];

function writeError(thrown: unknown): WeirError {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (thrown instanceof Deno.errors.BrokenPipe || goneCodes.includes(code)) {
    return new WeirError("unavailable", "Whoever read the output is gone: nothing more can be written to it", {
      cause: thrown,
    });
  }
  return new WeirError("storage", `Cannot write to the output: ${messageOf(thrown)}`, {
    retriable: true,
    advice: "Look at where it goes (a file on a full disk?)",
    cause: thrown,
  });
}
