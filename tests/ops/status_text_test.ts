import assert from "node:assert/strict";
import type { AppStatus } from "../../src/core/status.ts";
import { statusText } from "../../src/ops/status_text.ts";

const sums = { read: 1_234_567, delivered: 1_234_000, filtered: 500, dead_lettered: 60, dropped: 0, open: 7 };
const now: AppStatus = {
  gateway: "gw",
  upMs: 7_500_000,
  sums: { real_time: sums, batch: sums },
  capRows: null,
  floorRows: 100,
  streamDelay: { count: 9, p50Ms: 1.2, p99Ms: 11.4, maxMs: 20 },
  sources: [
    {
      kind: "mqtt",
      connected: false,
      protocolVersion: null,
      pendingMessages: 3,
      pendingBytes: 1200,
      inboxReadings: 0,
      reconnects: 2,
    },
    {
      kind: "files",
      active: [{
        folder: "/d",
        name: "dump.csv",
        sizeBytes: 100,
        readBytes: 50,
        rowsRead: 5,
        rowsFinished: 5,
        badRows: 1,
        rowsEstimated: null,
        etaMs: null,
        verdict: "at_risk",
        timeLeftMs: -60_000,
      }],
      waitingFiles: 0,
      waitingBytes: 0,
      doneFiles: 1,
      quarantinedFiles: 0,
    },
  ],
  sink: {
    kind: "kafka",
    connected: false,
    trouble: "No\u0007answer",
    inFlightReadings: 7,
    retries: 3,
    throttledMs: 1200,
  },
};

Deno.test("what is wrong stands out in colour, and in words without it", () => {
  const plain = statusText(now, { colour: false, columns: 80 });
  assert.match(plain, /Streams {2}not connected, 2 reconnects; delay p50 1\.2 ms, p99 11\.4 ms/);
  assert.match(plain, /Files {4}no cap, 100 promised/);
  assert.match(plain, /dump\.csv .* 50 % {2}ETA unknown {2}at risk\n +5 rows, 1 bad\n +its deadline was 1 min ago\n/);
  assert.match(
    plain,
    /kafka, not connected; 7 in flight, 3 retries\n +throttled by it for 1\.2 s in all\n +No\\u0007answer/,
  );
  assert.ok(plain.split("\n").every((line) => line.length <= 80), plain);
  assert.equal(plain.includes("\u001b"), false);
  const coloured = statusText(now, { colour: true, columns: 80 });
  for (const alarm of ["not connected", "at risk", "No\\u0007answer"]) {
    assert.ok(coloured.includes(`\u001b[1;31m${alarm}\u001b[0m`), alarm);
  }
});

Deno.test("of many files the first are shown, and how many there are besides", () => {
  const [mqtt, files] = now.sources;
  assert.ok(mqtt !== undefined && files?.kind === "files");
  const [file] = files.active;
  assert.ok(file !== undefined);
  const many = { ...files, active: Array.from({ length: 200 }, (_, i) => ({ ...file, name: `dump-${i}.csv` })) };
  const text = statusText({ ...now, sources: [mqtt, many] }, { colour: false, columns: 80 });
  assert.equal(text.match(/dump-\d+\.csv/g)?.length, 20);
  assert.match(text, /\n +180 more files are being read, 180 of them late or at risk; --json has all\nSink/);
});
