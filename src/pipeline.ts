/**
 * The data path, on one screen. Readings go right, verdicts go left, every step is pulled:
 *
 *     sources --> flows --> fair share --> outbox --> sink
 *        ^          |           ^             |
 *        |        spool --------+-- credits --+
 *        |          |                         |
 *        +----------+-- verdicts: PUBACK, checkpoint
 *
 * The spool takes readings of streams aside while the sink is slow or away. The sink opens first and the sources last; everything stops in reverse.
 *
 * @module
 */
import type { Clock } from "./core/clock.ts";
import type { Dice } from "./core/dice.ts";
import type { Emit } from "./core/event.ts";
import type { FlowTerms } from "./core/flow.ts";
import type { Fields, Item } from "./core/reading.ts";
import type { Sink } from "./core/sink.ts";
import type { Source } from "./core/source.ts";
import type { SpoolStore } from "./core/spool.ts";
import type { DelayStatus, SpoolStatus } from "./core/status.ts";
import type { DeadLetterStore } from "./core/store.ts";
import { byOrigin, type Tally } from "./core/tally.ts";
import { createDelayWindow } from "./ops/delay.ts";
import type { FairShareOptions } from "./scheduler/defaults.ts";
import { createFairShare } from "./scheduler/fair_share.ts";
import { createOutbox } from "./sink/outbox.ts";
import { createSpool, type Spool, type WhenFull } from "./spool/spool.ts";

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
  /** Absent: there is no disk buffer for streams. */
  readonly spool?: SpoolSettings;
}

/** The disk buffer for streams. */
export interface SpoolSettings {
  readonly store: SpoolStore;
  /** Most bytes in it; 0: only what an earlier run left is sent. */
  readonly bytesMax: number;
  readonly whenFull: WhenFull;
  /** The fields of a reading out of the JSON text that is sent. Throws when it is none. */
  readonly parseFields: (value: string) => Fields;
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
  /** Other numbers for the scheduler, and what the flows get by their names, from now on. */
  reschedule(options: FairShareOptions, terms: ReadonlyMap<string, FlowTerms>): void;
  /** Changes the cap of all files from now on, rows/s or null. */
  setCap(capRows: number | null): void;
  /** Delay of the stream over the last ten seconds. */
  delay(): DelayStatus;
  /** Null: there is no spool. */
  spool(): SpoolStatus | null;
}

/** Puts the data path together. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { sources, tally, clock } = parts;
  const delay = createDelayWindow(clock);
  const flows = sources.flatMap((source) => source.flows);

  const spool = parts.spool === undefined ? null : spoolOf(parts, parts.spool, {
    flows: flows.filter(({ lane }) => lane === "stream"),
    release: (rows, bytes) => fairShare.release("stream", rows, bytes),
    wake: () => fairShare.wake(),
  });
  let { filesInFlightRows } = parts.fairShare;

  const outbox = createOutbox({
    ...parts,
    release: (lane, rows, bytes) => fairShare.release(lane, rows, bytes),
    ...(spool === null ? {} : { detour: spool }),
    // While one half is being committed, the other one gathers.
    chunkRowsMax: () => Math.max(1, filesInFlightRows >> 1),
    onDelivered(lane, readings) {
      if (lane === "stream") delay.record(spool?.live(readings) ?? readings);
    },
  });

  const liveFlows = [...(spool?.flows ?? []), ...flows.filter(({ lane }) => spool === null || lane === "files")];
  const fairShare = createFairShare<Item>(parts.fairShare, liveFlows, {
    clock,
    dispatch(lane, items, from) {
      if (from === "sources") byOrigin(items, tally.read);
      if (lane === "stream") spool?.dispatched(items);
      outbox.accept(lane, items);
    },
    ...(spool === null ? {} : { spool: spool.flow }),
  });

  async function close(): Promise<void> {
    fairShare.stop();
    await Promise.all(sources.map((source) => source.close()));
    await outbox.close();
    await spool?.close();
  }

  return {
    async start() {
      try {
        await outbox.open();
        await spool?.open();
        for (const source of sources) await source.start(spool?.arrived ?? fairShare.wake);
      } catch (thrown) {
        await close();
        throw thrown;
      }
    },
    async finished() {
      await Promise.all(sources.map((source) => source.finished()));
      await spool?.emptied();
    },
    async drain() {
      for (const source of sources) source.stop();
      await Promise.all(sources.map((source) => source.drained()));
      // What the sink does not get on with is safe on disk: nobody waits for it.
      await Promise.race([outbox.flush(), ...(spool === null ? [] : [spool.quiet()])]);
    },
    close,
    reschedule(options, terms) {
      ({ filesInFlightRows } = options);
      fairShare.change(options);
      fairShare.setTerms(terms);
    },
    setCap: fairShare.setCap,
    delay: delay.status,
    spool: () => spool?.status() ?? null,
  };
}

function spoolOf(
  { sources, sink, fairShare, tally, clock, dice, emit }: PipelineParts,
  { bytesMax, whenFull, ...settings }: SpoolSettings,
  wiring: Pick<Parameters<typeof createSpool>[0], "flows" | "release" | "wake">,
): Spool {
  return createSpool({
    ...{ ...settings, ...wiring, tally, clock, dice, emit },
    // What the sink holds on to beside what is in flight is bounded as what is in flight.
    options: { bytesMax, whenFull, heldRowsMax: fairShare.inFlightRows, heldBytesMax: fairShare.inFlightBytes },
    fill: () => Math.max(0, ...sources.map((source) => source.fill?.() ?? 0)),
    takeBack: (readings) => sink.takeBack?.(readings) ?? new Map(),
  });
}
