import assert from "node:assert/strict";
import fc from "fast-check";
import { emitSums, sumsLine } from "../../src/cli/sums.ts";
import { fakeStatus } from "./fake_context.ts";

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

Deno.test("an origin has a line when it has a source or readings, and dead letters when something was done to them", () => {
  const linesOf = (status: Parameters<typeof emitSums>[0]): string[] => {
    const lines: string[] = [];
    emitSums(status, (_level, name, message) => lines.push(`${name} ${message.slice(0, 12)}`));
    return lines;
  };
  const status = fakeStatus();
  const none = { delivered: 0, filtered: 0, failed: 0, expired: 0, forwarded: 0 };
  assert.deepEqual(linesOf({ ...status, letters: none }), ["app.summed real_time: 1"]);
  const batch = { ...status.sums.batch, read: 1, delivered: 1 };
  assert.deepEqual(linesOf({ ...status, sums: { ...status.sums, batch }, letters: { ...none, expired: 5 } }), [
    "app.summed real_time: 1",
    "app.summed batch: 1 rea",
    "letters.summed dead letters",
  ]);
});
