import assert from "node:assert/strict";
import { createNotices } from "../../src/spool/notices.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const totals = { readings: 5, bytes: 500, oldestAtMs: 0 };

Deno.test("filling and emptying are said once each, with count and time; a sink at its limit does not fill the log", async () => {
  const clock = virtualClock();
  const said: string[] = [];
  const notices = createNotices({ clock, emit: (_level, name, message) => void said.push(`${name} ${message}`) });
  notices.written(5, totals, true);
  notices.written(7, totals, true);
  await clock.advance(125_000);
  notices.emptied();
  assert.deepEqual(said.splice(0), [
    "spool.began Readings of streams are put aside on disk: the sink does not answer",
    "spool.emptied All readings that were put aside on disk are sent: 12 in 2 min 5 s",
  ]);
  for (let i = 0; i < 10; i++) {
    notices.written(3, totals, false);
    await clock.advance(2_000);
    notices.emptied();
    await clock.advance(1_000);
  }
  assert.deepEqual(said, [], "ten spells in half a minute");
  notices.written(3, totals, false);
  await clock.advance(40_000);
  notices.written(4, totals, false);
  notices.emptied();
  notices.close();
  assert.deepEqual(said, [
    "spool.began Readings of streams are put aside on disk: the sink does not take all of them",
    "spool.emptied All readings that were put aside on disk are sent: 7 in 40 s",
  ]);
});
