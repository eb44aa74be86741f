/**
 * The dispatcher: which flow may send how much now. Streams go first; files get what the cap allows, of which a floor is promised to them
 * even while streams overload the sink. Whenever something may have changed it takes the first of these that applies, until none does:
 *
 *     d is the folder that is next among those with rows and whose own cap conforms;
 *     fileOk: there is a d, it has credit, and the cap conforms
 *
 *     1    fileOk and the floor conforms          -> rows of d, charged to the cap and to the floor    (the promised share)
 *     2    a reading of a stream waits            -> runs of the subscriptions that are next, a turn of them
 *     2b   otherwise the spool is not empty       -> a run of the spool
 *     3    fileOk, and nothing of 2 and 2b waits  -> rows of d, charged to the cap only                (borrowed)
 *     4    sleep until an arrival, a credit, or the moment at which the cap or the floor conforms: one timer, no polling
 *
 * A stream that waits for credit stops at rule 2: while it waits only rule 1 runs. Costs are paid per turn, none per row but adding
 * up bytes. The bounds that follow are listed in docs/scheduler.md.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { Flow, FlowTerms, Lane } from "../core/flow.ts";
import { createCredits } from "./credits.ts";
import { type CapOptions, type FairShareOptions, ownCap, withCap } from "./defaults.ts";
import { createFairQueue } from "./fair_queue.ts";
import { createRate, type Rate } from "./rate.ts";
import { takeRun, takeTurn } from "./turn.ts";

/** What the dispatcher needs besides its numbers. */
export interface FairShareDeps<T extends { readonly bytes: number }> {
  readonly clock: Clock;
  /**
   * Takes what leaves in one turn: rows of one folder, runs of one or more subscriptions, or a run of the spool. It may call `wake` and
   * `release`, also for these very items.
   */
  readonly dispatch: (lane: Lane, items: readonly T[], from: "sources" | "spool") => void;
  /** Readings of streams put aside on disk: served strictly after live ones and before borrowed rows of files. */
  readonly spool?: Flow<T>;
  /** How long a burst may hold the event loop, in ms; then it goes on after pending I/O. Default: 4. */
  readonly yieldMs?: number;
}

/** The running scheduler. All may be called at any time, also from inside `dispatch` and `Flow.take`. */
export interface FairShare {
  /** A flow has items that it did not have before. Dispatches before it returns, unless a dispatch is running or a burst has yielded. */
  wake(): void;
  /**
   * These have their verdict: their credits are free again.
   *
   * @throws {Error} when more comes back than is in flight.
   */
  release(lane: Lane, rows: number, bytes: number): void;
  /**
   * Changes the cap from now on, a whole number of rows/s or null. What was used of the old one stays used, in rows.
   *
   * @throws {Error} when it is not a whole number from 1.
   */
  setCap(capRows: number | null): void;
  /**
   * Changes all numbers from now on. What was used and what is in flight stays counted.
   *
   * @throws {Error} when options are not as `fairShareDefaults` makes them.
   */
  change(options: FairShareOptions): void;
  /** Changes weights and own caps of the flows with these names, whichever lane they are on. What was used of a cap stays used, in rows. */
  setTerms(terms: ReadonlyMap<string, FlowTerms>): void;
  /** Dispatches nothing more and leaves no timer. Credits still come back. */
  stop(): void;
  status(): FairShareStatus;
}

/** The scheduler at a moment. */
export interface FairShareStatus {
  /** The cap in force, rows/s, and its depth; the cap is null when uncapped. */
  readonly capRows: number | null;
  readonly burstRows: number;
  readonly floorRows: number;
  readonly quantumRows: number;
  readonly inFlightRows: Readonly<Record<Lane, number>>;
  readonly inFlightBytes: Readonly<Record<Lane, number>>;
  /** Of all credits; each lane also has a limit of its own. */
  readonly freeRows: number;
  /** Rows that the cap would have allowed while this process was not given the time to send them (it was stopped, or the machine was busy). */
  readonly lostRows: number;
}

/** A timer cannot be set for longer than 2^31 ms; waking once an hour for nothing costs nothing. */
const sleepMaxMs = 3_600_000;
const yieldMsDefault = 4;
/** A turn under a cap in bytes waits for this many at most. */
const quantumBytesMax = 64 * 1024;

/**
 * Makes a {@linkcode FairShare}. It sleeps until the first `wake`. Cap and floor start with nothing to spend.
 *
 * @throws {Error} when options are not as `fairShareDefaults` makes them.
 */
export function createFairShare<T extends { readonly bytes: number }>(
  initial: FairShareOptions,
  flows: readonly Flow<T>[],
  deps: FairShareDeps<T>,
): FairShare {
  const { clock, dispatch, spool, yieldMs = yieldMsDefault } = deps;
  let options = initial;
  let nowUs = microseconds(clock.nowMs());
  const subscriptions = createFairQueue(flows.filter((flow) => flow.lane === "stream"));
  const folders = createFairQueue(flows.filter((flow) => flow.lane === "files").map((flow) => folderOf(flow, nowUs)));
  const credits = createCredits(options);

  let inForce: CapOptions = options;
  let cap = capOf(options, nowUs);
  let floor = options.floorRows === 0 ? null : createRate(floorLimits(options), nowUs);
  let bytesCap = ownCapOf(options.capBytes, quantumBytesMax, null, nowUs);

  /** Since all subscriptions were last asked for items, one may have got some. */
  let arrived = true;
  let running = false;
  let stopped = false;
  let timer: Timer | null = null;
  /** What the timer is for: a moment, or to go on after pending I/O. */
  let timerDueUs = 0;
  let yielded = false;
  /** Asleep for want of nothing but time: what the cap allows beyond its depth until we run again is lost. */
  let waitsForCap = false;
  let lostRows = 0;

  function run(): void {
    if (running || stopped || yielded) return;
    running = true;
    try {
      const startedMs = clock.nowMs();
      countLostRows(microseconds(startedMs));
      for (let nowMs = startedMs; nowMs - startedMs < yieldMs; nowMs = clock.nowMs()) {
        nowUs = microseconds(nowMs);
        if (stopped) return;
        if (!dispatchNext()) return sleepUntil(nextChangeUs());
      }
      goOnAfterPendingIo();
    } finally {
      running = false;
    }
  }

  /** Rules 1 to 3 once; false when none applies. */
  function dispatchNext(): boolean {
    const folder = folders.next(canServe);
    const fileRows = folder === null ? 0 : turnRows(folder);
    const fileOk = fileRows > 0 && (cap?.conforms(fileRows, nowUs) ?? true) &&
      (bytesCap.rate?.conforms(bytesCap.quantum, nowUs) ?? true);
    if (folder !== null && fileOk && floor?.conforms(fileRows, nowUs)) {
      floor.charge(sendFiles(folder, fileRows), nowUs);
      return true;
    }
    if (nextSubscription() !== null) return sendStreams("sources", nextSubscription, subscriptions.served);
    if (nextInSpool() !== null) return sendStreams("spool", nextInSpool, () => {});
    if (folder === null || !fileOk) return false;
    sendFiles(folder, fileRows);
    return true;
  }

  function nextSubscription(): Flow<T> | null {
    const among = arrived ? "all" : "busy";
    arrived = false;
    return subscriptions.next(hasItems, among);
  }

  function nextInSpool(): Flow<T> | null {
    return spool !== undefined && hasItems(spool) ? spool : null;
  }

  function canServe(folder: Folder<T>): boolean {
    return hasItems(folder.flow) && (folder.cap.rate?.conforms(turnRows(folder), nowUs) ?? true);
  }

  /** n: as many rows as there are, up to a quantum; never "a quantum or nothing". */
  function turnRows(folder: Folder<T>): number {
    return Math.min(inForce.quantumRows, folder.cap.quantum, folder.flow.ready(), credits.freeRows("files"));
  }

  function sendFiles(folder: Folder<T>, rowsMax: number): number {
    const bytesMax = Math.min(credits.freeBytes("files"), bytesCap.rate?.room(nowUs) ?? Infinity);
    const { items, bytes } = takeRun(folder.flow, rowsMax, bytesMax);
    // Read again: rows are booked at the moment at which they leave, and taking them may have been work.
    nowUs = microseconds(clock.nowMs());
    cap?.charge(items.length, nowUs);
    folder.cap.rate?.charge(items.length, nowUs);
    bytesCap.rate?.charge(bytes, nowUs);
    folders.served(folder, items.length);
    credits.take("files", items.length, bytes);
    dispatch("files", items, "sources");
    return items.length;
  }

  function sendStreams(
    from: "sources" | "spool",
    next: () => Flow<T> | null,
    served: (flow: Flow<T>, rows: number) => void,
  ): boolean {
    const rows = Math.min(options.streamQuantumRows, credits.freeRows("stream"));
    const turn = takeTurn({ rows, bytes: credits.freeBytes("stream") }, next, served);
    if (turn.items.length === 0) return false;
    credits.take("stream", turn.items.length, turn.bytes);
    dispatch("stream", turn.items, from);
    return true;
  }

  /** Called when nothing applies: the next microsecond at which that changes by itself; Infinity when only an arrival or a credit helps. */
  function nextChangeUs(): number {
    waitsForCap = false;
    if (credits.freeRows("files") === 0) return Infinity;
    const streamWaits = nextSubscription() !== null || nextInSpool() !== null;
    let dueUs = Infinity;
    for (const folder of folders.members) {
      if (!hasItems(folder.flow) || canServe(folder)) continue;
      dueUs = Math.min(dueUs, folder.cap.rate?.readyAtUs(turnRows(folder)) ?? Infinity);
    }
    const next = folders.next(canServe);
    if (next === null) return dueUs;
    const rows = turnRows(next);
    const capUs = cap?.readyAtUs(rows) ?? 0;
    const bytesUs = bytesCap.rate?.readyAtUs(bytesCap.quantum) ?? 0;
    const floorUs = streamWaits ? floor?.readyAtUs(rows) ?? Infinity : 0;
    waitsForCap = capUs >= Math.max(bytesUs, floorUs);
    return Math.min(dueUs, Math.max(capUs, bytesUs, floorUs));
  }

  function sleepUntil(dueUs: number): void {
    if (timer !== null && timerDueUs === dueUs) return;
    timer?.cancel();
    timer = null;
    if (dueUs === Infinity) return;
    timerDueUs = dueUs;
    // Timers are whole milliseconds and those of some machines cut fractions off: rounded up, it never comes a little too early, over and over.
    const delayMs = Math.min(Math.max(1, Math.ceil((dueUs - nowUs) / 1000)), sleepMaxMs);
    timer = clock.after(delayMs, () => {
      timer = null;
      run();
    });
  }

  function goOnAfterPendingIo(): void {
    timer?.cancel();
    yielded = true;
    timer = clock.after(0, () => {
      timer = null;
      yielded = false;
      run();
    });
  }

  /** Only what the cap alone held back counts: rows kept back by a stream or by the sink were not ours to send. */
  function countLostRows(atUs: number): void {
    if (!waitsForCap || cap === null) return;
    waitsForCap = false;
    lostRows += Math.max(0, atUs - cap.restedAtUs()) * cap.limits.perSecond / 1_000_000;
  }

  /** Puts other limits into force. A rate that begins has nothing to spend, one that stays keeps its debt. */
  function enforce(next: CapOptions): void {
    const atUs = microseconds(clock.nowMs());
    countLostRows(atUs);
    inForce = next;
    if (cap === null || next.capRows === null) cap = capOf(next, atUs);
    else cap.change({ perSecond: next.capRows, depth: next.burstRows }, atUs);
    if (next.floorRows === 0) floor = null;
    else if (floor === null) floor = createRate(floorLimits(next), atUs);
    else floor.change(floorLimits(next), atUs);
    run();
  }

  return {
    wake() {
      arrived = true;
      run();
    },
    release(lane, rows, bytes) {
      credits.giveBack(lane, rows, bytes);
      run();
    },
    setCap(capRows) {
      enforce(withCap(options, capRows));
    },
    change(next) {
      options = next;
      credits.change(next);
      bytesCap = ownCapOf(next.capBytes, quantumBytesMax, bytesCap.rate, microseconds(clock.nowMs()));
      enforce(next);
    },
    setTerms(terms) {
      const atUs = microseconds(clock.nowMs());
      for (const flow of subscriptions.members) subscriptions.setWeight(flow, (terms.get(flow.name) ?? flow).weight);
      for (const folder of folders.members) {
        const { weight, capRows } = terms.get(folder.flow.name) ?? folder.flow;
        folders.setWeight(folder, weight);
        folder.cap = ownCapOf(capRows, Infinity, folder.cap.rate, atUs);
      }
      run();
    },
    stop() {
      stopped = true;
      timer?.cancel();
      timer = null;
    },
    status() {
      const inFlightRows = { stream: credits.usedRows("stream"), files: credits.usedRows("files") };
      return {
        capRows: inForce.capRows,
        burstRows: inForce.burstRows,
        floorRows: inForce.floorRows,
        quantumRows: inForce.quantumRows,
        inFlightRows,
        inFlightBytes: { stream: credits.usedBytes("stream"), files: credits.usedBytes("files") },
        freeRows: options.inFlightRows - inFlightRows.stream - inFlightRows.files,
        lostRows: Math.floor(lostRows),
      };
    },
  };
}

/** A flow of files and its own cap. */
interface Folder<T extends { readonly bytes: number }> {
  readonly flow: Flow<T>;
  readonly weight: number;
  cap: OwnCap;
}

/** A cap beside the one of all rows: of one folder, or in bytes. */
interface OwnCap {
  /** Null: there is none. */
  readonly rate: Rate | null;
  /** Most of it that one turn takes. */
  readonly quantum: number;
}

function folderOf<T extends { readonly bytes: number }>(flow: Flow<T>, nowUs: number): Folder<T> {
  return { flow, weight: flow.weight, cap: ownCapOf(flow.capRows, Infinity, null, nowUs) };
}

/** A cap of its own kind: the rate that was there goes on with its debt, a new one begins with nothing to spend. */
function ownCapOf(perSecond: number | null, quantumMax: number, before: Rate | null, nowUs: number): OwnCap {
  if (perSecond === null) return { rate: null, quantum: Infinity };
  const { quantum, ...limits } = ownCap(perSecond, quantumMax);
  before?.change(limits, nowUs);
  return { rate: before ?? createRate(limits, nowUs), quantum };
}

function capOf(options: CapOptions, nowUs: number): Rate | null {
  if (options.capRows === null) return null;
  return createRate({ perSecond: options.capRows, depth: options.burstRows }, nowUs);
}

function floorLimits(options: CapOptions): { readonly perSecond: number; readonly depth: number } {
  return { perSecond: options.floorRows, depth: options.floorBurstRows };
}

function hasItems(flow: { ready(): number }): boolean {
  return flow.ready() > 0;
}

function microseconds(ms: number): number {
  return Math.floor(ms * 1000);
}
