/**
 * The page of guarantees names a test behind each promise: here each of them is looked for.
 *
 * @module
 */
import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);

Deno.test("each promise of docs/guarantees.md names a test that exists", async () => {
  const page = await Deno.readTextFile(new URL("docs/guarantees.md", root));
  const promises = page.split("\n").filter((line) => line.startsWith("| ") && !/^\| (Promise|---|-+ )/.test(line));
  assert.ok(promises.length > 30, `${promises.length} promises were found`);
  for (const line of promises) {
    const [, promise = "", file, name] = /^\| (.+?)\s*\| `(tests\/[^`]+_test\.ts)` "(.+)"\s*\|$/.exec(line) ?? [];
    assert.ok(file !== undefined && name !== undefined, `Names no test: ${line}`);
    const text = await Deno.readTextFile(new URL(file, root));
    assert.ok(text.includes(name), `"${promise}": ${file} has no test "${name}"`);
  }
});
