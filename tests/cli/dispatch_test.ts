import assert from "node:assert/strict";
import { commands } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import type { Command } from "../../src/cli/command.ts";
import { WeirError } from "../../src/core/error.ts";
import { fakeContext } from "./fake_context.ts";

async function weir(words: readonly string[], list: readonly Command[] = commands) {
  const fake = fakeContext([]);
  return { code: await dispatch(words, list, fake.context), out: fake.out(), err: fake.err() };
}

function command(name: Command["name"], run: Command["run"]): Command {
  return { name, summary: "do", words: "", examples: [], run };
}

Deno.test("alone it names the commands, and its version when asked", async () => {
  const alone = await weir([]);
  assert.equal(alone.code, 0);
  for (const { name } of commands) assert.ok(alone.out.includes(`  ${name}`), name);
  assert.deepEqual(await weir(["--help"]), alone);
  assert.deepEqual(await weir(["--version"]), { code: 0, out: "weir 1.2.3\n", err: "" });
});

Deno.test("a command gets what stands behind its name, of one word or two", async () => {
  const seen: (readonly string[])[] = [];
  const list = (["run", "dlq list"] as const).map((name) =>
    command(name, ({ args }) => {
      seen.push(args);
      return Promise.resolve(0);
    })
  );
  await weir(["run", "--once"], list);
  await weir(["dlq", "list", "--json"], list);
  assert.deepEqual(seen, [["--once"], ["--json"]]);
});

Deno.test("an unknown command gets the nearest one, half of one gets the other half", async () => {
  assert.match((await weir(["rnu"])).err, /Did you mean "weir run"\?/);
  assert.match((await weir(["dlq"])).err, /"dlq" needs another word\n {2}There is "weir dlq list", "weir dlq show"/);
  assert.match((await weir(["help", "chek"])).err, /Did you mean "weir check"\?/);
  assert.match((await weir(["--config", "x", "run"])).err, /The command comes first/);
  assert.equal((await weir(["\u001b[31m"])).err.includes("\u001b"), false);
  assert.equal((await weir(["rnu"])).code, 78);
});

Deno.test("help of a command is its flags", async () => {
  assert.match((await weir(["help", "dlq", "list"])).out, /--since WHEN/);
  for (const asked of [["help", "dlq"], ["dlq", "--help"]]) {
    const { code, out } = await weir(asked);
    assert.equal(code, 0);
    assert.match(out, /^Usage: weir dlq COMMAND \[flags\]\n\n {2}dlq list {4}list dead letters/);
  }
});

Deno.test("what stops a command is told with its advice and gives the exit code", async () => {
  const locked = new WeirError("locked", "Weir runs already", { advice: "Stop it first" });
  const result = await weir(["run"], [command("run", () => Promise.reject(locked))]);
  assert.deepEqual(result, { code: 75, out: "", err: "weir: Weir runs already\n  Stop it first\n" });
});

Deno.test("a defect is told with its stack and gives 70", async () => {
  const result = await weir(["run"], [command("run", () => Promise.reject(new TypeError("x is undefined")))]);
  assert.equal(result.code, 70);
  assert.match(result.err, /^weir: defect in the program: x is undefined\n.*dispatch_test/s);
});

Deno.test("a mistake is told with what it comes to, in words that fit the command", async () => {
  const ends = {
    "run": "Nothing was started.",
    "check": "A run with them would not start.",
    "dlq show": '"weir help dlq show" tells what it takes.',
    "dlq purge": "Nothing was deleted.",
    "dlq replay": "No letter was touched.",
    "completions": '"weir help completions" tells what it takes.',
    "status": '"weir help status" tells what it takes.',
  };
  for (const [name, end] of Object.entries(ends)) {
    const { code, err } = await weir([...name.split(" "), "--frob"]);
    assert.equal(code, 78);
    assert.ok(err.endsWith(`\n\n${end}\n`), err);
  }
  assert.match((await weir(["dlq", "show", "x"])).err, /^weir: 1 mistake on the command line\n\n {2}NUMBER "x"\n/);
  assert.match((await weir(["completions"])).err, /^weir: 1 mistake on the command line\n\n {2}SHELL\n/);
  assert.match((await weir(["dlq", "show", "x", "--frob"])).err, /^weir: 2 mistakes in the settings\n/);
});
