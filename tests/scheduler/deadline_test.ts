/**
 * Verdicts on dumps.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type DeadlineInput,
  earlyNeedRows,
  excessRows,
  judgeDeadline,
  paceRows,
} from "../../src/scheduler/deadline.ts";

const hourMs = 3_600_000;
/** A tenth is read: 1,000 rows of 100 bytes; 9,000 are left. */
const file: DeadlineInput = {
  bytesLeft: 900_000,
  bytesRead: 100_000,
  rowsRead: 1_000,
  nowMs: 0,
  deadlineMs: 90_000,
  capRows: 200,
  folderCapRows: null,
  weight: 1,
  weightBusy: 1,
};

Deno.test("half of the share is on time", () => {
  assert.deepEqual(judgeDeadline(file), {
    verdict: "on_time",
    rowsLeft: 9_000,
    needRows: 100,
    shareRows: 200,
    etaMs: 45_000,
    capNeededRows: null,
  });
});

Deno.test("more than four fifths of the share is at risk, more than all of it is late, with the cap that would do", () => {
  const atRisk = judgeDeadline({ ...file, capRows: 120 });
  assert.deepEqual([atRisk.verdict, atRisk.capNeededRows], ["at_risk", 125]);
  const late = judgeDeadline({ ...file, capRows: 99 });
  assert.deepEqual([late.verdict, late.capNeededRows], ["late", 125]);
  assert.equal(judgeDeadline({ ...file, capRows: 125 }).verdict, "on_time");
});

Deno.test("the share is by weight among the busy folders, and at most the folder's own cap", () => {
  const shared = judgeDeadline({ ...file, weight: 1, weightBusy: 4 });
  assert.deepEqual([shared.shareRows, shared.verdict, shared.capNeededRows], [50, "late", 500]);
  const own = judgeDeadline({ ...file, folderCapRows: 60 });
  assert.deepEqual([own.shareRows, own.verdict, own.capNeededRows], [60, "late", null]);
});

Deno.test("before the first row, and without a deadline, there is no verdict", () => {
  const unread = judgeDeadline({ ...file, rowsRead: 0, bytesRead: 0 });
  assert.deepEqual([unread.verdict, unread.rowsLeft, unread.etaMs], ["none", null, null]);
  const free = judgeDeadline({ ...file, deadlineMs: null });
  assert.deepEqual([free.verdict, free.etaMs, free.needRows], ["none", 45_000, null]);
  assert.equal(judgeDeadline({ ...file, capRows: null }).verdict, "none");
});

Deno.test("past the deadline rows are late and no cap would do; a file at its end is on time", () => {
  const past = judgeDeadline({ ...file, nowMs: 90_000 });
  assert.deepEqual([past.verdict, past.needRows, past.capNeededRows], ["late", Infinity, null]);
  assert.equal(judgeDeadline({ ...file, nowMs: 2 * hourMs, bytesLeft: 0 }).verdict, "on_time");
});

Deno.test("a dump is early by a sixth of its period: a fifth faster than needed at first, and steady from then on", () => {
  assert.equal(earlyNeedRows(3000, 6_000, 6_000), 600);
  assert.equal(earlyNeedRows(1500, 3_500, 6_000), 600, "on its way as planned");
  assert.equal(earlyNeedRows(1, 1_000, 6_000), Infinity);
  assert.equal(earlyNeedRows(0, 1_000, 6_000), 0);
});

Deno.test("pace deadline reads as fast as needed, between the floor and the cap, in whole rows", () => {
  assert.equal(paceRows(1000, 100, [200, 100.5]), 301);
  assert.equal(paceRows(1000, 100, [1]), 100);
  assert.equal(paceRows(1000, 0, [0]), 1);
  assert.equal(paceRows(1000, 100, [1100]), 1000);
  assert.equal(paceRows(1000, 100, [10, null]), 1000);
});

Deno.test("folders that bring more than can be read are told by how much", () => {
  const folders = [{ rows: 3_600_000, everyMs: hourMs }, { rows: 360_000, everyMs: hourMs }];
  assert.equal(excessRows(folders, 1_000), 100);
  assert.equal(excessRows(folders, 1_100), 0);
});
