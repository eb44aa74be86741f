/**
 * Dead letters as a source: replays what `weir dlq replay` asks for. Requests are found in the ledger, one after the other; the letters of
 * one are read in order of number, become items again and go the way of everything else, on the lane of files, so that they never go
 * before a stream's reading, and at a pace of their own.
 *
 *     ledger: requests, letters --> decoder --> queue, paced --> fair share --> outbox
 *        ^                                                                        |
 *        +--- step: delivered ones go, failed ones stay, the request moves on <----+ verdicts
 *
 * A letter is deleted only after its verdict, and the request moves only over a finished prefix: whatever dies in between, letters come
 * again, with the same `weir.id`.
 *
 * @module
 */
import { createBackoff } from "../../core/backoff.ts";
import type { Clock, Timer } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { Flow } from "../../core/flow.ts";
import type { Item } from "../../core/reading.ts";
import type { LetterActions, ReplayRequest, ReplayStep } from "../../core/replay.ts";
import type { Source } from "../../core/source.ts";
import { formatCount } from "../../core/text.ts";
import { createLetterDecoder, type LetterDecoderParts } from "./letter_decoder.ts";
import { createPace, type Pace } from "./pace.ts";
import { type ReplayDeliveries, replayDeliveries } from "./replay_delivery.ts";

/** What the source works with. */
export interface LettersSourceDeps extends LetterDecoderParts {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly store: Pick<LetterActions, "nextReplay" | "lettersInRange" | "stepReplay">;
  /** Resolves when it is known which letters stand for rows that will be read again: those are gone then. Default: none do. */
  readonly settled?: Promise<void>;
}

/** How often the ledger is asked for a request. */
const pollMs = 1000;
/** How often a step is written, at most: each is a synced commit. */
const stepMs = 500;
/** Letters read at once, and in how many bytes: decoding them must not hold up the event loop. */
const readLettersMax = 64;
const readBytesMax = 256 * 1024;
/** Letters are read when fewer than this wait. */
const queueLettersMin = 32;
/** Letters that leave at a high rate leave in small runs. */
const runMs = 10;
const ledgerBackoff = { firstMs: 250, maxMs: 30_000 } as const;

interface Sums {
  delivered: number;
  filtered: number;
  failed: number;
}

/** The request that is worked off. */
interface Active {
  readonly request: ReplayRequest;
  readonly deliveries: ReplayDeliveries;
  readonly pace: Pace;
  /** What became of its letters, in this life of the process and those before. */
  readonly sums: Sums;
  /** The last letter that was read. */
  readAt: number;
  /** No more letters match. */
  readAll: boolean;
}

/** Makes the source. */
export function createLettersSource(deps: LettersSourceDeps): Source {
  const { clock, emit, store } = deps;
  const decode = createLetterDecoder(deps);
  const backoff = createBackoff(ledgerBackoff, deps.dice);
  const counts: Sums = { delivered: 0, filtered: 0, failed: 0 };
  const idle = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  let active: Active | null = null;
  let queue: Item[] = [];
  /** A step that is to be written, or was and failed. */
  let step: ReplayStep | null = null;
  let steppedMs = -Infinity;
  let wake = () => {};
  let started = false;
  let settled = deps.settled === undefined;
  let stopped = false;
  let closed = false;
  let turning: Promise<void> | null = null;
  let again = false;
  let turnTimer: Timer | null = null;
  let paceTimer: Timer | null = null;

  // --- Turns: one at a time, whenever something may be done

  function turnSoon(delayMs = 0): void {
    if (!started || closed) return;
    if (delayMs === 0 && turning !== null) again = true;
    if (turning !== null) return;
    turnTimer?.cancel();
    turnTimer = clock.after(delayMs, () => {
      turnTimer = null;
      turn();
    });
  }

  function turn(): void {
    again = false;
    turning = act().then(backOff, failed).then((delayMs) => {
      turning = null;
      if (stopped && delayMs === null && !again && isDrained()) drained.resolve();
      if (again) turnSoon();
      else if (delayMs !== null) turnSoon(delayMs);
    });
  }

  /** Does all that can be done now; returns when to look again, or null when a verdict or a taker will say so. */
  async function act(): Promise<number | null> {
    if (!settled && !stopped) return null;
    active ??= stopped ? null : await begun();
    if (active === null) {
      idle.resolve();
      return stopped ? null : pollMs;
    }
    await readMore(active);
    const waitMs = stepWaitMs(active);
    if (waitMs > 0) return waitMs;
    if (!await writeStep(active)) return null;
    return 0;
  }

  function backOff(delayMs: number | null): number | null {
    if (backoff.failures > 0) {
      emit("info", "letters.replay_recovered", "The replay of dead letters goes on", { failures: backoff.failures });
    }
    backoff.reset();
    return delayMs;
  }

  /** Only a ledger that cannot be read or written is waited for; anything else is a defect and ends the program. */
  function failed(thrown: unknown): number {
    if (!(thrown instanceof WeirError)) throw thrown;
    const delayMs = backoff.nextMs();
    if (backoff.failures === 1) {
      emit("error", "letters.replay_stuck", `The replay of dead letters waits: ${messageOf(thrown)}; nothing is lost`);
    }
    return delayMs;
  }

  async function begun(): Promise<Active | null> {
    const request = await store.nextReplay();
    if (request === null || stopped || closed) return null;
    emit(
      "info",
      "letters.replay_began",
      `Replaying ${formatCount(request.total)} dead letters at ${request.ratePerSecond}/s at most` +
        (request.atLetter === 0 ? "" : `, from letter ${request.atLetter + 1} on`),
      { request: request.number, letters: request.total, rate_per_second: request.ratePerSecond },
    );
    return {
      request,
      deliveries: replayDeliveries(() => turnSoon()),
      pace: createPace(request.ratePerSecond, clock.nowMs()),
      sums: { delivered: request.delivered, filtered: request.filtered, failed: request.failed },
      readAt: request.atLetter,
      readAll: false,
    };
  }

  async function readMore(from: Active): Promise<void> {
    if (stopped || from.readAll || queue.length >= queueLettersMin) return;
    const range = { after: from.readAt, upTo: from.request.lastLetter, limit: readLettersMax, bytesMax: readBytesMax };
    const letters = await store.lettersInRange(from.request.filter, range);
    if (stopped || closed) return;
    from.readAll = letters.length === 0;
    const nowMs = clock.nowMs();
    const wallMs = clock.wallMs();
    for (const letter of letters) {
      queue.push(decode(letter, from.deliveries.add(letter), nowMs, wallMs));
      from.readAt = letter.number;
    }
    offer();
  }

  // --- Steps

  /** How long a step is to be gathered for, in ms. */
  function stepWaitMs(of: Active): number {
    if (step !== null || of.deliveries.unfinished === 0 || stopped) return 0;
    return Math.max(0, steppedMs + stepMs - clock.nowMs());
  }

  /** Writes what was settled; false when there was nothing to write. */
  async function writeStep(of: Active): Promise<boolean> {
    step ??= nextStep(of);
    if (step === null) return false;
    await store.stepReplay(step);
    steppedMs = clock.nowMs();
    for (const sums of [counts, of.sums]) {
      sums.delivered += step.delivered.length;
      sums.filtered += step.filtered.length;
      sums.failed += step.failed.length;
    }
    if (step.done) end(of);
    step = null;
    return true;
  }

  function nextStep({ request, deliveries, readAll, readAt }: Active): ReplayStep | null {
    const done = readAll && deliveries.unfinished === 0;
    const finished = deliveries.finished();
    if (finished === null && !done) return null;
    const nothing = { atLetter: readAt, delivered: [], filtered: [], failed: [] };
    return { request: request.number, ...(finished ?? nothing), done };
  }

  function end({ request, sums }: Active): void {
    active = null;
    const { delivered, filtered, failed } = sums;
    emit(
      "info",
      "letters.replay_ended",
      `Replayed ${formatCount(delivered + filtered + failed)} dead letters: ${
        formatCount(delivered)
      } delivered again, ` +
        `${formatCount(filtered)} filtered, ${formatCount(failed)} failed again`,
      { request: request.number, delivered, filtered, failed },
    );
  }

  // --- The flow

  /** Tells the scheduler that letters wait, now or when the pace allows. */
  function offer(): void {
    paceTimer?.cancel();
    paceTimer = null;
    if (active === null || queue.length === 0 || closed) return;
    const waitMs = active.pace.waitMs(clock.nowMs());
    if (waitMs === 0) return wake();
    paceTimer = clock.after(Math.max(waitMs, runMs), () => {
      paceTimer = null;
      wake();
    });
  }

  const flow: Flow<Item> = {
    name: "dead letters",
    lane: "files",
    weight: 1,
    // The pace of a request is not known beforehand; it is kept here.
    capRows: null,
    ready: () => active === null ? 0 : Math.min(queue.length, active.pace.allowed(clock.nowMs())),
    take(maxRows, maxBytes) {
      const taken: Item[] = [];
      let bytes = 0;
      for (const item of queue.slice(0, Math.min(maxRows, flow.ready()))) {
        bytes += item.bytes;
        if (bytes > maxBytes && taken.length > 0) break;
        taken.push(item);
        active?.deliveries.taken();
      }
      if (taken.length === 0) return taken;
      queue = queue.slice(taken.length);
      active?.pace.took(taken.length);
      // Not from inside: whoever takes is not to be woken.
      if (active !== null && active.pace.waitMs(clock.nowMs()) > 0) offer();
      if (queue.length < queueLettersMin) turnSoon();
      return taken;
    },
  };

  function isDrained(): boolean {
    return step === null && (active === null || active.deliveries.open === 0);
  }

  return {
    name: "letters",
    flows: [flow],
    start(onWake) {
      wake = onWake;
      started = true;
      turnSoon();
      void deps.settled?.then(() => {
        settled = true;
        turnSoon();
      });
      return Promise.resolve();
    },
    stop() {
      stopped = true;
      queue = [];
      idle.resolve();
      turnSoon();
      if (!started) drained.resolve();
    },
    drained: () => drained.promise,
    finished: () => idle.promise,
    async close() {
      closed = true;
      turnTimer?.cancel();
      paceTimer?.cancel();
      queue = [];
      await turning;
      drained.resolve();
      idle.resolve();
    },
    status: () => ({
      kind: "letters",
      replaying: active === null ? null : { letters: active.request.total, waiting: queue.length },
      ...counts,
    }),
    check: () => Promise.resolve([]),
  };
}
