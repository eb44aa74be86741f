/**
 * Completions, tried in the shells that there are.
 *
 * @module
 */
import assert from "node:assert/strict";
import { commands } from "../../src/cli/commands.ts";
import { belongsTo } from "../../src/config/belongs.ts";
import { flagOf } from "../../src/config/option.ts";
import { optionList } from "../../src/config/options.ts";
import { leftOut } from "../support/servers.ts";
import { fakeContext } from "./fake_context.ts";

async function script(shell: string): Promise<string> {
  const fake = fakeContext([shell]);
  const completions = commands.find(({ name }) => name === "completions");
  assert.equal(await completions?.run(fake.context), 0, fake.err());
  return fake.out();
}

/** What bash offers for the last of these words. */
async function offered(...words: string[]): Promise<readonly string[]> {
  const text = `${await script(
    "bash",
  )}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _weir; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, success } = await new Deno.Command("bash", { args: ["-c", text, "bash", ...words] }).output();
  assert.ok(success);
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

Deno.test("bash completes commands, second words, the flags of the command, and values", async () => {
  assert.deepEqual(await offered("weir", "pl"), ["plan"]);
  assert.deepEqual(await offered("weir", "dlq", "sh"), ["show"]);
  assert.deepEqual(await offered("weir", "dlq", "list", "--rea"), ["--reason"]);
  assert.deepEqual(await offered("weir", "run", "--files-pace", ""), ["cap", "deadline"]);
  assert.deepEqual(await offered("weir", "completions", "z"), ["zsh"]);
  assert.deepEqual(await offered("weir", "service", "print", "s"), ["sysusers"]);
  assert.deepEqual(await offered("weir", "dlq", "list", "--reason", "bad_c"), ["bad_csv"]);
  const flags = optionList.filter((option) => belongsTo(option, "run")).map(flagOf);
  assert.deepEqual([...await offered("weir", "run", "--")].sort(), [...flags, "--help"].sort());
});

for (const shell of ["zsh", "fish"]) {
  Deno.test(`${shell}: every flag of every command is there`, async () => {
    const text = await script(shell);
    for (const { name } of commands) {
      for (const option of optionList.filter((one) => belongsTo(one, name))) {
        assert.ok(text.includes(shell === "fish" ? `-l ${option.name} ` : flagOf(option)), `${name} ${option.name}`);
      }
    }
  });
}

const zsh = await new Deno.Command("sh", { args: ["-c", "command -v zsh"] }).output();
if (!zsh.success) leftOut("Completions in zsh", "no zsh found; install Debian's package zsh");
else {
  Deno.test("zsh is asked to complete behind the name of the command, which has no word before its flags", async () => {
    const said = async (...words: string[]) => {
      const stubs = "compdef() {}; _arguments() { print -r -- $CURRENT $words -- $2 }";
      const text = `${stubs}\n${await script("zsh")}\nwords=("$@"); CURRENT=$#; _weir`;
      const { stdout, success } = await new Deno.Command("zsh", { args: ["-fc", text, "zsh", ...words] }).output();
      assert.ok(success);
      return new TextDecoder().decode(stdout).trim();
    };
    assert.match(await said("weir", "run", "--files-pac"), /^2 run --files-pac -- --config/);
    assert.match(await said("weir", "dlq", "list", "--reas"), /^2 list --reas -- --config/);
    assert.match(await said("weir", "service", "print", "s"), /^2 print s -- 1:what:\(unit env/);
  });
}

Deno.test("another shell is a mistake that names those there are", async () => {
  const fake = fakeContext(["tcsh"]);
  assert.equal(await commands.find(({ name }) => name === "completions")?.run(fake.context), 78);
  assert.match(fake.err(), /one of bash, zsh, fish/);
});
