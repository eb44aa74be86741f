/**
 * A sink of partitions that fail and come back, or die: each has a queue, and one batch under way that is tried until it is in, once.
 *
 * @module
 */
import type { Dice } from "../../src/core/dice.ts";
import type { Reading } from "../../src/core/reading.ts";
import type { Sink, SinkReport } from "../../src/core/sink.ts";
import type { VirtualClock } from "../support/virtual_clock.ts";

/** How it behaves. */
export interface ModelSinkPlan {
  readonly partitions: number;
  readonly sinkPerSecond: number;
  readonly givesBack: boolean;
}

/** A sink that can die with its process. */
export interface ModelSink extends Sink {
  die(): void;
}

/** Makes it; `land` is told what arrives. */
export function modelSink(
  plan: ModelSinkPlan,
  clock: VirtualClock,
  dice: Dice,
  isDown: (partition: number) => boolean,
  land: (reading: Reading) => void,
): ModelSink {
  const partitions = Array.from({ length: plan.partitions }, () => ({
    queue: [] as Reading[],
    batch: null as readonly Reading[] | null,
    isIn: false,
  }));
  let report: SinkReport | null = null;
  let dead = false;

  function pump(index: number): void {
    const partition = partitions[index];
    if (dead || partition === undefined || partition.batch !== null || partition.queue.length === 0) return;
    partition.batch = partition.queue.splice(0, 20);
    partition.isIn = false;
    attempt(index);
  }

  function attempt(index: number): void {
    const partition = partitions[index];
    if (partition === undefined) return;
    const size = partition.batch?.length ?? 0;
    clock.after(1 + 1000 * size * plan.partitions / plan.sinkPerSecond, () => {
      const { batch } = partition;
      if (dead || batch === null) return;
      const down = isDown(index);
      // An attempt whose answer is lost is in all the same; the next one is recognised.
      if (!partition.isIn && (!down || dice() < 0.1)) {
        partition.isIn = true;
        for (const reading of batch) land(reading);
      }
      if (down || dice() < 0.02) return void clock.after(100, () => attempt(index));
      partition.batch = null;
      report?.delivered("stream", batch);
      pump(index);
    });
  }

  const sink: ModelSink = {
    name: "model",
    open(given) {
      report = given;
      return Promise.resolve();
    },
    send(_lane, readings) {
      for (const reading of readings) {
        let hash = 0;
        for (const c of String(reading.fields["device"])) hash = hash * 31 + c.charCodeAt(0);
        partitions[hash % plan.partitions]?.queue.push(reading);
      }
      for (const index of partitions.keys()) pump(index);
    },
    flush: () => Promise.resolve(),
    close() {
      dead = true;
      return Promise.resolve();
    },
    die() {
      // What is under way may or may not have arrived.
      for (const { batch, isIn } of partitions) if (batch !== null && !isIn && dice() < 0.5) batch.forEach(land);
      dead = true;
    },
    status: () => ({
      ...{ kind: "model", connected: true, trouble: null, inFlightReadings: 0, retries: 0, throttledMs: 0 },
    }),
    check: () => Promise.resolve([]),
  };
  if (!plan.givesBack) return sink;
  sink.takeBack = (wanted) => {
    const given = new Map<Reading, Reading>();
    for (const partition of partitions) {
      let ahead = partition.batch?.[0] ?? null;
      partition.queue = partition.queue.filter((reading) => {
        if (ahead !== null && wanted.has(reading)) {
          given.set(reading, ahead);
          return false;
        }
        ahead ??= reading;
        return true;
      });
    }
    return given;
  };
  return sink;
}
