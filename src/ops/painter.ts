/**
 * Redraws some lines in place at the lower end of a terminal, and prints log lines above them. Each redraw is one write (cursor up,
 * the lines, the rest erased), so that nothing flickers; the cursor is hidden meanwhile.
 *
 * @module
 */
import { uncoloured, widthOf } from "./screen_text.ts";

/** The terminal as the painter sees it. */
export interface PainterOptions {
  write(text: string): void;
  /** Columns now: they change when the window does. */
  columns(): number;
}

/** Paints frames. */
export interface Painter {
  /** Puts these lines in the place of the last ones. None may be wider than the terminal or hold control characters but colours. */
  paint(lines: readonly string[]): void;
  /** Prints lines above the frame, where they stay. */
  log(text: string): void;
  /** Leaves the last frame where it is and gives the cursor back. Twice is once. */
  close(): void;
}

// ECMA-48 and DEC private modes.
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
const eraseLineEnd = "\u001b[K";
const eraseBelow = "\u001b[J";

/** Makes a painter. Nothing is written before the first frame. */
export function createPainter(options: PainterOptions): Painter {
  const { write, columns } = options;
  let frame: readonly string[] = [];
  let begun = false;
  let closed = false;

  /** To the first line of the frame. A window made narrower has wrapped its lines: each takes more rows now. */
  function toTop(): string {
    const width = Math.max(1, columns());
    const rows = frame.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(widthOf(uncoloured(line)) / width)),
      0,
    );
    return rows === 0 ? "" : `\r\u001b[${rows}A`;
  }

  function drawn(lines: readonly string[]): string {
    return lines.map((line) => `${line}${eraseLineEnd}\n`).join("") + eraseBelow;
  }

  return {
    paint(lines) {
      if (closed) return;
      write((begun ? "" : hideCursor) + toTop() + drawn(lines));
      begun = true;
      frame = lines;
    },
    log(text) {
      write(begun && !closed ? `${toTop()}${eraseBelow}${text}\n${drawn(frame)}` : `${text}\n`);
    },
    close() {
      if (begun && !closed) write(showCursor);
      closed = true;
    },
  };
}
