/**
 * The data path, on one screen. Readings go right, verdicts go left, every step is pulled:
 *
 *     sources --> flows --> fair share --> outbox --> sink
 *        ^                      ^             |
 *        |                      +-- credits --+
 *        +------- verdicts: PUBACK, checkpoint
 *
 * The sink opens first and the sources last; everything stops in reverse.
 *
 * @module
 */
import type { Clock } from "./core/clock.ts";
import type { Dice } from "./core/dice.ts";
import type { Emit } from "./core/event.ts";
import type { Item } from "./core/reading.ts";
import type { Sink } from "./core/sink.ts";
import type { Source } from "./core/source.ts";
import type { DelayStatus } from "./core/status.ts";
import type { DeadLetterStore } from "./core/store.ts";
import type { Tally } from "./core/tally.ts";
import { createDelayWindow } from "./ops/delay.ts";
import type { FairShareOptions } from "./scheduler/defaults.ts";
import { createFairShare } from "./scheduler/fair_share.ts";
import { createOutbox } from "./sink/outbox.ts";

/** What a pipeline is put together from. */
export interface PipelineParts {
  readonly sources: readonly Source[];
  readonly sink: Sink;
  readonly letters: DeadLetterStore;
  readonly fairShare: FairShareOptions;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
}

/** The running data path. */
export interface Pipeline {
  /**
   * Opens the sink, then starts the sources.
   *
   * @throws {WeirError} what cannot be mended by trying again; nothing is left open then.
   */
  start(): Promise<void>;
  /** Resolves when no source has anything left to do without new input. */
  finished(): Promise<void>;
  /** Takes in nothing new. Resolves when all that was taken in is settled and acknowledged. */
  drain(): Promise<void>;
  /** Gives up what is still on its way: it comes again after the next start. Never throws. */
  close(): Promise<void>;
  /** Other numbers for the scheduler, and weights by the names of the flows, from now on. */
  reschedule(options: FairShareOptions, weights: ReadonlyMap<string, number>): void;
  /** Changes the cap of all files from now on, rows/s or null. */
  setCap(capRows: number | null): void;
  /** Delay of the stream over the last ten seconds. */
  delay(): DelayStatus;
}

/** Puts the data path together. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { sources, tally, clock } = parts;
  const delay = createDelayWindow(clock);
  let { filesInFlightRows } = parts.fairShare;

  const outbox = createOutbox({
    ...parts,
    release: (lane, rows, bytes) => fairShare.release(lane, rows, bytes),
    // While one half is being committed, the other one gathers.
    chunkRowsMax: () => Math.max(1, filesInFlightRows >> 1),
    onDelivered(lane, readings) {
      if (lane !== "stream") return;
      const now = clock.nowMs();
      for (const reading of readings) delay.record(now - reading.arrivedMs);
    },
  });

  const fairShare = createFairShare<Item>(parts.fairShare, sources.flatMap((source) => source.flows), {
    clock,
    dispatch(lane, items) {
      countRead(tally, items);
      outbox.accept(lane, items);
    },
  });

  async function close(): Promise<void> {
    fairShare.stop();
    await Promise.all(sources.map((source) => source.close()));
    await outbox.close();
  }

  return {
    async start() {
      try {
        await outbox.open();
        for (const source of sources) await source.start(fairShare.wake);
      } catch (thrown) {
        await close();
        throw thrown;
      }
    },
    async finished() {
      await Promise.all(sources.map((source) => source.finished()));
    },
    async drain() {
      for (const source of sources) source.stop();
      await Promise.all(sources.map((source) => source.drained()));
      await outbox.flush();
    },
    close,
    reschedule(options, weights) {
      ({ filesInFlightRows } = options);
      fairShare.change(options);
      fairShare.setWeights(weights);
    },
    setCap: fairShare.setCap,
    delay: delay.status,
  };
}

/** By the items' own origin: a dead letter of a stream that is replayed comes on the lane of files. */
function countRead(tally: Tally, items: readonly Item[]): void {
  let live = 0;
  for (const item of items) if (item.delivery.origin === "real_time") live += 1;
  if (live > 0) tally.read("real_time", live);
  if (live < items.length) tally.read("batch", items.length - live);
}
