/**
 * What a command is given and what it gives back. The machine is passed in (streams, signals, clock, the makers of the app and of the
 * ledger's reader), so that a test can run a whole command.
 *
 * @module
 */
import type { App, AppDeps } from "../app.ts";
import type { CommandName } from "../config/option.ts";
import type { Complaint } from "../config/problem.ts";
import type { Surroundings } from "../config/surroundings.ts";
import type { Settings } from "../config/settings.ts";
import type { Clock } from "../core/clock.ts";
import type { Dice } from "../core/dice.ts";
import type { CheckpointStore, DeadLetterStore } from "../core/store.ts";
import type { LetterDesk } from "../store/letter_desk.ts";

/** A stream of text that people or programs read. */
export interface Output {
  /** Writes at once. A reader that has gone is no error. */
  write(text: string): void;
  /** A write has found its reader gone: nobody sees what follows. */
  readonly isGone: boolean;
  readonly isTerminal: boolean;
  /** Whether colours are wanted: a terminal, and no `NO_COLOR` (no-color.org). */
  readonly colour: boolean;
  /** Width in characters; 80 when it is no terminal. */
  readonly columns: number;
  readonly rows: number;
}

/** Dead letters, for looking at. */
export interface LetterBook extends Pick<DeadLetterStore, "list" | "letter" | "letterCount"> {
  close(): Promise<void>;
}

/** Records of files, for looking at. */
export interface RecordBook extends Pick<CheckpointStore, "files"> {
  close(): Promise<void>;
}

/** The machine, as far as a command uses it. */
export interface CommandContext {
  /** What stands behind the command's name. */
  readonly args: readonly string[];
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly version: string;
  /** For results: what the command was called for. */
  readonly output: Output;
  /** For everything else: log, mistakes. */
  readonly errors: Output;
  /** The bytes of records (`--sink stdout`). */
  readonly stdout: AppDeps["stdout"];
  /** Calls back at each SIGINT and SIGTERM; returns how to stop that. */
  onStopSignal(callback: (signal: string) => void): () => void;
  /** Calls back at each SIGHUP; returns how to stop that. */
  onReloadSignal(callback: () => void): () => void;
  /** What the parts have against settings that are right by themselves. */
  complaintsOf(settings: Settings): readonly Complaint[];
  createApp(settings: Settings, deps: AppDeps): App;
  /**
   * Opens the dead letters for reading, also while a gateway runs on the state folder.
   *
   * @throws {WeirError} `unavailable` when there is no ledger, `permission`, `corrupt_state`.
   */
  openLetters(stateDir: string): Promise<LetterBook>;
  /**
   * Opens the dead letters to act on them, also while a gateway runs on the state folder.
   *
   * @throws {WeirError} as `openLetters`; `unavailable` also when the gateway that runs is of an older version.
   */
  openLetterDesk(stateDir: string): Promise<LetterDesk>;
  /** Asks a person at the terminal; null when there is none. */
  ask(question: string): string | null;
  /** Opens the records of files in the same way. */
  openRecords(stateDir: string): Promise<RecordBook>;
}

/** A command. */
export interface Command {
  /** One word, or two: `run`, `dlq list`. */
  readonly name: CommandName;
  /** One line for the list of commands: begins small, no full stop. */
  readonly summary: string;
  /** What stands behind the name besides flags: `NUMBER`, or nothing. */
  readonly words: string;
  /** Defaults that differ from those of the table, in words, by name of the setting. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** What mistakes in its settings come to: a sentence. Default: where to read what it takes. */
  readonly undone?: string;
  /** For the foot of its help: whole command lines. */
  readonly examples: readonly string[];
  /**
   * Runs it.
   *
   * @returns the exit code (sysexits)
   * @throws {WeirError} for what stops it; the caller says it and takes the exit code from it.
   */
  run(context: CommandContext): Promise<number>;
}
