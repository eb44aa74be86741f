import assert from "node:assert/strict";
import type { SpooledReading } from "../../src/core/spool.ts";
import { createReader } from "../../src/spool/reader.ts";
import { spoolShelf } from "../../src/store/memory_spool.ts";
import { virtualClock } from "../support/virtual_clock.ts";

function reading(number: number): SpooledReading {
  const value = `{"n":${number}}`;
  return { number, id: `id${number}`, source: "plant/a", value, row: 0, arrivedAtMs: 0, redelivered: false };
}

Deno.test("what is on disk before its write has answered is not read before that", async () => {
  const shelf = spoolShelf();
  const clock = virtualClock();
  const read: number[] = [];
  const reader = createReader({
    store: { spoolRead: (range) => Promise.resolve(shelf.spoolRead(range)) },
    clock,
    dice: () => 0.5,
    remove: () => Promise.resolve(),
    still: () => [],
    wanted: () => true,
    onRead: (found) => read.push(...found.map(({ number }) => number)),
    ahead: () => 0,
  });
  shelf.spoolAppend([reading(1)]);
  const { promise: answer, resolve: answered } = Promise.withResolvers<void>();
  const write = reader.whileWriting([2, 3], () => {
    shelf.spoolAppend([reading(2), reading(3)]);
    return answer;
  });
  reader.more();
  await clock.advance(10);
  assert.deepEqual(read, [1]);
  answered();
  await write;
  for (const number of [2, 3]) reader.forget(number);
  reader.added(2);
  await clock.advance(10);
  assert.deepEqual(read, [1, 2, 3]);

  await assert.rejects(reader.whileWriting([4], () => Promise.reject(new Error("The disk is full"))), /full/);
  shelf.spoolAppend([reading(4)]);
  reader.added(4);
  await clock.advance(10);
  assert.deepEqual(read, [1, 2, 3, 4], "a number whose write failed is free again");
  await reader.close();
});
