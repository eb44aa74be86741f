/**
 * A spool alone, by hand: a source whose readings remember their verdicts, a disk that can be looked at, and whatever the sink is to do.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Delivery, Verdict } from "../../src/core/delivery.ts";
import type { Flow } from "../../src/core/flow.ts";
import type { Item, Misfit, Reading } from "../../src/core/reading.ts";
import { createTally } from "../../src/core/tally.ts";
import type { SpoolOptions } from "../../src/spool/contract.ts";
import { createSpool, type Spool } from "../../src/spool/spool.ts";
import { spoolShelf } from "../../src/store/memory_spool.ts";
import { type VirtualClock, virtualClock } from "../support/virtual_clock.ts";

/** A reading with its verdict so far. */
export interface Told extends Reading {
  readonly verdict: () => Verdict | null;
}

/** `plant/a` `a1` and the like: the id is the topic's letter and a number. A second verdict is a defect. */
export function told(id: string): Told {
  let verdict: Verdict | null = null;
  const value = `{"id":"${id}"}`;
  const delivery: Delivery = {
    origin: "real_time",
    source: `plant/${id.charAt(0)}`,
    settle(_index, given) {
      assert.equal(verdict, null, `${id} is settled twice`);
      verdict = given;
    },
    isSettled: () => verdict !== null,
  };
  const place = { delivery, index: 0, bytes: value.length, row: 0, byte: -1, arrivedMs: 0 };
  return { ...place, kind: "reading", id, fields: {}, value, redelivered: false, verdict: () => verdict };
}

/** The dead letter that a refused reading becomes. */
export function refusedAs({ delivery, id }: Reading): Misfit {
  const letter = { id, reason: "rejected", detail: "", origin: "real_time", source: delivery.source } as const;
  const place = { row: 0, byte: null, decoder: "reading", header: null, raw: new Uint8Array(), arrivedAtMs: 0 };
  return { kind: "misfit", delivery, index: 0, bytes: 0, letter: { ...letter, ...place } };
}

/** The parts of a rig. */
export interface Rig {
  readonly spool: Spool;
  readonly clock: VirtualClock;
  /** As a source tells it. */
  fill: number;
  takeBack: (readings: ReadonlySet<Reading>) => ReadonlyMap<Reading, Reading>;
  /** The scheduler is told. */
  wake: () => void;
  /** New readings arrive at the source. */
  arrive(...readings: Item[]): void;
  /** The scheduler lets go what it gets; returns the ids. */
  dispatch(): readonly string[];
  /** The sink answers and has delivered these. */
  deliver(...readings: Reading[]): void;
  /** Ids on the disk, in the order of their numbers. */
  onDisk(): readonly string[];
}

/** Makes one with an open spool. */
export async function rig(options: Partial<SpoolOptions> = {}): Promise<Rig> {
  const clock = virtualClock(100_000);
  const shelf = spoolShelf();
  const waiting: Item[] = [];
  const source: Flow<Item> = {
    ...{ name: "mqtt", lane: "stream", weight: 1, capRows: null },
    ready: () => waiting.length,
    take: (maxRows) => waiting.splice(0, maxRows),
  };
  const spool = createSpool({
    options: { bytesMax: 1e9, whenFull: "block", heldRowsMax: 10, heldBytesMax: 10_000, ...options },
    flows: [source],
    store: {
      spoolAppend: (readings) => Promise.resolve(shelf.spoolAppend(readings)),
      spoolRead: (range) => Promise.resolve(shelf.spoolRead(range)),
      spoolRemove: (numbers) => Promise.resolve(shelf.spoolRemove(numbers)),
      spoolDropOldest: (bytes, spared) => Promise.resolve(shelf.spoolDropOldest(bytes, spared)),
      spoolInventory: () => Promise.resolve(shelf.spoolInventory()),
    },
    ...{ tally: createTally(), clock, dice: () => 0.5, emit() {}, parseFields: () => ({}), release() {} },
    fill: () => made.fill,
    takeBack: (readings) => made.takeBack(readings),
    wake: () => made.wake(),
  });
  const made: Rig = {
    ...{ spool, clock, fill: 0, takeBack: () => new Map(), wake() {} },
    arrive(...readings) {
      waiting.push(...readings);
      spool.arrived();
    },
    dispatch() {
      const items = [...spool.flows, spool.flow].flatMap((flow) => flow.take(flow.ready(), Infinity));
      spool.dispatched(items);
      return items.map((item) => item.kind === "reading" ? item.id : item.kind);
    },
    deliver(...readings) {
      spool.answered();
      spool.settle(readings, "delivered");
    },
    onDisk: () => shelf.spoolRead({ after: 0, limit: 1_000, bytesMax: 1e9, except: [] }).map(({ id }) => id),
  };
  await spool.open();
  return made;
}
