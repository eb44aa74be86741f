import assert from "node:assert/strict";
import { commands } from "../../src/cli/commands.ts";
import { commandHelp, programHelp } from "../../src/cli/help.ts";
import { belongsTo } from "../../src/config/belongs.ts";
import { optionList } from "../../src/config/options.ts";

Deno.test("the help of a command has each of its flags once, and no other", () => {
  for (const command of commands) {
    const help = commandHelp(command, 80);
    for (const option of optionList) {
      const found = [...help.matchAll(new RegExp(`^ {2}--${option.name}(?= |$)`, "gm"))].length;
      assert.equal(found, belongsTo(option, command.name) ? 1 : 0, `${command.name} --${option.name}`);
    }
  }
});

Deno.test("no line of the flags is wider than the terminal, from 80 to 100 columns", () => {
  for (const columns of [80, 90, 100, 250]) {
    for (const command of commands) {
      const [flags = ""] = commandHelp(command, columns).split("\nExamples\n");
      // A placeholder is never broken, so a line that is nothing but a flag may be longer.
      const lines = flags.split("\n").filter((line) => !/^ {2}--\S+ \S+$/.test(line) && !line.startsWith("weir "));
      for (const line of lines) assert.ok(line.length <= Math.min(columns, 100), `${columns}: ${line}`);
    }
  }
});

Deno.test("the help tells defaults, units and examples", () => {
  const [run] = commands;
  assert.ok(run !== undefined);
  const help = commandHelp(run, 100).replace(/\s+/g, " ");
  assert.ok(help.includes("[rows/s; default: 500/s; like 2000/s]"));
  assert.ok(help.includes("WEIR_FILES_CAP"));
});

Deno.test("the list of commands fits 80 columns", () => {
  for (const line of programHelp(commands, "1.2.3").split("\n")) assert.ok(line.length <= 88, line);
});
