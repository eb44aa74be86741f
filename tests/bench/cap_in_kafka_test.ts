import assert from "node:assert/strict";
import { seenInKafka } from "./cap_in_kafka.ts";

/** 10 rows each 10 ms: 1,000 a second. */
const steady = (fromMs: number, seconds: number) =>
  Array.from({ length: seconds * 1000 }, (_, i) => fromMs + Math.floor(i / 10) * 10);

Deno.test("a steady flow is as the cap says", () => {
  const { rate, remark } = seenInKafka(steady(5, 12), 1000, null);
  assert.equal(rate, "1,001/s");
  assert.equal(
    remark,
    "most in 1 s: 1,000 (0.0 %); most in 10 s: 10,000 (0.0 %); fewest in 10 s: 10,000 (0.0 %)",
  );
});

Deno.test("a burst shows in the most, a stall not in the fewest", () => {
  const burst = Array.from({ length: 150 }, () => 9_000);
  const { remark } = seenInKafka([...steady(0, 4), ...burst, ...steady(9_000, 15)], 1000, 9_000);
  assert.equal(
    remark,
    "most in 1 s: 1,150 (+15.0 %); most in 10 s: 10,150 (+1.5 %); fewest in 10 s: 10,000 (0.0 %)",
  );
});

Deno.test("windows that do not fit are left out", () => {
  assert.equal(seenInKafka(steady(0, 3), 1000, null).remark, "most in 1 s: 1,000 (0.0 %)");
});
