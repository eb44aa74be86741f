/**
 * A world around the scheduler on a virtual clock: streams that arrive, folders into which dumps fall, and a sink with a speed, a round
 * trip and stalls; timers that come late, pauses of the whole process, changes of the cap, restarts, connections that break. It writes
 * down what left when; `checks.ts` judges it. It shares no arithmetic with the scheduler.
 *
 * @module
 */
import { seededDice } from "../../src/core/dice.ts";
import type { Flow, Lane } from "../../src/core/flow.ts";
import { type CapOptions, fairShareDefaults, withCap } from "../../src/scheduler/defaults.ts";
import type { createFairShare, FairShare } from "../../src/scheduler/fair_share.ts";
import { virtualClock } from "../support/virtual_clock.ts";
import { folderFlow, queueFlow, type World } from "./model_flows.ts";
import { batchRowsMax, type Entry, type Item, type Plan, type Route, routeRight, type Run } from "./plan.ts";

interface Batch {
  readonly lane: Lane;
  readonly items: readonly Item[];
  settled: boolean;
}

/** Lives through a plan. */
export function simulate(plan: Plan, make: typeof createFairShare<Item>, route: Route = routeRight): Run {
  const machine = virtualClock(0.25);
  const dice = seededDice(plan.seed);
  const options = fairShareDefaults(plan.input);
  const trace: Entry[] = [];
  const faults: { about: "credits" | "order" | "sleep"; text: string }[] = [];
  const fault = (about: "credits" | "order" | "sleep", text: string) => {
    if (faults.length < 5) faults.push({ about, text: `${text}, at ${machine.nowMs()} ms` });
  };
  const open = new Set<Batch>();
  const inFlight = { stream: 0, files: 0 };
  const inFlightBytes = { stream: 0, files: 0 };
  const lastNumber = new Map<string, number>();
  const openInSpool = new Map<string, number>();
  let lingering: Record<Lane, Item[]> = { stream: [], files: [] };
  let sinkFreeMs = 0;
  let generation = 0;
  let lostRows = 0;
  let rowsSeen = 0;
  let takingReentered = false;

  /** The clock of the process: late, and not at all while it stands still. */
  function afterPause(atMs: number): number {
    for (const pause of plan.pauses) {
      if (atMs >= pause.atMs && atMs < pause.atMs + pause.forMs) return pause.atMs + pause.forMs;
    }
    return atMs;
  }
  const at = (delayMs: number, act: () => void) =>
    machine.after(afterPause(machine.nowMs() + Math.max(0, delayMs)) - machine.nowMs(), act);
  const clock = {
    ...machine,
    after: (ms: number, act: () => void) => at(ms + dice() * plan.jitterMs, () => observed(act)),
  };

  /** Runs an event; before it, nothing that could leave may have been asleep. */
  let lastEventMs = 0;
  const bucket = { debt: options.burstRows, atMs: machine.nowMs() };
  let capRows = plan.input.capRows;
  let inForce: CapOptions = options;
  function observed(act: () => void): void {
    lookForSleepers();
    lastEventMs = machine.nowMs();
    act();
  }
  function lookForSleepers(): void {
    const now = machine.nowMs();
    if (now > plan.runMs) return;
    if (plan.pauses.some((pause) => pause.atMs <= now && pause.atMs + pause.forMs >= lastEventMs)) return;
    const rows = inFlight.stream + inFlight.files;
    const bytes = inFlightBytes.stream + inFlightBytes.files;
    if (rows >= options.inFlightRows || bytes >= options.inFlightBytes) return;
    const streamWaits = liveWaiting() + spool.queue.length > 0;
    const streamHasCredit = inFlight.stream < options.inFlightRows - options.reservedRows &&
      inFlightBytes.stream < options.inFlightBytes - options.reservedBytes;
    if (streamWaits && streamHasCredit && lastEventMs < now) fault("sleep", "A stream waits while there is credit");
    if (streamWaits || capRows === null || plan.input.capBytes) return;
    if (inFlight.files >= options.filesInFlightRows || inFlightBytes.files >= options.filesInFlightBytes) return;
    if (!folders.some((folder) => folder.plan.capRows === null && folder.flow.ready() > 0)) return;
    const restedMs = now - bucket.atMs - plan.jitterMs - 1.01;
    // Counted with a whole quantum: whoever is first in line may have one.
    const debt = Math.max(0, bucket.debt - restedMs * capRows / 1000) + inForce.quantumRows;
    if (debt <= inForce.burstRows) fault("sleep", "Files wait while the cap allows them");
  }

  // The flows.
  const world: World = {
    fewer,
    becameBusy: (flow) => trace.push({ kind: "busy", atMs: machine.nowMs(), flow }),
    later: (ms, act) =>
      at(ms, () =>
        observed(() => {
          act();
          share.wake();
        })),
  };
  const streams = plan.streams.map((stream, i) => ({
    plan: stream,
    flow: queueFlow(`stream-${i}`, stream.weight, world),
  }));
  const spool = queueFlow("spool", 1, world);
  const folders = plan.folders.map((folder, i) => folderFlow(`folder-${i}`, folder, world));
  const flows: Flow<Item>[] = [...streams.map((s) => s.flow), ...folders.map((f) => f.flow)];
  const liveWaiting = () => streams.reduce((sum, stream) => sum + stream.flow.queue.length, 0);

  function fewer(rows: number): number {
    if (!plan.shortTakes) return rows;
    takingReentered = true;
    share.wake();
    takingReentered = false;
    return Math.max(1, Math.ceil(dice() * rows));
  }

  // The sink.
  function dispatch(lane: Lane, items: readonly Item[]): void {
    if (takingReentered) fault("order", "Dispatched from inside take");
    const now = machine.nowMs();
    // What is sent now is not waiting any more; what arrived during `take` cannot be in this model.
    const streamWaited = lane === "files" && liveWaiting() > 0;
    for (const run of runsOf(items)) {
      let longestDelayMs = 0;
      let bytes = 0;
      for (const item of run) {
        bytes += item.bytes;
        longestDelayMs = Math.max(longestDelayMs, now - item.arrivedMs);
        const last = lastNumber.get(item.topic) ?? -1;
        // After a restart some of what comes again is settled already and left out.
        const follows = plan.restartsMs.length === 0 ? item.number === last + 1 : item.number > last;
        if (!follows) fault("order", `${item.topic}: ${item.number} left after ${last}`);
        lastNumber.set(item.topic, item.number);
      }
      const flow = run[0]?.flow ?? "";
      const left = [...flows, spool].find(({ name }) => name === flow)?.ready() ?? 0;
      trace.push({ kind: "sent", atMs: now, lane, flow, rows: run.length, bytes, left, streamWaited, longestDelayMs });
      inFlightBytes[lane] += bytes;
    }
    const { length: rows } = items;
    inFlight[lane] += rows;
    if (lane === "files") charge(rows, now);
    checkCredits();

    const atOnce: Item[] = [];
    for (const item of items) {
      rowsSeen += 1;
      const settleNow = plan.settledAtOnceEvery > 0 && rowsSeen % plan.settledAtOnceEvery === 0;
      (settleNow ? atOnce : lingering[lane]).push(item);
    }
    if (atOnce.length > 0) settle({ lane, items: atOnce, settled: false });
    if (lingering[lane].length === 0 || lingering[lane].length > rows - atOnce.length) return;
    const born = generation;
    at(plan.sink.lingerMs, () => born === generation && sendBatch(lane));
  }

  function charge(rows: number, now: number): void {
    if (capRows === null) return;
    bucket.debt = Math.max(0, bucket.debt - (now - bucket.atMs) * capRows / 1000) + rows;
    bucket.atMs = now;
  }

  function sendBatch(lane: Lane): void {
    const items = lingering[lane];
    lingering = { ...lingering, [lane]: [] };
    for (let from = 0; from < items.length; from += batchRowsMax) {
      const batch: Batch = { lane, items: items.slice(from, from + batchRowsMax), settled: false };
      open.add(batch);
      sinkFreeMs = served(Math.max(sinkFreeMs, machine.nowMs()), batch.items.length * 1000 / plan.sink.rowsPerSecond);
      at(sinkFreeMs + plan.sink.roundTripMs - machine.nowMs(), () => observed(() => settle(batch)));
    }
  }

  /** When work begun at `atMs` is done: stalls do not count. */
  function served(atMs: number, workMs: number): number {
    let doneMs = atMs + workMs;
    for (const stall of plan.sink.stalls) {
      if (doneMs > stall.atMs && atMs < stall.atMs + stall.forMs) {
        doneMs += stall.forMs - Math.max(0, atMs - stall.atMs);
      }
    }
    return doneMs;
  }

  function settle(batch: Batch): void {
    if (batch.settled || batch.items.length === 0) return;
    batch.settled = true;
    open.delete(batch);
    let bytes = 0;
    for (const item of batch.items) {
      bytes += item.bytes;
      if (item.flow === "spool") openInSpool.set(item.topic, (openInSpool.get(item.topic) ?? 0) - 1);
    }
    inFlight[batch.lane] -= batch.items.length;
    inFlightBytes[batch.lane] -= bytes;
    share.release(batch.lane, batch.items.length, bytes);
  }

  function checkCredits(): void {
    const { stream, files } = inFlight;
    if (stream + files > options.inFlightRows) fault("credits", `${stream} + ${files} rows are in flight`);
    if (files > options.filesInFlightRows) fault("credits", `${files} rows of files are in flight`);
    if (stream > options.inFlightRows - options.reservedRows) fault("credits", `${stream} readings are in flight`);
    const bytes = inFlightBytes.stream + inFlightBytes.files;
    if (bytes > options.inFlightBytes + itemBytesMax) fault("credits", `${bytes} bytes are in flight`);
    const told = share.status();
    if (told.inFlightRows.stream !== stream || told.inFlightRows.files !== files) {
      fault("credits", `${stream} + ${files} rows are in flight, but told are ${JSON.stringify(told)}`);
    }
  }
  const itemBytesMax = Math.max(0, ...plan.streams.map((s) => s.bytes), ...plan.folders.map((f) => f.bytes));

  // What happens from outside.
  function birth(): FairShare {
    return make(options, flows, { clock, dispatch, spool });
  }
  function restart(): void {
    generation += 1;
    share.stop();
    lostRows += share.status().lostRows;
    const lost = [...open].flatMap((batch) => batch.items).concat(lingering.stream, lingering.files);
    for (const batch of open) batch.settled = true;
    open.clear();
    lingering = { stream: [], files: [] };
    inFlight.stream =
      inFlight.files =
      inFlightBytes.stream =
      inFlightBytes.files =
        0;
    // What was in flight comes again, in order, from the broker or from the checkpoint.
    for (const flow of [...streams.map((stream) => stream.flow), ...folders.map((folder) => folder.flow)]) {
      const again = lost.filter((item) => item.flow === flow.name).sort((a, b) => a.number - b.number);
      if (again.length === 0) continue;
      flow.putBack(again);
      for (const item of again) lastNumber.set(item.topic, Math.min(lastNumber.get(item.topic) ?? 0, item.number - 1));
    }
    trace.push({ kind: "restart", atMs: machine.nowMs() });
    for (const flow of flows) {
      if (flow.ready() > 0) trace.push({ kind: "busy", atMs: machine.nowMs(), flow: flow.name });
    }
    // The old cap is in force again: changes while running live in the process.
    capRows = plan.input.capRows;
    inForce = options;
    trace.push({ kind: "cap", atMs: machine.nowMs(), options });
    bucket.debt = options.burstRows;
    bucket.atMs = machine.nowMs();
    share = birth();
    share.wake();
  }
  function changeCap(to: number): void {
    charge(0, machine.nowMs());
    capRows = to;
    inForce = withCap(options, to);
    trace.push({ kind: "cap", atMs: machine.nowMs(), options: inForce });
    share.setCap(to);
  }
  function disconnect(): void {
    for (const lane of ["stream", "files"] as const) {
      const batch = { lane, items: lingering[lane], settled: false };
      lingering = { ...lingering, [lane]: [] };
      settle(batch);
    }
    for (const batch of [...open]) settle(batch);
  }

  let share = birth();
  trace.push({ kind: "cap", atMs: machine.nowMs(), options });
  streams.forEach((stream, i) => {
    let arrivals = 0;
    let number = 0;
    const arrive = () => {
      for (let k = 0; k < stream.plan.rows; k++) {
        const topic = `stream-${i}`;
        const inSpool = openInSpool.get(topic) ?? 0;
        const target = route(inSpool, liveWaiting(), plan.spoolBeyond ?? Infinity) === "spool" ? spool : stream.flow;
        if (target === spool) openInSpool.set(topic, inSpool + 1);
        target.push({
          flow: target.name,
          topic,
          number: number++,
          bytes: stream.plan.bytes,
          arrivedMs: machine.nowMs(),
        });
      }
      share.wake();
      if (++arrivals < stream.plan.times && machine.nowMs() < plan.runMs) {
        at(stream.plan.everyMs, () => observed(arrive));
      }
    };
    if (stream.plan.times > 0) at(stream.plan.startMs, () => observed(arrive));
  });
  for (const folder of folders) {
    for (const dump of folder.plan.dumps) {
      at(dump.atMs, () =>
        observed(() => {
          folder.drop(dump.rows);
          share.wake();
        }));
    }
  }
  for (const ms of plan.restartsMs) at(ms, () => observed(restart));
  for (const change of plan.capChanges) at(change.atMs, () => observed(() => changeCap(change.capRows)));
  for (const ms of plan.disconnectsMs) at(ms, () => observed(disconnect));

  machine.advanceSync(plan.runMs - machine.nowMs());
  lookForSleepers();
  share.stop();
  // The sink finishes what it has; nothing more may leave, and all credits must be back.
  const sent = trace.length;
  machine.advanceSync(3_600_000);
  if (trace.filter((entry, i) => i >= sent && entry.kind === "sent").length > 0) fault("sleep", "Sent after stop");
  const end = share.status();
  if (end.freeRows !== options.inFlightRows || end.inFlightBytes.stream !== 0 || end.inFlightBytes.files !== 0) {
    fault("credits", `Of ${options.inFlightRows} credits ${end.freeRows} are free at rest`);
  }
  return { plan, options, trace, faults, lostRows: lostRows + end.lostRows };
}

/** A turn as the runs of its flows, in order. */
function runsOf(items: readonly Item[]): readonly (readonly Item[])[] {
  const runs: Item[][] = [];
  for (const item of items) {
    const run = runs.at(-1);
    if (run?.[0]?.flow === item.flow) run.push(item);
    else runs.push([item]);
  }
  return runs;
}
