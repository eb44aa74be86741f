import assert from "node:assert/strict";
import { capabilitiesOf } from "../../src/ops/terminal.ts";

Deno.test("colours are for terminals only, and not where NO_COLOR asks for none", () => {
  assert.equal(capabilitiesOf(true, {}).colour, true);
  assert.equal(capabilitiesOf(true, { NO_COLOR: "" }).colour, true);
  assert.equal(capabilitiesOf(true, { NO_COLOR: "1" }).colour, false);
  assert.equal(capabilitiesOf(true, { TERM: "dumb" }).colour, false);
  assert.equal(capabilitiesOf(false, {}).colour, false);
});

Deno.test("box characters need a locale that says UTF-8; the first variable that is set decides", () => {
  assert.equal(capabilitiesOf(true, { LANG: "C.UTF-8" }).unicode, true);
  assert.equal(capabilitiesOf(true, { LANG: "de_DE.utf8" }).unicode, true);
  assert.equal(capabilitiesOf(true, { LC_ALL: "C", LANG: "C.UTF-8" }).unicode, false);
  assert.equal(capabilitiesOf(true, { LC_ALL: "", LANG: "C.UTF-8" }).unicode, true);
  assert.equal(capabilitiesOf(true, {}).unicode, false);
});

Deno.test("only a terminal that can move its cursor is painted on", () => {
  assert.equal(capabilitiesOf(true, { TERM: "xterm" }).interactive, true);
  assert.equal(capabilitiesOf(true, { TERM: "dumb" }).interactive, false);
  assert.equal(capabilitiesOf(false, { TERM: "xterm" }).interactive, false);
});
