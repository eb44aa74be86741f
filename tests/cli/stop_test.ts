import assert from "node:assert/strict";
import { listenForStop, watchedStdout } from "../../src/cli/stop.ts";
import { fakeContext } from "./fake_context.ts";

Deno.test("a reader that goes away calls back, and the error still reaches the writer", async () => {
  let gone = 0;
  const pipe = { write: () => Promise.reject(new Deno.errors.BrokenPipe("Broken pipe")) };
  await assert.rejects(watchedStdout(pipe, () => gone++).write(new Uint8Array(1)), Deno.errors.BrokenPipe);
  assert.equal(gone, 1);
  const disk = { write: () => Promise.reject(new Error("No space left")) };
  await assert.rejects(watchedStdout(disk, () => gone++).write(new Uint8Array(1)));
  assert.equal(gone, 1);
});

Deno.test("a signal after a stop that was asked for from inside counts as the second", async () => {
  const fake = fakeContext([]);
  const stop = listenForStop(fake.context);
  stop.ask("the reader of the output is gone");
  assert.equal(await stop.first, "the reader of the output is gone");
  fake.signal("SIGINT");
  await stop.second;
  stop.release();
  assert.equal(fake.listeners(), 0);
});
