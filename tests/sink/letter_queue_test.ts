/** @module */
import assert from "node:assert/strict";
import { seededDice } from "../../src/core/dice.ts";
import { emitter } from "../../src/core/event.ts";
import type { Misfit } from "../../src/core/reading.ts";
import { createLetterQueue, fileLettersSpacingMs } from "../../src/sink/letter_queue.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const delivery = { origin: "batch", source: "dump.csv", settle: () => {} } as const;

function misfit(index: number): Misfit {
  const letter = {
    id: `g/f/${index}`,
    reason: "wrong_type",
    detail: "",
    origin: "batch",
    source: "dump.csv",
    row: index,
    byte: index,
    decoder: "csv",
    header: null,
    raw: new Uint8Array(1),
    arrivedAtMs: 0,
  } as const;
  return { kind: "misfit", delivery, index, bytes: 1, letter };
}

/** A queue of files, and the sizes of the transactions that it began, each with its time. */
function setup() {
  const clock = virtualClock();
  const batches: (readonly [atMs: number, letters: number])[] = [];
  const stored: number[] = [];
  const queue = createLetterQueue(
    "files",
    {
      clock,
      dice: seededDice(1),
      emit: emitter(() => {}),
      letters: {
        append(letters) {
          batches.push([clock.nowMs(), letters.length]);
          return Promise.resolve({ accepted: letters.length, droppedStreamLetters: 0 });
        },
      },
    },
    (_lane, misfits) => stored.push(...misfits.map(({ index }) => index)),
    fileLettersSpacingMs,
  );
  return { clock, batches, stored, queue };
}

Deno.test("the first letter of files is stored at once, those that follow together", async () => {
  const { clock, batches, stored, queue } = setup();
  for (let i = 0; i < 20; i++) {
    queue.add([misfit(i)]);
    await clock.advance(5);
  }
  await clock.advance(fileLettersSpacingMs);
  assert.deepEqual(batches, [[0, 1], [fileLettersSpacingMs, 9], [2 * fileLettersSpacingMs, 10]]);
  assert.deepEqual(stored, Array.from({ length: 20 }, (_, i) => i));
  await clock.advance(10 * fileLettersSpacingMs);
  queue.add([misfit(20)]);
  await clock.advance(0);
  assert.equal(batches.length, 4, "after a pause it is stored at once again");
});

Deno.test("a full batch of letters waits for nothing, and what is closed stores nothing more", async () => {
  const { clock, batches, queue } = setup();
  queue.add([misfit(0)]);
  await clock.advance(1);
  queue.add(Array.from({ length: 700 }, (_, i) => misfit(1 + i)));
  await clock.advance(1);
  assert.deepEqual(batches, [[0, 1], [1, 500]]);
  queue.close();
  await clock.advance(1000);
  assert.equal(batches.length, 2);
  assert.equal(clock.timers, 0);
});
