import assert from "node:assert/strict";
import type { Delivery, Origin, Verdict } from "../../src/core/delivery.ts";
import { seededDice } from "../../src/core/dice.ts";
import { WeirError } from "../../src/core/error.ts";
import type { Event } from "../../src/core/event.ts";
import { emitter } from "../../src/core/event.ts";
import type { Lane } from "../../src/core/flow.ts";
import type { Filtered, Item, Misfit, Reading } from "../../src/core/reading.ts";
import type { Sink, SinkReport } from "../../src/core/sink.ts";
import type { AppendResult, DeadLetterStore } from "../../src/core/store.ts";
import { createTally } from "../../src/core/tally.ts";
import { createOutbox } from "../../src/sink/outbox.ts";
import { virtualClock } from "../support/virtual_clock.ts";

/** A delivery that remembers verdicts and refuses a second one. */
function recordingDelivery(origin: Origin): Delivery & { readonly verdicts: Map<number, Verdict> } {
  const verdicts = new Map<number, Verdict>();
  return {
    origin,
    source: "here",
    verdicts,
    settle(index, verdict) {
      assert.ok(!verdicts.has(index), `index ${index} settled twice`);
      verdicts.set(index, verdict);
    },
  };
}

function reading(delivery: Delivery, index: number): Reading {
  const value = `{"n":${index}}`;
  return {
    kind: "reading",
    delivery,
    index,
    bytes: value.length,
    id: `g/f/${index}`,
    fields: { n: index },
    value,
    row: index + 1,
    byte: index * 10,
    arrivedMs: 0,
    redelivered: false,
  };
}

function filtered(delivery: Delivery, index: number): Filtered {
  return { kind: "filtered", delivery, index, bytes: 3 };
}

function misfit(delivery: Delivery, index: number): Misfit {
  return {
    kind: "misfit",
    delivery,
    index,
    bytes: 5,
    letter: {
      id: `g/f/${index}`,
      reason: "wrong_type",
      detail: 'value is "\u001bx"',
      origin: delivery.origin,
      source: delivery.source,
      row: index + 1,
      byte: index * 10,
      decoder: "csv",
      header: ["n"],
      raw: new Uint8Array(5),
      arrivedAtMs: 0,
    },
  };
}

function setup(append: (count: number) => Promise<AppendResult>) {
  const clock = virtualClock();
  const events: Event[] = [];
  const released: { lane: Lane; rows: number; bytes: number }[] = [];
  const sent: Reading[] = [];
  let report: SinkReport | null = null;
  const sink: Sink = {
    name: "fake",
    open: (given) => {
      report = given;
      return Promise.resolve();
    },
    send: (_lane, readings) => {
      sent.push(...readings);
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    check: () => Promise.resolve([]),
    status: () => ({
      kind: "fake",
      connected: true,
      trouble: null,
      inFlightReadings: 0,
      retries: 0,
      throttledMs: 0,
    }),
  };
  const letters: DeadLetterStore = {
    append: (given) => append(given.length),
    list: () => Promise.resolve([]),
    letter: () => Promise.resolve(null),
    letterCount: () => Promise.resolve({ letters: 0, bytes: 0 }),
  };
  const tally = createTally();
  const outbox = createOutbox({
    sink,
    letters,
    tally,
    clock,
    dice: seededDice(1),
    emit: emitter((event) => events.push(event)),
    release: (lane, rows, bytes) => released.push({ lane, rows, bytes }),
    chunkRowsMax: () => 1,
  });
  return {
    clock,
    events,
    released,
    sent,
    tally,
    outbox,
    report: () => report ?? assert.fail("the sink was not opened"),
  };
}

const accepting = (count: number) => Promise.resolve({ accepted: count, droppedStreamLetters: 0 });

Deno.test("each kind of item gets its verdict, its settlement and its credit back", async () => {
  const t = setup(accepting);
  await t.outbox.open();
  const delivery = recordingDelivery("batch");
  const items: Item[] = [reading(delivery, 0), filtered(delivery, 1), misfit(delivery, 2), reading(delivery, 3)];
  t.tally.read("batch", 4);
  t.outbox.accept("files", items);
  assert.deepEqual(t.sent.map((r) => r.index), [0, 3]);
  t.report().delivered("files", t.sent);
  await t.clock.advance(0);
  assert.deepEqual(
    [...delivery.verdicts].sort((a, b) => a[0] - b[0]),
    [[0, "delivered"], [1, "filtered"], [2, "dead_lettered"], [3, "delivered"]],
  );
  assert.equal(t.released.reduce((sum, r) => sum + r.rows, 0), 4);
  assert.equal(t.released.reduce((sum, r) => sum + r.bytes, 0), items.reduce((sum, i) => sum + i.bytes, 0));
  assert.deepEqual(t.tally.sums("batch"), {
    read: 4,
    delivered: 2,
    filtered: 1,
    dead_lettered: 1,
    dropped: 0,
    open: 0,
  });
});

Deno.test("a reading that the sink refuses becomes a dead letter with its position and its finished text", async () => {
  let kept = 0;
  const t = setup((count) => {
    kept += count;
    return accepting(count);
  });
  await t.outbox.open();
  const delivery = recordingDelivery("real_time");
  t.outbox.accept("stream", [reading(delivery, 0)]);
  const [first] = t.sent;
  assert.ok(first);
  t.report().rejected("stream", first, "too_large", "1.2 MiB is over 1 MiB");
  assert.equal(delivery.verdicts.size, 0, "not settled before the letter is stored");
  await t.clock.advance(0);
  assert.equal(kept, 1);
  assert.equal(delivery.verdicts.get(0), "dead_lettered");
  assert.deepEqual(t.released, [{ lane: "stream", rows: 1, bytes: 7 }]);
});

Deno.test("dead letters that cannot be stored are kept, said once, and stored when it works again", async () => {
  let failing = true;
  const t = setup((count) =>
    failing ? Promise.reject(new WeirError("storage", "Disk is full", { retriable: true })) : accepting(count)
  );
  await t.outbox.open();
  const delivery = recordingDelivery("batch");
  t.outbox.accept("files", [misfit(delivery, 0), misfit(delivery, 1)]);
  await t.clock.advance(120_000);
  assert.equal(delivery.verdicts.size, 0);
  assert.deepEqual(t.released, []);
  assert.equal(t.events.filter((e) => e.name === "letters.stuck").length, 1);
  failing = false;
  await t.clock.advance(31_000);
  assert.deepEqual([...delivery.verdicts.keys()], [0, 1]);
  assert.equal(t.events.filter((e) => e.name === "letters.recovered").length, 1);
});

Deno.test("a store that is full for files does not hold up letters of streams", async () => {
  let room = 1;
  const t = setup((count) => Promise.resolve({ accepted: Math.min(count, room), droppedStreamLetters: 0 }));
  await t.outbox.open();
  const file = recordingDelivery("batch");
  const stream = recordingDelivery("real_time");
  t.outbox.accept("files", [misfit(file, 0), misfit(file, 1), misfit(file, 2)]);
  await t.clock.advance(0);
  assert.deepEqual([...file.verdicts.keys()], [0], "what was accepted is settled, the rest waits in order");
  t.outbox.accept("stream", [misfit(stream, 0)]);
  await t.clock.advance(0);
  assert.equal(stream.verdicts.get(0), "dead_lettered");
  room = 10;
  await t.clock.advance(31_000);
  assert.deepEqual([...file.verdicts.keys()], [0, 1, 2]);
});

Deno.test("what comes from outside is escaped in what the outbox says", async () => {
  const t = setup(accepting);
  await t.outbox.open();
  t.outbox.accept("files", [misfit(recordingDelivery("batch"), 0)]);
  await t.clock.advance(0);
  const said = t.events.find((e) => e.name === "letters.stored")?.message ?? "";
  assert.match(said, /wrong_type/);
  assert.ok(!said.includes("\u001b"));
});

Deno.test("nothing is settled after close", async () => {
  let store: (result: AppendResult) => void = () => {};
  const t = setup(() => new Promise((resolve) => (store = resolve)));
  await t.outbox.open();
  const delivery = recordingDelivery("batch");
  t.outbox.accept("files", [misfit(delivery, 0)]);
  await t.outbox.close();
  store({ accepted: 1, droppedStreamLetters: 0 });
  await t.clock.advance(60_000);
  assert.equal(delivery.verdicts.size, 0);
  assert.equal(t.clock.timers, 0);
});
