/**
 * A topic of millions of records as lines: only what is asked of a record is read, and no more than a piece of it is in memory.
 *
 * @module
 */
import type { Scene } from "./scene.ts";

/** Reads a topic to its end; `format` as kcat has it, ending in `\n`. */
export async function* kcatLines(scene: Scene, topic: string, format: string): AsyncGenerator<string> {
  const child = new Deno.Command("kcat", {
    args: ["-b", scene.kafka.adminBrokers.join(","), "-C", "-t", topic, "-e", "-q", "-f", format],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  yield* linesOf(child.stdout.pipeThrough(new TextDecoderStream()));
  const { success } = await child.status;
  if (!success) throw new Error(`kcat cannot read ${topic}: ${await said}`);
  await said;
}

/** The lines of a text that comes in pieces; a rest without an end is not one. */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of texts) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
