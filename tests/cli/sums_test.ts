import assert from "node:assert/strict";
import fc from "fast-check";
import { sumsLine } from "../../src/cli/sums.ts";

Deno.test("the numbers in the line add up whenever the sums do", () => {
  const n = fc.nat({ max: 10_000_000 });
  fc.assert(fc.property(n, n, n, n, n, (delivered, filtered, dead_lettered, dropped, open) => {
    const read = delivered + filtered + dead_lettered + dropped + open;
    const line = sumsLine("batch", { read, delivered, filtered, dead_lettered, dropped, open });
    const [first = NaN, ...rest] = (line.match(/[\d,]+/g) ?? []).map((text) => Number(text.replaceAll(",", "")));
    assert.equal(rest.length, 5);
    assert.equal(rest.reduce((sum, one) => sum + one, 0), first);
  }));
});
