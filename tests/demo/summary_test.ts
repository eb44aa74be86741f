import assert from "node:assert/strict";
import type { Sums } from "../../src/core/tally.ts";
import { type DemoFacts, findGaps, renderSummary } from "../../src/demo/summary.ts";

function sums(delivered: number, deadLettered: number, open = 0): Sums {
  const read = delivered + deadLettered + open;
  return { read, delivered, filtered: 0, dead_lettered: deadLettered, dropped: 0, open };
}

function facts(changes: Partial<DemoFacts> = {}): DemoFacts {
  return {
    playedMs: 30_012,
    drained: true,
    sums: { real_time: sums(7205, 7), batch: sums(11_993, 11) },
    sensors: 36,
    sent: { messages: 5000, readings: 7212, badPayloads: 7, missed: 0 },
    dropped: { files: 4, rows: 12_004, badRows: 11 },
    doneFiles: 4,
    leftFiles: [],
    capRows: 500,
    delay: { count: 100, p50Ms: 2, p99Ms: 9, maxMs: 12 },
    sink: "/tmp/readings.ndjson",
    output: {
      path: "/tmp/readings.ndjson",
      bytes: 3_000_000,
      lines: { real_time: 7205, batch: 11_993 },
      samples: { real_time: '{"origin":"real_time"}', batch: '{"origin":"batch"}' },
      invalidLines: 0,
    },
    next: [{ command: "weir demo", what: "once more" }],
    ...changes,
  };
}

Deno.test("a demo whose sums, sensors and file agree adds up", () => {
  assert.deepEqual(findGaps(facts()), []);
  const text = renderSummary(facts());
  assert.match(text, /It adds up: read = delivered \+ filtered \+ dead-lettered \+ dropped\./);
  assert.match(text, / {2}real_time +7,212 +7,205 +0 +7 +0\n {2}batch +12,004 +11,993 +0 +11 +0\n/);
  assert.match(text, /\/tmp\/readings\.ndjson \(19,198 lines, 2\.9 MiB\)/);
  assert.match(text, /\{"origin":"real_time"\}\n {2}\{"origin":"batch"\}/);
  assert.match(text, /All 4 are done\./);
});

Deno.test("whatever does not agree is told, each gap by itself", () => {
  const gaps = (changes: Partial<DemoFacts>) => findGaps(facts(changes)).join("\n");
  assert.match(
    gaps({ sums: { real_time: sums(7200, 7, 5), batch: sums(11_993, 11) } }),
    /5 of 7,212 readings have no verdict/,
  );
  assert.match(gaps({ sent: { ...facts().sent, readings: 7213 } }), /sent 7,213 readings, 7,212 were read/);
  const output = facts().output;
  assert.ok(output);
  assert.match(
    gaps({ output: { ...output, lines: { real_time: 7204, batch: 11_993 } } }),
    /real_time: 7,205 were delivered, 7,204 lines/,
  );
  assert.match(gaps({ output: { ...output, invalidLines: 1 } }), /1 lines of the file are not readings/);
  assert.match(renderSummary(facts({ output: { ...output, invalidLines: 1 } })), /It does NOT add up: 1 lines/);
});

Deno.test("dumps that were not read to their end are named with how far they were", () => {
  const text = renderSummary(
    facts({ doneFiles: 2, leftFiles: [{ name: "a\u001b.csv", rowsRead: 1439 }, { name: "b.json", rowsRead: null }] }),
  );
  assert.match(text, /2 are done; left at the end: a\\u001b\.csv \(1,439 rows read\), b\.json \(not begun\)\./);
});

Deno.test("a demo into another sink names it and needs no file", () => {
  const text = renderSummary(facts({ output: null, sink: "Kafka at 127.0.0.1:9092, topic weir-demo", capRows: null }));
  assert.match(text, /Output: {2}Kafka at 127\.0\.0\.1:9092, topic weir-demo/);
  assert.match(text, /read without a cap/);
});

Deno.test("a drain that was cut short is told as that, not as sums that are wrong", () => {
  const text = renderSummary(facts({ drained: false, sums: { real_time: sums(7200, 7, 5), batch: sums(11_993, 11) } }));
  assert.match(text, /The drain was cut short: 5 readings were still on their way\./);
  assert.doesNotMatch(text, /NOT add up/);
});
