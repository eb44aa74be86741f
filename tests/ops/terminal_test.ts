import assert from "node:assert/strict";
import { type Terminal, terminalOf } from "../../src/ops/terminal.ts";

function terminal(isTerminal: boolean, environment: Record<string, string>): Terminal {
  return terminalOf({ isTerminal, colour: isTerminal, columns: 80, rows: 24, write: () => {} }, environment);
}

Deno.test("only a terminal that can move its cursor is painted on, and in colour", () => {
  assert.equal(terminal(true, { TERM: "xterm" }).interactive, true);
  assert.equal(terminal(true, { TERM: "xterm" }).colour, true);
  assert.equal(terminal(true, { TERM: "dumb" }).interactive, false);
  assert.equal(terminal(true, { TERM: "dumb" }).colour, false);
  assert.equal(terminal(false, { TERM: "xterm" }).interactive, false);
});

Deno.test("box characters need a locale that says UTF-8; the first variable that is set decides", () => {
  assert.equal(terminal(true, { LANG: "C.UTF-8" }).unicode, true);
  assert.equal(terminal(true, { LANG: "de_DE.utf8" }).unicode, true);
  assert.equal(terminal(true, { LC_ALL: "C", LANG: "C.UTF-8" }).unicode, false);
  assert.equal(terminal(true, { LC_ALL: "", LANG: "C.UTF-8" }).unicode, true);
  assert.equal(terminal(true, {}).unicode, false);
});
