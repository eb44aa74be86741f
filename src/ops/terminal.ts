/**
 * What the program writes for people on, and what it can show: size, colours, characters.
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
  columns(): number;
  rows(): number;
  /** Writes at once and in full. An output that nobody reads any more (a closed pipe) swallows it. */
  write(text: string): void;
}

/** Environment variables that matter here. */
export type TerminalEnvironment = Readonly<Record<string, string | undefined>>;

/** What the variables say about an output. */
export function capabilitiesOf(
  isTerminal: boolean,
  environment: TerminalEnvironment,
): { readonly interactive: boolean; readonly colour: boolean; readonly unicode: boolean } {
  const { TERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG } = environment;
  const interactive = isTerminal && TERM !== "dumb";
  // The first one that is set and not empty counts (POSIX, Base Definitions, 8.2).
  const locale = LC_ALL || LC_CTYPE || LANG || "";
  return {
    interactive,
    // https://no-color.org: any value but the empty one.
    colour: interactive && (NO_COLOR === undefined || NO_COLOR === ""),
    unicode: /utf-?8/i.test(locale),
  };
}

/** Size to draw for when the terminal does not tell its own. */
const fallbackSize = { columns: 80, rows: 24 } as const;

/** Standard output or standard error of this process. */
export function systemTerminal(stream: "stdout" | "stderr", environment: TerminalEnvironment): Terminal {
  const output = Deno[stream];
  const encoder = new TextEncoder();
  const size = () => {
    try {
      const { columns, rows } = Deno.consoleSize();
      return columns > 0 && rows > 0 ? { columns, rows } : fallbackSize;
    } catch {
      return fallbackSize;
    }
  };
  return {
    ...capabilitiesOf(output.isTerminal(), environment),
    columns: () => size().columns,
    rows: () => size().rows,
    write(text) {
      try {
        let bytes = encoder.encode(text);
        while (bytes.length > 0) bytes = bytes.subarray(output.writeSync(bytes));
      } catch (error) {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      }
    },
  };
}
