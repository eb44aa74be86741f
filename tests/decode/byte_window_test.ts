/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createByteWindow } from "../../src/decode/byte_window.ts";
import { latin1 } from "./drain.ts";

Deno.test("a window gives the file's bytes by their offset, whatever was pushed and released before", () => {
  const file = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const step = fc.tuple(fc.integer({ min: 1, max: 50_000 }), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.nat(1000), fc.array(step, { minLength: 5, maxLength: 12 }), (firstByte, steps) => {
      const window = createByteWindow(firstByte);
      let from = firstByte;
      for (const [bytes, share] of steps) {
        window.push(file.subarray(window.end, window.end + bytes));
        assert.equal(window.start, from);
        const middle = from + Math.floor((window.end - from) / 2);
        assert.deepEqual(window.view(from, window.end).slice(), file.slice(from, window.end));
        assert.equal(
          window.latin1(middle, middle + 9),
          latin1(file.subarray(middle, Math.min(middle + 9, window.end))),
        );
        assert.equal(window.byteAt(middle), middle < window.end ? file[middle] : -1);
        const ten = file.subarray(0, window.end).indexOf(10, middle);
        assert.equal(window.indexOf(10, middle, window.end), ten);
        const last = file.subarray(middle, window.end).lastIndexOf(10);
        assert.equal(window.lastIndexOf(10, middle, window.end), last < 0 ? -1 : middle + last);
        from += Math.floor((window.end - from) * share);
        window.release(from);
      }
    }),
    { numRuns: 40 },
  );
});
