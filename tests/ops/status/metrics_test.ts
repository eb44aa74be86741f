import assert from "node:assert/strict";
import { exposition, metricsPage } from "../../../src/ops/status/exposition.ts";
import { type Measured, metrics } from "../../../src/ops/status/metrics.ts";
import { fakeFile, fakeStatus } from "./fake_gateway.ts";

const files = { kind: "files", waitingFiles: 0, waitingBytes: 0, doneFiles: 0, quarantinedFiles: 0 } as const;

function measured(changes: Parameters<typeof fakeStatus>[1] = {}): Measured {
  return {
    snapshot: {
      version: 1,
      program: "1.2.3",
      atMs: 0,
      ...fakeStatus(65_000, changes),
      rates: { real_time: 0, batch: 0, delivered: 0 },
      deadLetters: { contentsShown: false, stored: 3, storedBytes: 300, newest: [] },
    },
    process: {
      ...{ startedAtSeconds: 1, cpuSeconds: 2, residentBytes: 3, heapBytes: 4 },
      ...{ watchers: 5, connections: 6, turnedAway: 7 },
    },
  };
}

Deno.test("names follow the conventions of Prometheus", () => {
  const names = metrics.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, type, help, labels } of metrics) {
    assert.match(name, /^(weir|process)(_[a-z0-9]+)+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.ok(!/_(ms|millis|kib|mib|percent|minutes)\b/.test(name), `${name}: base units`);
    assert.ok(!labels.includes("quantile") && !labels.includes("le"), name);
    assert.match(help, /^[A-Z1].*[^.]$/, name);
  }
});

Deno.test("every line is a comment or a sample, and each sample has just the labels of the table", () => {
  const text = exposition(measured());
  for (const line of text.trimEnd().split("\n")) {
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|[a-z_0-9]+(\{([a-z]+="[^"\n]*",?)+\})? -?[0-9.e+-]+)$/);
  }
  for (const metric of metrics) {
    for (const sample of metric.read(measured())) {
      assert.deepEqual(Object.keys(sample.labels ?? {}).sort(), [...metric.labels].sort(), metric.name);
    }
  }
});

Deno.test("the figures are those of the status, in base units", () => {
  const text = exposition(measured());
  for (
    const line of [
      'weir_info{gateway="press-line-3",version="1.2.3"} 1',
      'weir_readings_read_total{origin="real_time"} 19500',
      'weir_readings_settled_total{origin="batch",verdict="dead_lettered"} 3',
      'weir_readings_open{origin="batch"} 7',
      "weir_stream_delay_p99_seconds 0.041",
      "weir_files_cap_rows_per_second 500",
      'weir_file_eta_seconds{folder="/dumps"} 80',
      'weir_file_verdict{folder="/dumps",verdict="on_time"} 1',
      'weir_file_verdict{folder="/dumps",verdict="late"} 0',
      "weir_mqtt_pending_messages 4",
      'weir_sink_throttled_seconds_total{sink="kafka"} 2.5',
      "process_resident_memory_bytes 3",
    ]
  ) assert.ok(text.split("\n").includes(line), line);
});

Deno.test("what does not apply is left out, so that nothing looks like a zero", () => {
  const text = exposition(measured({
    capRows: null,
    sources: [],
    streamDelay: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
  }));
  for (const name of ["files_cap_rows", "stream_delay", "weir_mqtt", "files_done", "weir_file_"]) {
    assert.ok(!text.includes(name), name);
  }
});

Deno.test("labels are escaped, and no file name is ever one", () => {
  const folder = '/du"mps\\\n';
  const text = exposition(measured({ sources: [{ ...files, active: [fakeFile({ folder, name: "evil{}\n.csv" })] }] }));
  assert.ok(text.includes(`weir_file_read_bytes{folder="/du\\"mps\\\\\\n"} 1000000\n`));
  assert.ok(!text.includes("evil"));
});

Deno.test("two files of one folder are one series", () => {
  const active = [fakeFile({ readBytes: 1 }), fakeFile({ name: "b.csv", readBytes: 2 })];
  const text = exposition(measured({ sources: [{ ...files, active }] }));
  assert.equal(text.match(/^weir_file_read_bytes\{.*$/gm)?.join(), 'weir_file_read_bytes{folder="/dumps"} 1');
});

Deno.test("the page has every metric", () => {
  for (const { name } of metrics) assert.ok(metricsPage().includes(`| \`${name}\` |`), name);
});

Deno.test("what the guides want watched is measured: names, labels and their values", async () => {
  const text = exposition(measured({ sources: [{ ...files, active: [fakeFile({ verdict: "late" })] }] }));
  for (const guide of ["operations.md", "metrics.md"]) {
    const page = await Deno.readTextFile(new URL(`../../../docs/${guide}`, import.meta.url));
    const watched = page.slice(page.indexOf(guide === "metrics.md" ? "## Worth an alarm" : "## Watch it"));
    const selectors = [...watched.matchAll(/\b(weir_[a-z0-9_]+)(?:\{([a-z]+="[a-z_]+")\})?/g)];
    assert.ok(selectors.length >= 5, guide);
    for (const [selector, name = "", label = ""] of selectors) {
      assert.ok(metrics.some((metric) => metric.name === name), `${guide}: ${selector} is not measured`);
      const samples = text.split("\n").filter((line) => line.startsWith(`${name}{`));
      assert.ok(label === "" || samples.some((line) => line.includes(label)), `${guide}: ${selector} never is`);
    }
  }
});
