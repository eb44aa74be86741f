import assert from "node:assert/strict";
import type { Flow } from "../../src/core/flow.ts";
import type { Item, Reading } from "../../src/core/reading.ts";
import { createTally } from "../../src/core/tally.ts";
import { createSpool } from "../../src/spool/spool.ts";
import { spoolShelf } from "../../src/store/memory_spool.ts";
import { virtualClock } from "../support/virtual_clock.ts";

function reading(number: number): Reading {
  const value = `{"n":${number}}`;
  const delivery = { origin: "real_time", source: "plant/a", settle() {} } as const;
  const place = { delivery, index: 0, bytes: value.length, row: 0, byte: -1, arrivedMs: 0 };
  return { ...place, kind: "reading", id: `id${number}`, fields: {}, value, redelivered: false };
}

Deno.test("a topic that goes on by the verdict of what was held wakes the scheduler: no credit comes back with it", async () => {
  const clock = virtualClock();
  const shelf = spoolShelf();
  const waiting: Item[] = [];
  const source: Flow<Item> = {
    ...{ name: "mqtt", lane: "stream", weight: 1, capRows: null },
    ready: () => waiting.length,
    take: (maxRows) => waiting.splice(0, maxRows),
  };
  let wokenWithWork = 0;
  const spool = createSpool({
    // Room for one of them.
    options: { bytesMax: 100, whenFull: "block", heldRowsMax: 10, heldBytesMax: 10_000 },
    flows: [source],
    store: {
      spoolAppend: (readings) => Promise.resolve(shelf.spoolAppend(readings)),
      spoolRead: (range) => Promise.resolve(shelf.spoolRead(range)),
      spoolRemove: (numbers) => Promise.resolve(shelf.spoolRemove(numbers)),
      spoolDropOldest: (bytes, spared) => Promise.resolve(shelf.spoolDropOldest(bytes, spared)),
      spoolInventory: () => Promise.resolve(shelf.spoolInventory()),
    },
    tally: createTally(),
    clock,
    dice: () => 0.5,
    emit() {},
    parseFields: () => ({}),
    fill: () => 0,
    takeBack: () => new Map(),
    release() {},
    wake: () => wokenWithWork += live.ready(),
  });
  const [live = source] = spool.flows;
  await spool.open();

  const first = reading(1);
  waiting.push(first);
  spool.arrived();
  spool.dispatched(live.take(10, Infinity));
  await clock.advance(3000);
  spool.answered();
  await clock.advance(3000);
  assert.equal(spool.status().stillTopics, 1, "it has no verdict for 5 s: held, on disk, and its topic stands still");
  waiting.push(reading(2), reading(3));
  spool.arrived();
  await clock.advance(1000);
  assert.deepEqual([live.ready(), spool.status().stuck], [0, "full"]);

  wokenWithWork = 0;
  assert.deepEqual(spool.settle([first], "delivered"), { rows: 0, bytes: 0 }, "its credit is back already");
  await clock.advance(1000);
  assert.equal(live.ready(), 2);
  assert.ok(wokenWithWork > 0, "the scheduler was told");
  await spool.close();
});
