/**
 * The dispatcher, case by case; `fair_share_property_test.ts` has the bounds.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Clock } from "../../src/core/clock.ts";
import { virtualClock } from "../support/virtual_clock.ts";
import { flowOf, scheduler } from "./rig.ts";

Deno.test("1,000 rows/s leave as ten rows each ten milliseconds, with one timer", () => {
  const { clock, sent, share } = scheduler({ capRows: 1000 }, [flowOf("files", { rows: 5_000 })]);
  share.wake();
  for (let i = 0; i < 15; i++) {
    clock.advanceSync(10);
    assert.equal(clock.timers, 1);
  }
  assert.ok(sent.every(({ rows }) => rows === 10));
  assert.deepEqual(sent.slice(0, 3).map(({ atMs }) => atMs), [11, 21, 31]);
});

Deno.test("a reading that arrives leaves before wake returns, also while files wait for the cap", () => {
  const stream = flowOf("stream");
  const { share, rows, clock } = scheduler({ capRows: 10 }, [flowOf("files", { rows: 50 }), stream]);
  share.wake();
  clock.advanceSync(1);
  stream.waiting = 1;
  share.wake();
  assert.equal(rows("stream"), 1);
});

Deno.test("a turn takes runs of several subscriptions, in the fair order, until it is full", () => {
  const streams = Array.from({ length: 1_000 }, (_, i) => flowOf("stream", { rows: 1, name: `stream-${i}` }));
  const { share, sent } = scheduler({ capRows: 1000 }, streams);
  share.wake();
  assert.equal(sent.length, 1_000);
  assert.equal(sent.at(-1)?.turn, 16);
  assert.deepEqual(sent.map(({ flow }) => flow), streams.map(({ name }) => name));
});

Deno.test("a turn that one subscription has begun is filled up by the next, which then has its own turn first", () => {
  const streams = ["a", "b"].map((name) => flowOf("stream", { rows: 60, name }));
  const { share, sent } = scheduler({ capRows: 1000 }, streams);
  share.wake();
  assert.deepEqual(sent.map(({ turn, flow, rows }) => [turn, flow, rows]), [[1, "a", 60], [1, "b", 4], [2, "b", 56]]);
});

Deno.test("release and wake from inside dispatch and take never dispatch inside each other", () => {
  let depth = 0;
  const files = flowOf("files", { rows: 1_000 });
  const stream = flowOf("stream", { rows: 1_000 });
  for (const flow of [files, stream]) {
    const take = flow.take;
    flow.take = function (maxRows, maxBytes) {
      depth += 1;
      share.wake();
      depth -= 1;
      return take.call(this, maxRows, maxBytes);
    };
  }
  let rows = 0;
  const { share, clock } = scheduler({ capRows: null, inFlightRows: 2 }, [files, stream], {
    dispatch(lane, items) {
      assert.equal(depth, 0);
      depth += 1;
      rows += items.length;
      share.release(lane, items.length, items.length * 10);
      share.wake();
      depth -= 1;
    },
  });
  share.wake();
  clock.advanceSync(0);
  assert.equal(rows, 2_000);
  assert.equal(share.status().freeRows, 2);
});

Deno.test("the cap may change from inside dispatch", () => {
  const files = flowOf("files", { rows: 10_000 });
  const { share, clock, rows } = scheduler({ capRows: 1000, inFlightRows: 100_000 }, [files], {
    dispatch: () => share.setCap(1),
  });
  share.wake();
  clock.advanceSync(10_000);
  assert.equal(share.status().capRows, 1);
  assert.equal(rows("files"), 0);
  assert.ok(10_000 - files.waiting <= 20, `${10_000 - files.waiting} rows`);
});

Deno.test("a burst yields to pending I/O and goes on by itself, waking meanwhile changes nothing", () => {
  const inner = virtualClock();
  let workedMs = 0;
  const clock: Clock = { ...inner, nowMs: () => inner.nowMs() + workedMs };
  const files = flowOf("files", { rows: 100_000 });
  const { share } = scheduler({ capRows: null, inFlightRows: 1_000_000, filesInFlightRows: 1_000_000 }, [files], {
    clock,
    dispatch: () => (workedMs += 1),
  });
  share.wake();
  assert.equal(workedMs, 4);
  share.wake();
  assert.equal(workedMs, 4);
  assert.equal(inner.timers, 1);
  inner.advanceSync(0);
  assert.equal(files.waiting, 0);
  assert.equal(workedMs, 200);
});

Deno.test("stop leaves no timer, dispatches nothing more, and takes credits back", () => {
  const { share, clock, sent } = scheduler({ capRows: 1000 }, [flowOf("files", { rows: 1_000 })]);
  share.wake();
  clock.advanceSync(25);
  share.stop();
  assert.equal(clock.timers, 0);
  assert.equal(sent.length, 2);
  share.release("files", 20, 200);
  share.wake();
  share.setCap(50);
  clock.advanceSync(10_000);
  assert.deepEqual([sent.length, clock.timers, share.status().freeRows], [2, 0, 2160]);
});

Deno.test("uncapped files go as fast as credits come back, and a cap that is set later starts empty", () => {
  const files = flowOf("files", { rows: 100_000 });
  const { share, clock, rows } = scheduler({ capRows: null }, [files]);
  share.wake();
  assert.equal(rows("files"), 15_500);
  share.release("files", 15_500, 155_000);
  assert.equal(rows("files"), 31_000);
  share.setCap(100);
  share.release("files", 15_500, 155_000);
  assert.equal(rows("files"), 31_000);
  clock.advanceSync(1_001);
  assert.equal(rows("files"), 31_100);
  share.setCap(null);
  assert.ok(rows("files") > 40_000);
});

Deno.test("bytes in flight pass their limit by one item at most, on either lane", () => {
  const input = { capRows: null, inFlightBytes: 10_000 };
  const files = scheduler(input, [flowOf("files", { rows: 100, bytes: 3_000 })]);
  files.share.wake();
  assert.deepEqual(files.share.status().inFlightBytes, { stream: 0, files: 6_000 });
  const stream = scheduler(input, [flowOf("stream", { rows: 100, bytes: 3_000 })]);
  stream.share.wake();
  assert.deepEqual(stream.share.status().inFlightBytes, { stream: 9_000, files: 0 });
  const huge = scheduler(input, [flowOf("stream", { rows: 100, bytes: 1_000_000 })]);
  huge.share.wake();
  assert.equal(huge.rows("stream"), 1);
});

Deno.test("a row larger than the cap in bytes passes and is paid for afterwards", () => {
  const { share, clock, sent } = scheduler({ capRows: 1000, capBytes: 100 }, [
    flowOf("files", { rows: 3, bytes: 1_000 }),
  ]);
  share.wake();
  clock.advanceSync(60_000);
  const [first, second, third] = sent.map(({ atMs }) => atMs);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.ok(Math.abs(second - first - 10_000) <= 20 && Math.abs(third - second - 10_000) <= 20);
});

Deno.test("a year of debt sleeps in timers that a machine can set", () => {
  const longest: number[] = [];
  const inner = virtualClock();
  const clock: Clock = {
    ...inner,
    after(delayMs, act) {
      longest.push(delayMs);
      return inner.after(delayMs, act);
    },
  };
  const { share } = scheduler({ capRows: 1000, capBytes: 1 }, [flowOf("files", { rows: 2, bytes: 30_000_000 })], {
    clock,
  });
  share.wake();
  inner.advanceSync(86_400_000);
  assert.ok(longest.length < 60 && longest.every((delayMs) => delayMs < 2 ** 31));
});

Deno.test("a timer that comes too early is set again and costs nothing but itself", () => {
  const inner = virtualClock();
  let set = 0;
  const early: Clock = {
    ...inner,
    after(delayMs, act) {
      set += 1;
      return inner.after(delayMs * 0.9, act);
    },
  };
  const { share, sent } = scheduler({ capRows: 10, filesInFlightRows: 100 }, [flowOf("files", { rows: 10 })], {
    clock: early,
  });
  share.wake();
  inner.advanceSync(1_100);
  assert.equal(sent.length, 10);
  assert.ok(set < 50, `${set} timers`);
});

Deno.test("a process that stood still counts the rows it lost and makes no more than a burst good", () => {
  const inner = virtualClock();
  let pausedUntilMs = 0;
  const clock: Clock = {
    ...inner,
    after: (delayMs, act) => inner.after(Math.max(delayMs, pausedUntilMs - inner.nowMs()), act),
  };
  const { share, rows } = scheduler({ capRows: 1000, inFlightRows: 100_000 }, [flowOf("files", { rows: 100_000 })], {
    clock,
  });
  pausedUntilMs = 5_020;
  share.wake();
  inner.advanceSync(5_019);
  assert.equal(share.status().inFlightRows.files, 0);
  inner.advanceSync(1);
  // 20 ms fill the depth of 20 rows; the 5,000 ms after that are lost.
  assert.equal(share.status().lostRows, 5_000);
  assert.equal(share.status().inFlightRows.files, 10);
  assert.equal(rows("files"), 10);
});

Deno.test("rows that a slow sink held back are not counted as lost", () => {
  const { share, clock } = scheduler({ capRows: 1000, inFlightRows: 20 }, [flowOf("files", { rows: 1_000 })]);
  share.wake();
  clock.advanceSync(60_000);
  share.release("files", 10, 100);
  assert.equal(share.status().lostRows, 0);
});

Deno.test("the spool waits for live readings, and borrowed rows of files wait for the spool", () => {
  const spool = flowOf("stream", { name: "spool", rows: 200 });
  const stream = flowOf("stream", { rows: 100 });
  const files = flowOf("files", { rows: 1_000 });
  const { share, sent, clock } = scheduler({ capRows: 100, floorRows: 0, inFlightRows: 100 }, [stream, files], {
    spool,
  });
  share.wake();
  assert.deepEqual(sent.map(({ flow, rows }) => [flow, rows]), [["stream", 64], ["stream", 36]]);
  clock.advanceSync(1_000);
  share.release("stream", 100, 1_000);
  assert.deepEqual(sent.slice(2).map(({ flow, rows }) => [flow, rows]), [["spool", 64], ["spool", 36]]);
});

Deno.test("a flow that gives nothing, or more than asked, is told by name", () => {
  for (const count of [0, 65]) {
    const flow = {
      ...flowOf("stream", { rows: 100 }),
      take: () => Array.from({ length: count }, () => ({ flow: "stream", bytes: 1 })),
    };
    const { share } = scheduler({ capRows: 1 }, [flow]);
    assert.throws(() => share.wake(), /Flow "stream" was asked for 1 to 64 items and gave/);
  }
});

Deno.test("more credits than were taken are refused", () => {
  const { share } = scheduler({ capRows: 1000 }, [flowOf("stream", { rows: 1 })]);
  share.wake();
  assert.throws(() => share.release("stream", 2, 10), /Cannot give back 2 rows/);
  assert.throws(() => share.release("files", 1, 0), /Cannot give back 1 rows/);
  assert.throws(() => share.release("stream", 1, NaN), /Cannot give back/);
});
