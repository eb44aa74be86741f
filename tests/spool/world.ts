/**
 * A world for the spool, in virtual time: a broker with a session and a window, the real pipeline, a store that may be slow or fail, and a
 * sink of partitions that fail and come back, or die. One seed decides everything.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Delivery, Verdict } from "../../src/core/delivery.ts";
import { type Dice, seededDice } from "../../src/core/dice.ts";
import { WeirError } from "../../src/core/error.ts";
import { emitter, type Event } from "../../src/core/event.ts";
import type { Flow } from "../../src/core/flow.ts";
import type { Item } from "../../src/core/reading.ts";
import type { Source } from "../../src/core/source.ts";
import type { SpoolStore } from "../../src/core/spool.ts";
import type { Ledger } from "../../src/core/store.ts";
import { createTally, type Tally } from "../../src/core/tally.ts";
import { storedFields } from "../../src/decode/stored_fields.ts";
import { createPipeline, type Pipeline } from "../../src/pipeline.ts";
import { fairShareDefaults } from "../../src/scheduler/defaults.ts";
import type { WhenFull } from "../../src/spool/spool.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { type VirtualClock, virtualClock } from "../support/virtual_clock.ts";
import { modelSink } from "./model_sink.ts";

/** What happens. */
export interface Plan {
  readonly seed: number;
  readonly topics: number;
  readonly partitions: number;
  /** Messages a second, over all topics. */
  readonly perSecond: number;
  readonly publishMs: number;
  readonly receiveMax: number;
  readonly bytesMax: number;
  readonly whenFull: WhenFull;
  readonly inFlightRows: number;
  readonly sinkPerSecond: number;
  readonly givesBack: boolean;
  /** When partitions are down: from, to, in ms; -1: all of them. */
  readonly downs: readonly { readonly partition: number; readonly fromMs: number; readonly toMs: number }[];
  /** When the process is killed and begun again. */
  readonly crashesMs: readonly number[];
  /** When the disk takes no writes. */
  readonly diskFails: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** The state file turns out to be damaged: it is empty from then on. */
  readonly damagedAtMs?: number;
  readonly commitMs: number;
}

/** A reading as it arrived. */
export interface Landed {
  readonly topic: string;
  readonly n: number;
  readonly life: number;
  readonly id: string;
}

/** The world at its end. */
export interface Outcome {
  /** `<topic> <n>` of all that was published and is not filtered. */
  readonly wanted: ReadonlySet<string>;
  readonly landed: readonly Landed[];
  readonly tally: Tally;
  readonly tallies: readonly Tally[];
  readonly dropped: number;
  readonly left: { readonly readings: number; readonly bytes: number };
  readonly writes: number;
  readonly bytesSeenMax: number;
  /** Longest time that the broker's window stood still while it was full, in ms. */
  readonly events: readonly Event[];
  readonly unacknowledged: number;
  /** Most messages that ever waited at the broker. */
  readonly backlogMax: number;
}

/** A message at the broker. */
interface Message {
  readonly topic: string;
  readonly n: number;
  sent: boolean;
  dup: boolean;
}

const stepMs = 20;

/** Plays a plan until all that was published has arrived, or `patienceMs` after the last trouble. */
export async function play(plan: Plan, patienceMs = 120_000, make = createPipeline): Promise<Outcome> {
  const clock = virtualClock(1000);
  const dice = seededDice(plan.seed);
  const ledger = memoryLedger({ clock, deadLetterBytesMax: 1e9 });
  const landed: Landed[] = [];
  const events: Event[] = [];
  const tallies: Tally[] = [];
  const seen = { writes: 0, bytesMax: 0 };
  const broker = createBroker(plan, dice);
  const startMs = clock.nowMs();
  const at = () => clock.nowMs() - startMs;
  const isDown = (partition: number) =>
    plan.downs.some((down) =>
      (down.partition < 0 || down.partition === partition) && at() >= down.fromMs && at() < down.toMs
    );
  let dropped = 0;
  let life = 0;

  async function begin(): Promise<{ pipeline: Pipeline; die(): void; source: ModelSource }> {
    life += 1;
    const alive = { yes: true };
    const tally = createTally();
    tallies.push(tally);
    const sink = modelSink(plan, clock, dice, isDown, (reading) => {
      const { topic = "", n = -1 } = reading.fields as { topic?: string; n?: number };
      landed.push({ topic, n, life, id: reading.id });
    });
    const source = modelSource(plan, broker, clock, life);
    const pipeline = make({
      sources: [source],
      sink,
      letters: ledger,
      fairShare: fairShareDefaults({
        capRows: 10,
        inFlightRows: plan.inFlightRows,
        filesInFlightRows: 1,
        floorRows: 0,
      }),
      tally: {
        ...tally,
        settled(origin, ending, count) {
          if (ending === "dropped") dropped += count;
          tally.settled(origin, ending, count);
        },
      },
      clock,
      dice: seededDice(plan.seed + life),
      emit: emitter((event) => events.push(event)),
      spool: {
        store: watchedStore(plan, ledger, clock, at, seen, alive),
        bytesMax: plan.bytesMax,
        whenFull: plan.whenFull,
        parseFields: storedFields,
      },
    });
    await pipeline.start();
    const die = () => {
      alive.yes = false;
      source.die();
      sink.die();
    };
    return { pipeline, die, source };
  }

  let now = await begin();
  const crashes = [...plan.crashesMs];
  const quietAtMs = Math.max(
    plan.publishMs,
    ...plan.downs.map((one) => one.toMs),
    ...plan.diskFails.map((one) => one.toMs),
    ...crashes,
  );
  let due = 0;
  let backlogMax = 0;
  while (true) {
    if (at() < plan.publishMs) {
      for (due += plan.perSecond * stepMs / 1000; due >= 1; due--) broker.publish();
    }
    now.source.pull();
    await clock.advance(stepMs);
    backlogMax = Math.max(backlogMax, broker.waiting());
    const crash = crashes[0];
    if (crash !== undefined && at() >= crash) {
      crashes.shift();
      now.die();
      await Promise.all([now.pipeline.close(), clock.advance(500)]);
      broker.sessionResumed();
      now = await begin();
    }
    if (at() < quietAtMs) continue;
    const { readings } = await ledger.spoolInventory();
    const open = tallies.at(-1)?.sums("real_time").open ?? 0;
    if (readings === 0 && broker.unacknowledged() === 0 && open === 0) break;
    if (at() > quietAtMs + patienceMs) break;
  }
  // What is removed lags a little.
  await clock.advance(1000);
  const { readings, bytes } = await ledger.spoolInventory();
  const tally = tallies.at(-1);
  assert.ok(tally !== undefined);
  const unacknowledged = broker.unacknowledged();
  now.die();
  await Promise.all([now.pipeline.close(), clock.advance(500)]);
  return {
    ...{ wanted: broker.wanted, landed, tally, tallies, dropped, events, unacknowledged, backlogMax },
    ...{ left: { readings, bytes }, writes: seen.writes, bytesSeenMax: seen.bytesMax },
  };
}

function watchedStore(
  plan: Plan,
  ledger: Ledger,
  clock: VirtualClock,
  at: () => number,
  seen: { writes: number; bytesMax: number },
  alive: { readonly yes: boolean },
): SpoolStore {
  let { damagedAtMs = Infinity } = plan;
  const later = <T>(act: () => Promise<T>, writes: boolean): Promise<T> =>
    new Promise((resolve, reject) => {
      const refuse = () => reject(new WeirError("storage", "No room to write", { retriable: true }));
      if (!alive.yes) return refuse();
      clock.after(writes ? plan.commitMs : 1, () => {
        if (writes && plan.diskFails.some((fail) => at() >= fail.fromMs && at() < fail.toMs)) {
          return refuse();
        }
        if (at() >= damagedAtMs) {
          damagedAtMs = Infinity;
          return void ledger.spoolDropOldest(Infinity, []).then(refuse);
        }
        // A write that was under way at a crash may be in or not.
        act().then(resolve, reject);
      });
    });
  return {
    spoolAppend: (readings) =>
      later(async () => {
        seen.writes += 1;
        const totals = await ledger.spoolAppend(readings);
        seen.bytesMax = Math.max(seen.bytesMax, totals.bytes);
        return totals;
      }, true),
    spoolRead: (range) => later(() => ledger.spoolRead(range), false),
    spoolRemove: (numbers) => later(() => ledger.spoolRemove(numbers), true),
    spoolDropOldest: (bytes, spared) => later(() => ledger.spoolDropOldest(bytes, spared), true),
    spoolInventory: () => ledger.spoolInventory(),
  };
}

function createBroker(plan: Plan, dice: Dice) {
  const counts = new Map<string, number>();
  const wanted = new Set<string>();
  let queue: Message[] = [];
  return {
    publish(): void {
      const topic = `t${Math.floor(dice() ** 2 * plan.topics)}`;
      const n = (counts.get(topic) ?? 0) + 1;
      counts.set(topic, n);
      queue.push({ topic, n, sent: false, dup: false });
      if (n % 17 !== 0) wanted.add(`${topic} ${n}`);
    },
    wanted,
    waiting: () => queue.length,
    unacknowledged: () => queue.length,
    /** What the window lets through, in order. */
    deliver(): readonly Message[] {
      const window = queue.slice(0, plan.receiveMax).filter((message) => !message.sent);
      for (const message of window) message.sent = true;
      return window;
    },
    /** In order. */
    acknowledge(message: Message): void {
      assert.equal(queue[0], message, "PUBACKs leave in the order of the messages");
      queue = queue.slice(1);
    },
    sessionResumed(): void {
      for (const message of queue) {
        message.dup ||= message.sent;
        message.sent = false;
      }
    },
  };
}

interface ModelSource extends Source {
  pull(): void;
  die(): void;
}

function modelSource(
  plan: Plan,
  broker: ReturnType<typeof createBroker>,
  clock: VirtualClock,
  life: number,
): ModelSource {
  const inbox: Item[] = [];
  const pending: { readonly message: Message; settled: Verdict | null }[] = [];
  let wake = () => {};
  let dead = false;
  let counter = 0;
  const flow: Flow<Item> = {
    ...{ name: "mqtt", lane: "stream", weight: 1, capRows: null },
    ready: () => inbox.length,
    take: (maxRows) => inbox.splice(0, maxRows),
  };

  function take(message: Message): void {
    const place = { message, settled: null as Verdict | null };
    pending.push(place);
    const delivery: Delivery = {
      origin: "real_time",
      source: message.topic,
      settle(index, verdict) {
        if (dead) return;
        assert.equal(index, 0);
        assert.equal(place.settled, null, `${message.topic} ${message.n} is settled twice`);
        place.settled = verdict;
        for (let first = pending[0]; first?.settled !== null && first !== undefined; first = pending[0]) {
          pending.shift();
          broker.acknowledge(first.message);
        }
      },
      isSettled: () => place.settled !== null,
    };
    counter += 1;
    // The key is not the topic: two topics share a partition, and one topic may have several keys.
    const fields = { topic: message.topic, n: message.n, device: message.topic, padding: "x".repeat(50) };
    const value = JSON.stringify(fields);
    if (message.n % 17 === 0) {
      inbox.push({ kind: "filtered", delivery, index: 0, bytes: value.length });
      return;
    }
    inbox.push({
      ...{ kind: "reading", delivery, index: 0, bytes: value.length, id: `gw/${life}/${counter}`, fields, value },
      ...{ row: 0, byte: -1, arrivedMs: clock.nowMs(), redelivered: message.dup },
    });
  }

  return {
    name: "model",
    flows: [flow],
    start(wakeScheduler) {
      wake = wakeScheduler;
      return Promise.resolve();
    },
    pull() {
      if (dead) return;
      const messages = broker.deliver();
      for (const message of messages) take(message);
      if (messages.length > 0) wake();
    },
    fill: () => pending.filter((one) => one.settled === null).length / plan.receiveMax,
    stop() {},
    drained: () => Promise.resolve(),
    finished: () => Promise.resolve(),
    close() {
      dead = true;
      return Promise.resolve();
    },
    die() {
      dead = true;
    },
    status: () => ({ kind: "letters", replaying: null, delivered: 0, filtered: 0, failed: 0 }),
    check: () => Promise.resolve([]),
  };
}
