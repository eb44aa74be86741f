import assert from "node:assert/strict";
import { renderProblems, wrap } from "../../src/config/problem.ts";

Deno.test("each mistake tells where, what was seen and what is allowed, within the width", () => {
  const text = renderProblems(
    [
      { where: "--mqtt-qos", seen: "2", message: "Must be one of 0, 1" },
      { where: "WEIR_X", seen: null, message: "Unknown variable. Did you mean WEIR_Y?" },
      { where: "--filter", seen: null, message: "a word ".repeat(30).trim() },
    ],
    "Nothing came of it.",
    60,
  );
  assert.ok(text.startsWith("weir: 3 mistakes in the settings\n"));
  assert.ok(text.includes('  --mqtt-qos "2"\n      Must be one of 0, 1.\n'));
  assert.ok(text.includes("Did you mean WEIR_Y?\n"));
  assert.ok(text.endsWith("\n\nNothing came of it.\n"));
  for (const line of text.split("\n")) assert.ok(line.length <= 60, line);
});

Deno.test("control characters and logins in what was seen do not reach the terminal", () => {
  const text = renderProblems([
    { where: "--mqtt-url", seen: "mqtt://me:hunter2@h/\u001b[31m", message: "No" },
    { where: "c.yaml:1:1 \u001b[2J", seen: null, message: "No" },
  ], "");
  assert.ok(!text.includes("\u001b"));
  assert.ok(!text.includes("hunter2"));
  assert.ok(text.includes("mqtt://...@h/"));
});

Deno.test("wrapping keeps every word in order and never splits one", () => {
  const words = "a bb ccc dddd eeeee ffffffffffffffffff g".split(" ");
  const lines = wrap(words.join(" "), 12, "  ").split("\n");
  assert.deepEqual(lines.flatMap((line) => line.trim().split(" ")), words);
  assert.ok(lines.every((line) => line.startsWith("  ")));
});
