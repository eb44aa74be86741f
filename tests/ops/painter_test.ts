import assert from "node:assert/strict";
import { createPainter } from "../../src/ops/painter.ts";

/** A terminal of so many columns that understands what a painter sends: text, line ends, cursor up, erase, cursor on and off. */
function screen(columns: number): { write(text: string): void; lines(): string[]; cursorShown: boolean } {
  let rows: string[] = [""];
  let row = 0;
  let column = 0;
  const put = (character: string) => {
    if (column === columns) [row, column] = [row + 1, 0];
    rows[row] = (rows[row] ?? "").padEnd(column).slice(0, column) + character + (rows[row] ?? "").slice(column + 1);
    column += 1;
  };
  const it = {
    cursorShown: true,
    lines: () => rows.map((line) => line.trimEnd()),
    write(text: string) {
      // deno-lint-ignore no-control-regex
      for (const [token] of text.matchAll(/\u001b\[\??[0-9;]*[A-Za-z]|[^]/gu)) {
        if (token === "\n") {
          [row, column] = [row + 1, 0];
          while (rows.length <= row) rows.push("");
        } else if (token === "\r") column = 0;
        else if (token.endsWith("A") && token.length > 1) row = Math.max(0, row - Number(token.slice(2, -1)));
        else if (token === "\u001b[K") rows[row] = (rows[row] ?? "").slice(0, column);
        else if (token === "\u001b[J") rows = [...rows.slice(0, row), (rows[row] ?? "").slice(0, column)];
        else if (token === "\u001b[?25l") it.cursorShown = false;
        else if (token === "\u001b[?25h") it.cursorShown = true;
        else if (token.length > 1) assert.ok(token.endsWith("m"), `unexpected ${JSON.stringify(token)}`);
        else put(token);
      }
    },
  };
  return it;
}

Deno.test("a frame takes the place of the one before, longer or shorter", () => {
  const terminal = screen(20);
  const painter = createPainter({ write: terminal.write, columns: () => 20 });
  painter.paint(["one", "two two", "three"]);
  assert.deepEqual(terminal.lines(), ["one", "two two", "three", ""]);
  painter.paint(["ONE", "2"]);
  assert.deepEqual(terminal.lines(), ["ONE", "2", ""]);
  painter.paint(["a", "b", "c", "d"]);
  assert.deepEqual(terminal.lines(), ["a", "b", "c", "d", ""]);
});

Deno.test("log lines stand above the frame, in order, and the frame stays whole", () => {
  const terminal = screen(20);
  const painter = createPainter({ write: terminal.write, columns: () => 20 });
  painter.log("before the first frame");
  painter.paint(["frame 1", "frame 2"]);
  painter.log("warn: one");
  painter.log("warn: two");
  painter.paint(["FRAME 1", "FRAME 2"]);
  assert.deepEqual(terminal.lines().slice(-5), ["warn: one", "warn: two", "FRAME 1", "FRAME 2", ""]);
});

Deno.test("each redraw is one write, so that nothing flickers", () => {
  const writes: string[] = [];
  const painter = createPainter({ write: (text) => writes.push(text), columns: () => 20 });
  painter.paint(["one"]);
  painter.paint(["two"]);
  painter.log("line");
  assert.equal(writes.length, 3);
});

Deno.test("the cursor is hidden while frames are painted and given back at the end, once", () => {
  const terminal = screen(20);
  const painter = createPainter({ write: terminal.write, columns: () => 20 });
  assert.equal(terminal.cursorShown, true);
  painter.paint(["one"]);
  assert.equal(terminal.cursorShown, false);
  painter.close();
  assert.equal(terminal.cursorShown, true);
  painter.close();
  painter.paint(["ghost"]);
  painter.log("after the end");
  assert.deepEqual(terminal.lines(), ["one", "after the end", ""]);
});

Deno.test("a painter that never painted leaves the terminal alone", () => {
  const writes: string[] = [];
  createPainter({ write: (text) => writes.push(text), columns: () => 20 }).close();
  assert.deepEqual(writes, []);
});

Deno.test("a window made narrower is cleared of the rows that the old frame wrapped into", () => {
  let columns = 10;
  const writes: string[] = [];
  const painter = createPainter({ write: (text) => writes.push(text), columns: () => columns });
  painter.paint(["0123456789", "\u001b[36m01234\u001b[0m", ""]);
  columns = 4;
  painter.paint(["x"]);
  // 10 columns are 3 rows of 4, 5 are 2, an empty line is 1; colours take no room.
  assert.ok(writes[1]?.startsWith("\r\u001b[6A"), JSON.stringify(writes[1]));
});
