/**
 * The part of the ledgers' suite that is about the spool.
 *
 * @module
 */
import assert from "node:assert/strict";
import { spooledBytes, type SpooledReading, utf8Bytes } from "../../src/core/spool.ts";
import type { Ledger } from "../../src/core/store.ts";
import { spooled } from "../support/ledger_values.ts";
import type { VirtualClock } from "../support/virtual_clock.ts";

type Promises = (promised: string, test: (ledger: Ledger, clock: VirtualClock) => Promise<void>) => void;

const all = { after: 0, limit: 100, bytesMax: Infinity, except: [] };

/** Registers them. */
export function spoolPromises(promise: Promises): void {
  const bytesOf = (...readings: readonly SpooledReading[]) =>
    readings.reduce((sum, one) => sum + spooledBytes(one, utf8Bytes(one.value)), 0);
  const numbersOf = async (ledger: Ledger, ...[range]: Parameters<Ledger["spoolRead"]>) =>
    (await ledger.spoolRead(range)).map(({ number }) => number);

  promise("a spooled reading comes back as it was, whatever its texts hold", async (ledger) => {
    const readings = [
      spooled(2 ** 50, { source: 'a/\u0000"\u{1f321}', value: '{"a":"\u0007\u{1f321}"}', redelivered: true }),
      spooled(2 ** 50 + 1, { id: "", row: 7, arrivedAtMs: 1.25 }),
    ];
    await ledger.spoolAppend(readings);
    assert.deepEqual(await ledger.spoolRead(all), readings);
  });

  promise("spooled readings come in order of number, however they were added, and the sums follow", async (ledger) => {
    const [one, two, three, four] = [spooled(1, { arrivedAtMs: 11 }), spooled(2), spooled(3), spooled(4)];
    assert.deepEqual(await ledger.spoolAppend([two, four]), {
      readings: 2,
      bytes: bytesOf(two, four),
      oldestAtMs: two.arrivedAtMs,
    });
    const totals = await ledger.spoolAppend([three, one]);
    assert.deepEqual(totals, { readings: 4, bytes: bytesOf(one, two, three, four), oldestAtMs: 11 });
    assert.deepEqual(await numbersOf(ledger, all), [1, 2, 3, 4]);
    assert.deepEqual(await ledger.spoolRemove([1, 3, 99]), {
      readings: 2,
      bytes: bytesOf(two, four),
      oldestAtMs: two.arrivedAtMs,
    });
    assert.deepEqual(await numbersOf(ledger, all), [2, 4]);
    assert.deepEqual(await ledger.spoolRemove([2, 4]), { readings: 0, bytes: 0, oldestAtMs: null });
  });

  promise(
    "spooled readings are read past a number, within a limit and bytes, and not of some sources",
    async (ledger) => {
      const readings = [1, 2, 3, 4, 5].map((number) =>
        spooled(number, { source: number % 2 === 0 ? "even" : "odd\u0000" })
      );
      await ledger.spoolAppend(readings);
      assert.deepEqual(await numbersOf(ledger, { ...all, after: 2 }), [3, 4, 5]);
      assert.deepEqual(await numbersOf(ledger, { ...all, limit: 2 }), [1, 2]);
      assert.deepEqual(await numbersOf(ledger, { ...all, bytesMax: bytesOf(...readings.slice(0, 2)) }), [1, 2]);
      assert.deepEqual(await numbersOf(ledger, { ...all, bytesMax: 0 }), [1]);
      assert.deepEqual(await numbersOf(ledger, { ...all, except: ["even"] }), [1, 3, 5]);
      assert.deepEqual(await numbersOf(ledger, { ...all, except: ["even", "odd\u0000"] }), []);
    },
  );

  promise("a number that is taken is refused, and nothing of that append is kept", async (ledger) => {
    await ledger.spoolAppend([spooled(2)]);
    await assert.rejects(ledger.spoolAppend([spooled(1), spooled(2)]));
    assert.deepEqual(await numbersOf(ledger, all), [2]);
    assert.equal((await ledger.spoolAppend([spooled(3)])).readings, 2);
  });

  promise("room is made from the oldest on, sparing some, and no more than needed", async (ledger) => {
    const readings = Array.from({ length: 500 }, (_, i) => spooled(1000 + i));
    await ledger.spoolAppend(readings);
    const each = bytesOf(spooled(1000));
    const { dropped, ...totals } = await ledger.spoolDropOldest(3 * each - 1, [1000, 1002]);
    assert.deepEqual(dropped, [1001, 1003, 1004].map((number) => ({ number, source: "plant/t" })));
    assert.deepEqual(totals, { readings: 497, bytes: 497 * each, oldestAtMs: spooled(1000).arrivedAtMs });
    const rest = await ledger.spoolDropOldest(Infinity, [1000]);
    assert.deepEqual([rest.dropped.length, rest.readings, rest.bytes], [496, 1, each]);
  });

  promise("an inventory of the spool names its ends and what each source has", async (ledger) => {
    assert.deepEqual(await ledger.spoolInventory(), {
      ...{ readings: 0, bytes: 0, oldestAtMs: null, firstNumber: 0, lastNumber: 0, sources: [] },
    });
    await ledger.spoolAppend([
      spooled(5, { source: "b" }),
      spooled(7, { source: "a\u0000" }),
      spooled(9, { source: "b" }),
    ]);
    const { readings, firstNumber, lastNumber, sources } = await ledger.spoolInventory();
    assert.deepEqual([readings, firstNumber, lastNumber], [3, 5, 9]);
    assert.deepEqual([...sources], [{ source: "a\u0000", readings: 1 }, { source: "b", readings: 2 }]);
  });
}
