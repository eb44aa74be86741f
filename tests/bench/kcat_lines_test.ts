import assert from "node:assert/strict";
import { linesOf } from "./kcat_lines.ts";

Deno.test("lines are put together from pieces", async () => {
  async function* pieces(): AsyncGenerator<string> {
    for (const piece of ["a", "b\nc\n", "", "\nd", "e\nrest"]) yield await Promise.resolve(piece);
  }
  assert.deepEqual(await Array.fromAsync(linesOf(pieces())), ["ab", "c", "", "de"]);
});
