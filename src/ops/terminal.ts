/**
 * What the live view is painted on, and what it can show.
 *
 * @module
 */

/** An output for people. */
export interface Terminal {
  /** False for a pipe, a file, and a terminal that cannot move its cursor. */
  readonly interactive: boolean;
  /** Whether colours are wanted and can be shown. */
  readonly colour: boolean;
  /** Whether box and block characters can be shown. */
  readonly unicode: boolean;
  /** Size now, in characters: it changes with the window. */
  columns(): number;
  rows(): number;
  write(text: string): void;
}

/** An output as a command has it. */
interface TextOutput {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly colour: boolean;
  readonly columns: number;
  readonly rows: number;
}

const fallbackSize = { columns: 80, rows: 24 } as const;

/** Makes a {@linkcode Terminal} of an output, by what the environment says of it. */
export function terminalOf(output: TextOutput, environment: Readonly<Record<string, string | undefined>>): Terminal {
  const { TERM, LC_ALL, LC_CTYPE, LANG } = environment;
  // The first one that is set and not empty counts (POSIX, Base Definitions, 8.2).
  const locale = LC_ALL || LC_CTYPE || LANG || "";
  return {
    interactive: output.isTerminal && TERM !== "dumb",
    colour: output.colour && TERM !== "dumb",
    unicode: /utf-?8/i.test(locale),
    // A terminal that does not know its size says 0.
    columns: () => output.columns || fallbackSize.columns,
    rows: () => output.rows || fallbackSize.rows,
    write: (text) => output.write(text),
  };
}
