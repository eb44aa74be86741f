import assert from "node:assert/strict";
import { figureOf, interleaved, pairedRatio, type Run, spread } from "./runs.ts";

Deno.test("kinds are measured in turn, and each keeps its own results", async () => {
  const order: string[] = [];
  const lines: string[] = [];
  let at = 0;
  const kind = (work: string) => ({
    work,
    measure() {
      order.push(work);
      at += 1;
      return Promise.resolve(at);
    },
  });
  const results = await interleaved([kind("a"), kind("b")], 3, (text) => lines.push(text), String);
  assert.deepEqual(order, ["a", "b", "a", "b", "a", "b"]);
  assert.deepEqual(results, [[1, 3, 5], [2, 4, 6]]);
  assert.equal(lines[3], "b, 2 of 3: 4");
  assert.equal(lines.length, 6);
});

Deno.test("a ratio is taken within each round", () => {
  // The second round ran on a machine that was three times as slow: the ratio of the medians would be 2.
  assert.equal(pairedRatio([10, 30, 12], [5, 15, 6]), 2);
  assert.equal(pairedRatio([10, 60, 30], [10, 30, 30]), 1);
});

Deno.test("a figure has the medians, the highest peak, and how far the runs lie apart", () => {
  const run = (perSecond: number, cpuUs: number, peakRssBytes: number): Run => ({ perSecond, cpuUs, peakRssBytes });
  const figure = figureOf(
    { work: "w", target: "4 us" },
    [run(1000, 5, 1e6), run(3000, 4, 9e6), run(2000, 6, 2e6)],
    "half",
  );
  assert.deepEqual(figure, {
    work: "w",
    target: "4 us",
    rate: "2,000/s",
    perSecond: 2000,
    cpuPerRecord: "5.00 us",
    peakRss: "9 MB",
    remark: "half; 1,000/s to 3,000/s; 4.00 us to 6.00 us",
  });
  assert.equal(figureOf({ work: "w" }, [run(1, 1, 1)], "").remark, "");
});

Deno.test("one run has no spread", () => {
  assert.equal(spread([1], String), "");
  assert.equal(spread([2, 1, 3], String), "1 to 3");
});
