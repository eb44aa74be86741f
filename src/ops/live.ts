/**
 * Keeps the live view alive: asks for the status a few times a second and paints it; on anything but a terminal it prints a plain line
 * now and then instead.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { Event, Level } from "../core/event.ts";
import type { AppStatus } from "../core/status.ts";
import { renderLive, renderPlain } from "./live_view.ts";
import { createPainter } from "./painter.ts";
import type { Terminal } from "./terminal.ts";

/** What the live view needs. */
export interface LiveViewerOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  status(): AppStatus;
  /** When the show ends, on the scale of `upMs`; null: it is stopped by hand. */
  readonly endsAtMs: number | null;
  /** Events of at least this level are printed above the picture. */
  readonly level: Level;
}

/** The live view at work. */
export interface LiveViewer {
  /** Begins to paint. */
  start(): void;
  /** A listener of events. Works before `start` and after `stop` too. */
  log(event: Event): void;
  /** Paints a last time and gives the terminal back. Twice is once. */
  stop(): void;
}

const frameMs = 250;
const plainLineMs = 5000;
/** What the curves show, and a little more. */
const historyMs = 30_000;
const levels: readonly Level[] = ["debug", "info", "warn", "error"];
/** Select Graphic Rendition parameters for each level. */
const levelColours: Readonly<Record<Level, string>> = { debug: "2", info: "2", warn: "33", error: "1;31" };

/** Makes a live view; `start` starts it. */
export function createLiveViewer(options: LiveViewerOptions): LiveViewer {
  const { terminal, clock, status, endsAtMs, level } = options;
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
    log(event) {
      if (levels.indexOf(event.level) < levels.indexOf(level)) return;
      const label = event.level.padEnd(5);
      const coloured = terminal.colour ? `\u001b[${levelColours[event.level]}m${label}\u001b[0m` : label;
      painter.log(`${coloured} ${event.message}`);
    },
    stop() {
      if (stopped) return;
      stopped = true;
      timer?.cancel();
      if (timer !== null) show();
      painter.close();
    },
  };
}
