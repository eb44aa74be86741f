import assert from "node:assert/strict";
import { summarize } from "./ci_summary.ts";

Deno.test("passed and failed tests are added up over all runs, colours or not", () => {
  const output = [
    "some test ... ok (3ms)",
    "ok | 22 passed (3 steps) | 0 failed (822ms)",
    "\u001b[31mFAILED\u001b[0m | 24 passed | 2 failed (1 step) \u001b[38;5;245m(1s)\u001b[0m",
  ].join("\n");
  assert.deepEqual(summarize(output, 1, 0), { passed: 46, failed: 2, remarks: [] });
  assert.deepEqual(summarize("ok | 1 passed | 0 failed (2ms)\n", 0, 0), { passed: 1, failed: 0, remarks: [] });
});

Deno.test("an ignored test counts as failed", () => {
  const { failed, remarks } = summarize("ok | 5 passed (1 step) | 0 failed | 2 ignored (1s)\n", 0, 0);
  assert.equal(failed, 2);
  assert.deepEqual(remarks, ["2 ignored tests count as failed"]);
});

Deno.test("a run without tests, one that broke off, and a failed check are failures", () => {
  assert.equal(summarize("error: Type checking failed\n", 1, 0).failed, 1);
  assert.equal(summarize("ok | 0 passed | 0 failed (0ms)\n", 0, 0).failed, 1);
  assert.equal(summarize("ok | 7 passed | 0 failed (2ms)\nerror: Test failed\n", 1, 0).failed, 1);
  assert.equal(summarize("ok | 7 passed | 0 failed (2ms)\n", 0, 2).failed, 2);
});

Deno.test("a line that a test printed in the middle of a line is not a result", () => {
  assert.equal(summarize("  ok | 9 passed | 0 failed\nok | 1 passed | 0 failed (2ms)\n", 0, 0).passed, 1);
});
