/**
 * What every source must do, whatever it reads: run it on each implementation with a harness that feeds the far end and knows what the far
 * end holds for acknowledged. The readings are the numbers 0, 1, 2 ... in one order (one topic, one folder).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Item } from "../../src/core/reading.ts";
import type { Source } from "../../src/core/source.ts";
import { eventually } from "../support/servers.ts";

/** The outside world of a source. */
export interface SourceHarness {
  /** Makes a source over it; each one after the first is a restart (the one before is closed). */
  make(): Source;
  /** Puts the numbers `from` to `to` (not included) where the source reads, after all that was fed before. */
  feed(from: number, to: number): Promise<void>;
  numberOf(item: Item): number;
  /** How many numbers from 0 on the far end holds for acknowledged (PUBACKs read, rows under a committed checkpoint). */
  acknowledged(): Promise<number>;
  /** Lets some time and input pass. */
  pass(): Promise<void>;
  dispose(): Promise<void>;
}

/** A started source, and what a test does with it. */
interface Running {
  readonly source: Source;
  /** Takes at most `max` items; they stay open. */
  take(max?: number): readonly Item[];
  /** Takes until so many are taken. */
  taken(count: number): Promise<readonly Item[]>;
  readonly wakes: number;
}

/** Registers the suite for one implementation. */
export function sourceContract(name: string, makeHarness: () => Promise<SourceHarness>): void {
  function promise(promised: string, test: (harness: SourceHarness, begin: () => Promise<Running>) => Promise<void>) {
    Deno.test(`${name} source: ${promised}`, async () => {
      const harness = await makeHarness();
      const sources: Source[] = [];
      try {
        await test(harness, async () => {
          const source = harness.make();
          sources.push(source);
          return await started(harness, source);
        });
      } finally {
        for (const source of sources) await closed(harness, source);
        await harness.dispose();
      }
    });
  }

  promise("items come in order, once each, and are acknowledged after their verdict", async (harness, begin) => {
    const run = await begin();
    await harness.feed(0, 30);
    await harness.feed(30, 50);
    const items: Item[] = [];
    while (items.length < 50) {
      const some = await run.taken(1);
      settle(some);
      items.push(...some);
    }
    assert.deepEqual(items.map(harness.numberOf), range(0, 50));
    await comes(harness, "all is acknowledged", async () => await harness.acknowledged() === 50);
    assert.deepEqual(run.take(), []);
  });

  promise("who waits is woken when there is something to take", async (harness, begin) => {
    const run = await begin();
    await harness.pass();
    const before = run.wakes;
    await harness.feed(0, 1);
    await comes(harness, "an item is ready", () => run.source.flows.some((flow) => flow.ready() > 0));
    assert.ok(run.wakes > before);
  });

  promise(
    "nothing is acknowledged before its verdict, or before the verdict of what came before it",
    async (harness, begin) => {
      const run = await begin();
      await harness.feed(0, 10);
      const items = await run.taken(10);
      settle(items.slice(5));
      await passLong(harness);
      assert.equal(await harness.acknowledged(), 0);
      settle(items.slice(1, 5));
      await passLong(harness);
      assert.equal(await harness.acknowledged(), 0);
      settle(items.slice(0, 1));
      await comes(harness, "all is acknowledged", async () => await harness.acknowledged() === 10);
    },
  );

  promise("a flow gives no more than is asked for, and one item however large", async (harness, begin) => {
    const run = await begin();
    await harness.feed(0, 10);
    const flow = await eventually("three items are ready", async () => {
      await harness.pass();
      return run.source.flows.find((candidate) => candidate.ready() >= 3);
    });
    assert.deepEqual(flow.take(0, Infinity), []);
    const taken = [...flow.take(2, Infinity)];
    assert.equal(taken.length, 2);
    taken.push(...flow.take(5, 0));
    assert.equal(taken.length, 3);
    assert.deepEqual(taken.map(harness.numberOf), [0, 1, 2]);
  });

  promise("after stop nothing new is taken in, and drained waits for the last verdict", async (harness, begin) => {
    const run = await begin();
    await harness.feed(0, 4);
    const open = await run.taken(4);
    run.source.stop();
    let drained = false;
    const draining = run.source.drained().then(() => {
      drained = true;
    });
    await harness.feed(4, 8);
    await passLong(harness);
    assert.equal(drained, false);
    assert.deepEqual(run.take(), []);
    settle(open);
    await comes(harness, "it is drained", () => drained);
    await draining;
    assert.equal(await harness.acknowledged(), 4);
  });

  promise("a source with nothing to do is drained at once after stop", async (harness, begin) => {
    const run = await begin();
    await harness.pass();
    run.source.stop();
    let drained = false;
    run.source.drained().then(() => drained = true);
    await comes(harness, "it is drained", () => drained);
  });

  promise(
    "what was not acknowledged comes again after a restart, in order, and what was does not",
    async (harness, begin) => {
      const first = await begin();
      await harness.feed(0, 20);
      const items = await first.taken(12);
      settle(items.slice(0, 8));
      settle(items.slice(9, 11));
      await comes(harness, "the settled prefix is acknowledged", async () => await harness.acknowledged() === 8);
      await closed(harness, first.source);
      const second = await begin();
      const again = await second.taken(12);
      assert.deepEqual(again.map(harness.numberOf), range(8, 20));
      settle(again);
      await comes(harness, "all is acknowledged", async () => await harness.acknowledged() === 20);
    },
  );

  promise("after close nothing is acknowledged any more, and a late verdict harms nothing", async (harness, begin) => {
    const run = await begin();
    await harness.feed(0, 5);
    const open = await run.taken(5);
    await closed(harness, run.source);
    settle(open);
    await passLong(harness);
    assert.equal(await harness.acknowledged(), 0);
    await closed(harness, run.source);
  });

  promise("closing without having started harms nothing", async (harness) => {
    await closed(harness, harness.make());
  });

  promise("status can be asked at any time", async (harness, begin) => {
    const run = await begin();
    run.source.status();
    await harness.feed(0, 3);
    settle(await run.taken(3));
    run.source.status();
    await closed(harness, run.source);
    run.source.status();
  });
}

async function started(harness: SourceHarness, source: Source): Promise<Running> {
  let wakes = 0;
  await source.start(() => wakes += 1);
  const take = (max = Infinity) => {
    const items: Item[] = [];
    for (const flow of source.flows) items.push(...flow.take(max - items.length, Infinity));
    return items;
  };
  return {
    source,
    take,
    async taken(count) {
      const items: Item[] = [];
      await comes(harness, `${count} items are taken`, () => {
        items.push(...take(count - items.length));
        return items.length >= count;
      });
      return items;
    },
    get wakes() {
      return wakes;
    },
  };
}

function settle(items: readonly Item[]): void {
  for (const item of items) item.delivery.settle(item.index, "delivered");
}

/** Waits for a condition while time passes. */
async function comes(harness: SourceHarness, what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  await eventually(what, async () => {
    if (await condition()) return true;
    await harness.pass();
    return false;
  });
}

/** Closes it while time passes; a broker is told goodbye. */
export async function closed(harness: Pick<SourceHarness, "pass">, source: Source): Promise<void> {
  let done = false;
  const closing = source.close().then(() => done = true);
  await eventually("the source is closed", async () => {
    if (!done) await harness.pass();
    return done;
  });
  await closing;
}

/** Long enough for anything that is going to happen without a reason to happen. */
async function passLong(harness: SourceHarness): Promise<void> {
  for (let i = 0; i < 50; i++) await harness.pass();
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
