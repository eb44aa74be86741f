/**
 * A sink in virtual time with moods: it is fast, slow, stalls, or refuses single readings for good. What it has taken it keeps, so that a
 * simulation can compare it with what was sent.
 *
 * @module
 */
import type { Clock } from "../../src/core/clock.ts";
import type { Dice } from "../../src/core/dice.ts";
import type { Lane } from "../../src/core/flow.ts";
import type { Reading } from "../../src/core/reading.ts";
import type { Sink, SinkReport } from "../../src/core/sink.ts";

/** A reading as the sink got it. */
export interface Arrived {
  readonly atMs: number;
  readonly lane: Lane;
  readonly id: string;
  readonly value: string;
}

/** How it behaves. */
export interface SinkMoods {
  /** Readings/s that it can take. */
  readonly perSecond: number;
  /** Share of batches after which it stalls, and for how long at most. */
  readonly stallShare: number;
  readonly stallMaxMs: number;
  /** Share of readings that it refuses for good. */
  readonly rejectShare: number;
}

/** Makes the sink; `kept` outlives it, as Kafka outlives a gateway. */
export function simulatedSink(moods: SinkMoods, kept: Arrived[], clock: Clock, dice: Dice): Sink {
  const lanes: Record<Lane, Reading[][]> = { stream: [], files: [] };
  let report: SinkReport | null = null;
  let closed = false;
  let inFlight = 0;
  let idle: (() => void)[] = [];

  function pump(lane: Lane): void {
    const batch = lanes[lane][0];
    if (batch === undefined || closed) return;
    const stallMs = dice() < moods.stallShare ? dice() * moods.stallMaxMs : 0;
    clock.after(1 + 1000 * batch.length / moods.perSecond + stallMs, () => {
      if (closed) return;
      lanes[lane].shift();
      settle(lane, batch);
      pump(lane);
    });
  }

  /** Taken over first, reported after: a crash between the two is what makes a reading come twice. */
  function settle(lane: Lane, batch: readonly Reading[]): void {
    const good = batch.filter((reading) => !refused(reading));
    for (const { id, value } of good) kept.push({ atMs: clock.nowMs(), lane, id, value });
    inFlight -= batch.length;
    const lateMs = dice() < 0.2 ? dice() * 50 : 0;
    clock.after(lateMs, () => {
      if (closed || report === null) return;
      if (good.length > 0) report.delivered(lane, good);
      for (const reading of batch) {
        if (refused(reading)) report.rejected(lane, reading, "too_large", "the simulated sink refuses it");
      }
      if (inFlight === 0) { for (const resolve of idle.splice(0)) resolve(); }
    });
  }

  /** By its content, so that it is refused again after a restart. */
  function refused(reading: Reading): boolean {
    let hash = 0;
    for (let i = 0; i < reading.value.length && i < 40; i++) hash = (hash * 31 + reading.value.charCodeAt(i)) % 1000;
    return hash < moods.rejectShare * 1000;
  }

  return {
    name: "simulated",
    open(given) {
      report = given;
      return Promise.resolve();
    },
    send(lane, readings) {
      inFlight += readings.length;
      lanes[lane].push([...readings]);
      if (lanes[lane].length === 1) pump(lane);
    },
    flush: () => inFlight === 0 ? Promise.resolve() : new Promise((resolve) => (idle = [...idle, resolve])),
    close() {
      closed = true;
      for (const resolve of idle.splice(0)) resolve();
      return Promise.resolve();
    },
    check: () => Promise.resolve([]),
    status: () => ({
      kind: "simulated",
      connected: true,
      trouble: null,
      inFlightReadings: inFlight,
      retries: 0,
      throttledMs: 0,
    }),
  };
}
