/**
 * Keeps the live view alive: asks for the status a few times a second and paints it; on anything but a terminal it prints a plain line
 * now and then instead.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { AppStatus } from "../core/status.ts";
import { renderLive, renderPlain } from "./live_view.ts";
import { createPainter } from "./painter.ts";
import { clip } from "./screen_text.ts";
import type { Terminal } from "./terminal.ts";

/** What the live view needs. */
export interface LiveViewerOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  status(): AppStatus;
  /** When the show ends, on the scale of `upMs`; null: it is stopped by hand. */
  readonly endsAtMs: number | null;
}

/** The live view at work. */
export interface LiveViewer {
  /** Begins to paint. */
  start(): void;
  /** Prints a line of the log above the picture, where it stays; a very long one is cut. Works before `start` and after `stop` too. */
  print(line: string): void;
  /** On a terminal, paints a last time and gives the cursor back. Twice is once. */
  stop(): void;
}

const frameMs = 250;
const plainLineMs = 5000;
/** A line that is printed above the picture takes no more rows than this: the rest of it would push the picture about. */
const printedRowsMax = 2;
/** What the curves show, and a little more. */
const historyMs = 30_000;

/** Makes a live view; `start` starts it. */
export function createLiveViewer(options: LiveViewerOptions): LiveViewer {
  const { terminal, clock, status, endsAtMs } = options;
  const painter = createPainter(terminal);
  let history: readonly AppStatus[] = [];
  let timer: Timer | null = null;
  let stopped = false;

  function look(): void {
    const now = status();
    history = [...history.filter(({ upMs }) => upMs > now.upMs - historyMs), now];
  }

  function show(): void {
    look();
    if (terminal.interactive) {
      const { colour, unicode } = terminal;
      const size = { columns: terminal.columns(), rows: terminal.rows() };
      painter.paint(renderLive(history, { ...size, colour, unicode, endsAtMs }));
    } else {
      painter.log(renderPlain(history));
    }
  }

  function again(): void {
    timer = clock.after(terminal.interactive ? frameMs : plainLineMs, () => {
      show();
      again();
    });
  }

  return {
    start() {
      if (timer !== null || stopped) return;
      if (terminal.interactive) show();
      else look();
      again();
    },
    print(line) {
      const whole = line.replace(/\n$/, "");
      painter.log(terminal.interactive ? clip(whole, printedRowsMax * terminal.columns()) : whole);
    },
    stop() {
      if (stopped) return;
      stopped = true;
      timer?.cancel();
      if (timer !== null && terminal.interactive) show();
      painter.close();
    },
  };
}
