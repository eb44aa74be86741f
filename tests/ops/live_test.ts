import assert from "node:assert/strict";
import type { AppStatus } from "../../src/core/status.ts";
import { createLiveViewer, type LiveViewer } from "../../src/ops/live.ts";
import type { Terminal } from "../../src/ops/terminal.ts";
import { type VirtualClock, virtualClock } from "../support/virtual_clock.ts";

const sums = { read: 0, delivered: 0, filtered: 0, dead_lettered: 0, dropped: 0, open: 0 };

function viewer(interactive: boolean): { written: string[]; clock: VirtualClock; live: LiveViewer } {
  const written: string[] = [];
  const clock = virtualClock();
  const terminal: Terminal = {
    interactive,
    colour: false,
    unicode: false,
    columns: () => 80,
    rows: () => 24,
    write: (text) => void written.push(text),
  };
  const status = (): AppStatus => ({
    gateway: "demo",
    upMs: clock.nowMs(),
    sums: { real_time: { ...sums, read: clock.nowMs() / 10 }, batch: sums },
    capRows: 500,
    floorRows: 50,
    streamDelay: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
    sources: [],
    sink: { kind: "ndjson", connected: true, trouble: null, inFlightReadings: 0, retries: 0, throttledMs: 0 },
  });
  return { written, clock, live: createLiveViewer({ terminal, clock, status, endsAtMs: 30_000 }) };
}

Deno.test("on a terminal the picture is painted at once, four times a second, and a last time at the end", async () => {
  const { written, clock, live } = viewer(true);
  live.start();
  assert.equal(written.length, 1);
  await clock.advance(1000);
  assert.equal(written.length, 5);
  assert.match(written.at(-1) ?? "", /real_time +100\/s/);
  live.stop();
  live.stop();
  assert.match(written[5] ?? "", /29 s left/);
  assert.deepEqual(written.slice(6), ["\u001b[?25h"]);
  assert.equal(clock.timers, 0);
});

Deno.test("elsewhere there is a plain line every five seconds, without any control character", async () => {
  const { written, clock, live } = viewer(false);
  live.start();
  await clock.advance(12_000);
  live.stop();
  assert.deepEqual(written.map((line) => line.split(";")[0]), ["up 5.0 s", "up 10 s"]);
  // deno-lint-ignore no-control-regex
  assert.ok(written.every((line) => /^[^\u0000-\u0009\u000b-\u001f]*\n$/.test(line)), written.join(""));
  assert.equal(clock.timers, 0);
});

Deno.test("lines of the log stand above the picture, which is drawn again below", () => {
  const { written, live } = viewer(true);
  live.start();
  live.print("warn  Something is late\n");
  assert.ok(written[1]?.includes("\u001b[Jwarn  Something is late\n"));
  assert.match(written[1] ?? "", /real_time/);
  live.print(`warn  ${"long ".repeat(1000)}\n`);
  assert.ok((written[2] ?? "").length < 2000, "a line that would push the picture away is cut");
  live.stop();
});
