/**
 * The numbers of the fair share.
 *
 * @module
 */
import assert from "node:assert/strict";
import { WeirError } from "../../src/core/error.ts";
import { fairShareDefaults, type FairShareInput, ownCap, withCap } from "../../src/scheduler/defaults.ts";

Deno.test("a cap of 1,000 rows/s gives the numbers of the manual", () => {
  assert.deepEqual(fairShareDefaults({ capRows: 1000 }), {
    capRows: 1000,
    capBytes: null,
    floorRows: 100,
    quantumRows: 10,
    streamQuantumRows: 64,
    burstRows: 20,
    floorBurstRows: 12,
    latenessMs: 10,
    inFlightRows: 2160,
    filesInFlightRows: 160,
    reservedRows: 110,
    inFlightBytes: 33_554_432,
    filesInFlightBytes: 16_777_216,
    reservedBytes: 4_194_304,
  });
});

Deno.test("one row a second and a million give numbers that can work", () => {
  const slow = fairShareDefaults({ capRows: 1 });
  assert.deepEqual([slow.quantumRows, slow.burstRows, slow.floorRows, slow.floorBurstRows], [1, 2, 1, 3]);
  const fast = fairShareDefaults({ capRows: 1_000_000 });
  assert.deepEqual([fast.quantumRows, fast.burstRows, fast.floorRows], [500, 10_500, 100_000]);
  const uncapped = fairShareDefaults({ capRows: null });
  assert.deepEqual([uncapped.quantumRows, uncapped.floorRows, uncapped.filesInFlightRows], [500, 100, 15_500]);
});

Deno.test("whatever the cap and the totals, streams keep credits and a quantum fits the depths and the credits", () => {
  for (const capRows of [1, 7, 99, 500, 12_345, 1_000_000, null]) {
    for (const inFlightRows of [undefined, 2, 3, 50, 10_000]) {
      for (const floorRows of [undefined, 0, 1, capRows ?? 5_000]) {
        const input = {
          capRows,
          ...(inFlightRows === undefined ? {} : { inFlightRows }),
          ...(floorRows === undefined ? {} : { floorRows }),
        };
        const o = fairShareDefaults(input);
        const context = JSON.stringify(o);
        assert.ok(o.inFlightRows - o.reservedRows >= 1 && o.reservedRows <= o.filesInFlightRows, context);
        assert.ok(o.filesInFlightRows >= o.quantumRows && o.filesInFlightRows <= o.inFlightRows, context);
        assert.ok(o.burstRows >= o.quantumRows && o.floorBurstRows >= o.quantumRows, context);
        assert.equal(o.reservedRows === 0 && o.inFlightRows > 1, o.floorRows === 0, context);
      }
    }
  }
});

Deno.test("another cap keeps the floor below it and the extra burst on top", () => {
  const options = fairShareDefaults({ capRows: 1000, burstRows: 120 });
  assert.deepEqual(withCap(options, 1000).burstRows, 120);
  assert.deepEqual(withCap(options, 50), {
    capRows: 50,
    floorRows: 50,
    quantumRows: 1,
    burstRows: 102,
    floorBurstRows: 3,
  });
  assert.equal(withCap(options, null).floorRows, 100);
});

Deno.test("a cap of its own has a turn of ten milliseconds and the lateness on top", () => {
  assert.deepEqual(ownCap(2_000, 500), { perSecond: 2_000, quantum: 20, depth: 40 });
  assert.deepEqual(ownCap(1, 500), { perSecond: 1, quantum: 1, depth: 2 });
});

Deno.test("impossible numbers are refused with the value seen and what to give, all at once", () => {
  const wrong: readonly (readonly [FairShareInput, RegExp])[] = [
    [{ capRows: 0 }, /the cap is 0: give a whole number of rows\/s from 1/],
    [{ capRows: 1.5 }, /the cap is 1\.5/],
    [{ capRows: 100, capBytes: 0 }, /the cap in bytes is 0/],
    [{ capRows: 100, floorRows: 101 }, /the floor of 101 rows\/s is above the cap of 100/],
    [{ capRows: 1000, burstRows: 19 }, /a burst of 19 rows cannot hold 1000 rows\/s: give at least 20/],
    [{ capRows: null, burstRows: 50 }, /means nothing without a cap/],
    [{ capRows: 100, inFlightRows: 10, filesInFlightRows: 11 }, /11 rows of files in flight are more than the 10/],
    [{ capRows: -1, floorRows: -2 }, /the cap is -1.*the floor is -2/],
  ];
  for (const [input, message] of wrong) {
    assert.throws(() => fairShareDefaults(input), (thrown) => {
      assert.ok(thrown instanceof WeirError && thrown.code === "configuration");
      assert.match(thrown.message, message);
      return true;
    });
  }
});
