/**
 * What the plain sinks share: readings become lines, lines gather while a write is under way, one write is made at a time, and what was
 * written is reported. A write that fails is tried again for ever; the readings wait, and that they wait is said once.
 *
 *     send --> waiting --> one batch --> target.append --> delivered
 *                              ^               |
 *                              +--- backoff ---+ failed
 *
 * What waits is bounded by the credits of the scheduler.
 *
 * @module
 */
import { createBackoff } from "../core/backoff.ts";
import { type Clock, sleep } from "../core/clock.ts";
import type { Dice } from "../core/dice.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { Emit } from "../core/event.ts";
import type { Lane } from "../core/flow.ts";
import type { Reading } from "../core/reading.ts";
import type { Sink, SinkReport } from "../core/sink.ts";

/** Where lines go. */
export interface LineTarget {
  /**
   * Writes all of `lines` (whole lines). When it rejects, it is called again with the same bytes, and sees to it that they end up there
   * once.
   *
   * @throws {WeirError} retriable: try again; not retriable: whoever read is gone for good.
   */
  append(lines: Uint8Array): Promise<void>;
  /** Closes it. Never throws. */
  close(): Promise<void>;
}

/** What a line writer needs. */
export interface LineWriterParts {
  /** First part of its events' names, and the status's kind: `ndjson`. */
  readonly kind: string;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** Opens the target; the writer's `open` throws what it throws. */
  readonly openTarget: () => Promise<LineTarget>;
  /** The target is gone for good: nothing more will be reported. Told once. */
  readonly onGone?: (error: WeirError) => void;
}

/** A batch is cut after the line that reaches this size. */
export const batchBytesMax = 1024 * 1024;
/** How long `close` waits for a write that is under way (a disk that does not answer). */
export const closeWithinMs = 5_000;
const retryBackoff = { firstMs: 100, maxMs: 10_000 } as const;

/** A reading that waits, with its lane. */
interface Waiting {
  readonly lane: Lane;
  readonly reading: Reading;
}

/** Makes all of a sink but its name and its check. */
export function createLineWriter(parts: LineWriterParts): Omit<Sink, "name" | "check"> {
  const { kind, clock, dice, emit } = parts;
  const backoff = createBackoff(retryBackoff, dice);
  const closing = new AbortController();
  const flushes: { readonly reportedAll: number; readonly resolve: () => void }[] = [];
  let opened: { readonly target: LineTarget; readonly report: SinkReport } | null = null;
  let waiting: Waiting[] = [];
  let sent = 0;
  let reported = 0;
  let retries = 0;
  let trouble: string | null = null;
  let gone = false;
  let writing: Promise<void> | null = null;

  function work(): void {
    if (opened === null || writing !== null || gone || closing.signal.aborted || waiting.length === 0) return;
    const { target, report } = opened;
    const batch = nextBatch(waiting);
    waiting = waiting.slice(batch.length);
    writing = writeBatch(target, report, batch).finally(() => {
      writing = null;
      work();
    });
  }

  async function writeBatch(target: LineTarget, report: SinkReport, batch: readonly Waiting[]): Promise<void> {
    const lines = linesOf(batch);
    while (!closing.signal.aborted) {
      try {
        await target.append(lines);
        // A write that outlived `close` is not reported: its readings come again.
        return opened === null ? undefined : succeeded(report, batch);
      } catch (thrown) {
        if (!(thrown instanceof WeirError)) throw thrown;
        if (!thrown.retriable) return leave(thrown);
        await failed(thrown);
      }
    }
  }

  function succeeded(report: SinkReport, batch: readonly Waiting[]): void {
    if (trouble !== null) emit("info", `${kind}.trouble_ended`, `The ${kind} sink writes again`, { retries });
    trouble = null;
    backoff.reset();
    reported += batch.length;
    for (const lane of ["stream", "files"] as const) {
      const readings = batch.filter((one) => one.lane === lane).map((one) => one.reading);
      if (readings.length > 0) report.delivered(lane, readings);
    }
    settleFlushes();
  }

  async function failed(error: WeirError): Promise<void> {
    if (trouble === null) {
      const advice = error.advice === undefined ? "" : `; ${error.advice}`;
      emit("error", `${kind}.trouble_began`, `${messageOf(error)}${advice}; readings wait, and none is lost`);
    }
    trouble = messageOf(error);
    retries += 1;
    await sleep(clock, backoff.nextMs(), closing.signal);
  }

  function leave(error: WeirError): void {
    gone = true;
    trouble = messageOf(error);
    parts.onGone?.(error);
  }

  function settleFlushes(): void {
    while (flushes[0] !== undefined && flushes[0].reportedAll <= reported) flushes.shift()?.resolve();
  }

  return {
    async open(report) {
      opened = { target: await parts.openTarget(), report };
    },
    send(lane, readings) {
      if (opened === null) throw new Error(`The ${kind} sink is not open`);
      for (const reading of readings) waiting.push({ lane, reading });
      sent += readings.length;
      work();
    },
    flush() {
      if (reported === sent || closing.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => flushes.push({ reportedAll: sent, resolve }));
    },
    async close() {
      closing.abort();
      waiting = [];
      if (writing !== null) {
        const limit = new AbortController();
        await Promise.race([writing.catch(() => {}), sleep(clock, closeWithinMs, limit.signal)]);
        limit.abort();
      }
      for (const { resolve } of flushes.splice(0)) resolve();
      const target = opened?.target;
      opened = null;
      await target?.close();
    },
    status: () => ({
      kind,
      connected: opened !== null && trouble === null,
      trouble,
      inFlightReadings: sent - reported,
      retries,
      throttledMs: 0,
    }),
  };
}

/** The front of the queue, at least one, cut after the line that reaches {@linkcode batchBytesMax}. */
function nextBatch(waiting: readonly Waiting[]): readonly Waiting[] {
  let bytes = 0;
  let length = 0;
  for (const { reading } of waiting) {
    length += 1;
    bytes += reading.bytes + 1;
    if (bytes >= batchBytesMax) break;
  }
  return length === waiting.length ? waiting : waiting.slice(0, length);
}

function linesOf(batch: readonly Waiting[]): Uint8Array {
  let text = "";
  for (const { reading } of batch) text += `${reading.value}\n`;
  return new TextEncoder().encode(text);
}
