/**
 * The machine that commands run on: streams, signals, clock.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { createApp } from "../app.ts";
import { machine } from "../config/surroundings.ts";
import { systemClock } from "../core/clock.ts";
import { turnClock } from "../core/turn_clock.ts";
import { systemDice } from "../core/dice.ts";
import { openLetterDesk } from "../store/letter_desk.ts";
import { openLedgerReadOnly } from "../store/read_only.ts";
import type { CommandContext, Output } from "./command.ts";
import { complaintsOf } from "./complaints.ts";
import { versionText } from "./inside.ts";

/** Context of a command that runs on this machine with these arguments. */
export async function machineContext(args: readonly string[]): Promise<Omit<CommandContext, "args">> {
  const surroundings = await machine(args);
  const wantsColour = (surroundings.environment["NO_COLOR"] ?? "") === "" &&
    surroundings.environment["TERM"] !== "dumb";
  return {
    surroundings,
    clock: turnClock(systemClock),
    dice: systemDice,
    version: versionText(config.version),
    output: outputTo(Deno.stdout, wantsColour),
    errors: outputTo(Deno.stderr, wantsColour),
    stdout: Deno.stdout,
    onStopSignal,
    onReloadSignal,
    complaintsOf,
    createApp,
    openLetters: openLedgerReadOnly,
    openLetterDesk,
    ask: (question) => Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? prompt(question) ?? "" : null,
    openRecords: openLedgerReadOnly,
  };
}

function outputTo(stream: typeof Deno.stdout | typeof Deno.stderr, wantsColour: boolean): Output {
  const encoder = new TextEncoder();
  const isTerminal = stream.isTerminal();
  let isGone = false;
  const size = () => isTerminal ? Deno.consoleSize() : { columns: 80, rows: 24 };
  return {
    write(text) {
      const bytes = encoder.encode(text);
      try {
        for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
      } catch (thrown) {
        // `weir help run | head`: nobody reads on, and that is their right.
        if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
        isGone = true;
      }
    },
    get isGone() {
      return isGone;
    },
    isTerminal,
    colour: isTerminal && wantsColour,
    get columns() {
      return size().columns;
    },
    get rows() {
      return size().rows;
    },
  };
}

function onReloadSignal(callback: () => void): () => void {
  Deno.addSignalListener("SIGHUP", callback);
  return () => Deno.removeSignalListener("SIGHUP", callback);
}

function onStopSignal(callback: (signal: string) => void): () => void {
  const removals = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const listener = () => callback(signal);
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return () => removals.forEach((remove) => remove());
}
