import assert from "node:assert/strict";
import { figureOfGrowth } from "./growth.ts";

Deno.test("a figure of growth has the cost of the least and how much more the others take in the same rounds", () => {
  const costs = (...cpuUs: readonly number[]) => cpuUs.map((us) => ({ cpuUs: us, peakRssBytes: us * 1e6 }));
  const figure = figureOfGrowth({ name: "folders", target: "the same", sizes: [1, 1000] }, [
    costs(5, 10, 6),
    costs(5, 12, 6.6),
  ]);
  assert.deepEqual(figure, {
    work: "growth: 1, 1,000 folders",
    target: "the same",
    rate: "",
    cpuPerRecord: "6.00 us",
    peakRss: "12 MB",
    remark: "1,000: 1.10 times (6.60 us)",
  });
});
