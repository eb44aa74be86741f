/**
 * Another program's opinion: questions that Python answers.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Runs a Python program that reads a JSON list from stdin and prints a JSON list; returns that list. */
export async function askPython(program: string, questions: readonly unknown[]): Promise<readonly unknown[]> {
  const child = new Deno.Command("python3", {
    args: ["-c", `import csv, decimal, io, json, sys\n${program}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(questions)));
  await writer.close();
  const { code, stdout } = await child.output();
  assert.equal(code, 0, "python3 failed");
  const answers: unknown = JSON.parse(new TextDecoder().decode(stdout));
  assert.ok(Array.isArray(answers) && answers.length === questions.length);
  return answers;
}

/** Whether there is a Python to ask. */
export async function havePython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["--version"] }).output()).code === 0;
  } catch {
    return false;
  }
}
