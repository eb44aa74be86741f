/**
 * What every sink must do, whatever it is: run it on each implementation with a harness that knows how to look at the far end.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Lane } from "../../src/core/flow.ts";
import type { Reading } from "../../src/core/reading.ts";
import type { Sink, SinkReport } from "../../src/core/sink.ts";
import { numberedReading, numberedReadings } from "../support/readings.ts";
import { eventually } from "../support/servers.ts";

/** A sink to be tested, and its far end. */
export interface SinkHarness {
  /** Not opened yet. */
  readonly sink: Sink;
  /** The values (JSON text) that arrived, in order of arrival within a key. */
  arrived(): Promise<readonly string[]>;
  /** Makes the far end fail, and mends it. Null for a sink whose far end cannot be away. */
  readonly peer: { away(): Promise<void>; back(): Promise<void> } | null;
  /** A reading that it must reject for its size; null when it takes any size. */
  readonly tooLarge: Reading | null;
  /** Lets time pass: advances a virtual clock, or waits a moment for real. */
  pass(): Promise<void>;
  /** Closes what the harness opened; the sink is closed already. */
  dispose(): Promise<void>;
}

/** What a sink reported, in order. */
interface Reports extends SinkReport {
  readonly delivered: (lane: Lane, readings: readonly Reading[]) => void;
  readonly ids: Readonly<Record<Lane, readonly string[]>>;
  readonly rejections: readonly { readonly id: string; readonly reason: string }[];
  readonly count: number;
}

/** Registers the suite for one implementation. */
export function sinkContract(name: string, make: () => Promise<SinkHarness>): void {
  function promise(promised: string, test: (harness: SinkHarness, reports: Reports) => Promise<void>): void {
    Deno.test(`${name} sink: ${promised}`, async () => {
      const harness = await make();
      const reports = recordReports();
      try {
        await harness.sink.open(reports);
        await test(harness, reports);
      } finally {
        await harness.sink.close();
        await harness.dispose();
      }
    });
  }

  promise("each reading is reported once, in order within its lane, and arrives", async (harness, reports) => {
    const { sink } = harness;
    for (let n = 0; n < 200; n += 20) {
      sink.send("stream", numberedReadings("stream", n, n + 20));
      sink.send("files", numberedReadings("files", n, n + 20));
    }
    await flushed(harness);
    assert.deepEqual(reports.ids.stream, expectedIds("stream", 200));
    assert.deepEqual(reports.ids.files, expectedIds("files", 200));
    assert.deepEqual(reports.rejections, []);
    const arrived = await harness.arrived();
    assert.equal(arrived.length, 400);
    assert.deepEqual(numbersOf(arrived, "stream"), range(200));
    assert.deepEqual(numbersOf(arrived, "files"), range(200));
  });

  promise("the value arrives byte for byte", async (harness) => {
    const { sink } = harness;
    const value = '{"device_id":"d \\u0000 \\" \u00e4 \u{1f321}","lane":"stream","n":0,"v":12345678901234567890.10}';
    sink.send("stream", [{ ...numberedReading("stream", 0), value }]);
    await flushed(harness);
    assert.deepEqual(await harness.arrived(), [value]);
  });

  promise("flush with nothing sent resolves", async (harness) => {
    await flushed(harness);
  });

  promise("flush resolves when all that was sent before it is reported", async (harness, reports) => {
    const { sink } = harness;
    sink.send("stream", numberedReadings("stream", 0, 50));
    const first = flushed(harness).then(() => reports.count);
    sink.send("files", numberedReadings("files", 0, 50));
    assert.ok(await first >= 50);
    await flushed(harness);
    assert.equal(reports.count, 100);
  });

  promise("status counts what is in flight and is at rest after a flush", async (harness) => {
    const { sink } = harness;
    sink.send("stream", numberedReadings("stream", 0, 10));
    assert.ok(sink.status().inFlightReadings <= 10);
    await flushed(harness);
    const status = sink.status();
    assert.equal(status.inFlightReadings, 0);
    assert.equal(status.trouble, null);
    assert.equal(status.connected, true);
  });

  promise(
    "close does not hang with readings on their way, and nothing is reported after it",
    async (harness, reports) => {
      const { sink } = harness;
      sink.send("stream", numberedReadings("stream", 0, 100));
      await passing(harness, sink.close());
      const count = reports.count;
      await harness.pass();
      assert.equal(reports.count, count);
    },
  );

  promise("closing twice is closing once", async ({ sink }) => {
    await sink.close();
    await sink.close();
  });

  promise("check stands alone and finds nothing wrong", async (harness) => {
    const findings = await passing(harness, harness.sink.check());
    for (const finding of findings) assert.equal(finding.ok, true, `${finding.subject}: ${finding.result}`);
  });

  promise("while the far end is away nothing is reported; then all, in order", async (harness, reports) => {
    const { sink, peer } = harness;
    if (peer === null) return;
    sink.send("stream", numberedReadings("stream", 0, 20));
    await flushed(harness);
    await peer.away();
    sink.send("stream", numberedReadings("stream", 20, 60));
    sink.send("files", numberedReadings("files", 0, 40));
    const trouble = await eventually("the sink says what the trouble is", async () => {
      await harness.pass();
      return sink.status().trouble;
    });
    assert.notEqual(trouble, "");
    assert.equal(sink.status().inFlightReadings, 80);
    assert.equal(reports.count, 20);
    await peer.back();
    await flushed(harness);
    assert.deepEqual(reports.ids.stream, expectedIds("stream", 60));
    assert.deepEqual(reports.ids.files, expectedIds("files", 40));
    await eventually("the trouble is over", async () => {
      await harness.pass();
      return sink.status().trouble === null;
    });
    const arrived = await harness.arrived();
    assert.deepEqual(firstSeen(numbersOf(arrived, "stream")), range(60));
    assert.deepEqual(firstSeen(numbersOf(arrived, "files")), range(40));
  });

  promise("close does not hang while the far end is away", async (harness, reports) => {
    const { sink, peer } = harness;
    if (peer === null) return;
    await peer.away();
    sink.send("stream", numberedReadings("stream", 0, 10));
    await harness.pass();
    await passing(harness, sink.close());
    await peer.back();
    await harness.pass();
    assert.equal(reports.count, 0);
  });

  promise("a reading that is too large is rejected, and its neighbours are delivered", async (harness, reports) => {
    const { sink, tooLarge } = harness;
    if (tooLarge === null) return;
    sink.send("stream", [numberedReading("stream", 0), tooLarge, numberedReading("stream", 1)]);
    await flushed(harness);
    assert.deepEqual(reports.rejections, [{ id: tooLarge.id, reason: "too_large" }]);
    assert.deepEqual(reports.ids.stream, expectedIds("stream", 2));
  });

  /** Flushes, letting time pass meanwhile. */
  async function flushed(harness: SinkHarness): Promise<void> {
    await passing(harness, harness.sink.flush());
  }
}

/** Waits for `promise` while time passes. */
async function passing<T>(harness: SinkHarness, promise: Promise<T>): Promise<T> {
  let done = false;
  const settled = promise.finally(() => {
    done = true;
  });
  // A rejection is seen by whoever awaits `promise` below.
  settled.catch(() => {});
  await eventually("the sink is done", async () => {
    if (!done) await harness.pass();
    return done;
  });
  return await promise;
}

function recordReports(): Reports {
  const ids: Record<Lane, string[]> = { stream: [], files: [] };
  const seen = new Set<string>();
  const rejections: { id: string; reason: string }[] = [];
  function once(lane: Lane, { id, value }: Reading): void {
    assert.ok(!seen.has(id), `${id} was reported twice`);
    assert.ok(value.includes(`"${lane}"`), `${id} was reported in lane ${lane}`);
    seen.add(id);
  }
  return {
    ids,
    rejections,
    get count() {
      return seen.size;
    },
    delivered(lane, readings) {
      for (const reading of readings) {
        once(lane, reading);
        ids[lane].push(reading.id);
      }
    },
    rejected(lane, reading, reason) {
      once(lane, reading);
      rejections.push({ id: reading.id, reason });
    },
  };
}

function expectedIds(lane: Lane, count: number): string[] {
  return numberedReadings(lane, 0, count).map((reading) => reading.id);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function numbersOf(values: readonly string[], lane: Lane): number[] {
  return values.map((value): { lane: Lane; n: number } => JSON.parse(value))
    .filter((reading) => reading.lane === lane)
    .map((reading) => reading.n);
}

/** A sink that delivers at least once may repeat after a failure; the order of first arrivals still holds. */
function firstSeen(numbers: readonly number[]): number[] {
  return [...new Set(numbers)];
}
