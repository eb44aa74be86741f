/**
 * A sink in virtual time over a bad network: requests get lost, acknowledgements get lost or come late, and it tries again until it is
 * told. The far side knows a request that comes twice, as Kafka does within one life of a producer.
 *
 * @module
 */
import type { Dice } from "../../src/core/dice.ts";
import type { Lane } from "../../src/core/flow.ts";
import type { Reading } from "../../src/core/reading.ts";
import type { Sink, SinkReport } from "../../src/core/sink.ts";
import { keyIn } from "./books.ts";
import type { FarSide } from "./far_side.ts";
import type { Life } from "./life.ts";

/** How the way to the far side is. */
export interface SinkMoods {
  /** Readings/s that it can take. */
  readonly perSecond: number;
  /** Share of requests that do not arrive, and of acknowledgements that get lost or come late. */
  readonly lostShare: number;
  readonly lateShare: number;
  readonly lateMaxMs: number;
}

/** A sink whose life can end. */
export interface SimulatedSink extends Sink {
  /** The life is over: what was on the wire arrives all the same, or not. */
  die(): void;
}

/** Readings of one request, at most. */
const batchMax = 40;
const answerWithinMs = 400;

interface Request {
  readonly readings: readonly Reading[];
  /** What the far side refused of it; null: it has not come there yet. */
  refused: readonly Reading[] | null;
  onTheWire: boolean;
}

/** Makes the sink of one life. */
export function simulatedSink(moods: SinkMoods, far: FarSide, life: Life, dice: Dice): SimulatedSink {
  const { clock } = life;
  const waiting: Record<Lane, Reading[]> = { stream: [], files: [] };
  const current: Record<Lane, Request | null> = { stream: null, files: null };
  let report: SinkReport | null = null;
  let closed = false;
  let inFlight = 0;
  let retries = 0;
  let idle: (() => void)[] = [];

  function pump(lane: Lane): void {
    if (current[lane] !== null || waiting[lane].length === 0 || closed) return;
    current[lane] = { readings: waiting[lane].splice(0, batchMax), refused: null, onTheWire: false };
    request(lane);
  }

  function request(lane: Lane): void {
    const one = current[lane];
    if (one === null || closed) return;
    one.onTheWire = true;
    if (far.down || dice() < moods.lostShare) {
      one.onTheWire = false;
      return void clock.after(answerWithinMs, () => again(lane));
    }
    clock.after(1 + 1000 * one.readings.length / moods.perSecond, () => {
      if (closed) return;
      accept(lane, one);
      if (!life.passes("accepted, not told")) return;
      const chance = dice();
      if (chance < moods.lostShare) clock.after(answerWithinMs, () => again(lane));
      else if (chance < moods.lostShare + moods.lateShare) {
        clock.after(dice() * moods.lateMaxMs, () => settle(lane, one));
      } else settle(lane, one);
    });
  }

  function again(lane: Lane): void {
    retries += 1;
    request(lane);
  }

  function accept(lane: Lane, one: Request): void {
    one.onTheWire = false;
    if (one.refused !== null) return;
    const refused: Reading[] = [];
    for (const reading of one.readings) {
      const key = keyIn(reading.value) ?? "";
      if (far.refuses(key)) refused.push(reading);
      else far.accept({ lane, id: reading.id, redelivered: reading.redelivered, key });
    }
    one.refused = refused;
  }

  function settle(lane: Lane, { readings, refused }: Request): void {
    if (closed || report === null || refused === null) return;
    current[lane] = null;
    inFlight -= readings.length;
    const good = refused.length === 0 ? readings : readings.filter((reading) => !refused.includes(reading));
    if (good.length > 0) report.delivered(lane, good);
    for (const reading of refused) report.rejected(lane, reading, "too_large", "the simulated sink refuses it");
    if (!life.passes("told")) return;
    if (inFlight === 0) { for (const resolve of idle.splice(0)) resolve(); }
    pump(lane);
  }

  return {
    name: "simulated",
    open(given) {
      report = given;
      return Promise.resolve();
    },
    send(lane, readings) {
      inFlight += readings.length;
      waiting[lane].push(...readings);
      if (life.passes("dispatched")) pump(lane);
    },
    flush: () => inFlight === 0 ? Promise.resolve() : new Promise((resolve) => (idle = [...idle, resolve])),
    close() {
      closed = true;
      for (const resolve of idle.splice(0)) resolve();
      return Promise.resolve();
    },
    die() {
      closed = true;
      for (const lane of ["stream", "files"] as const) {
        const one = current[lane];
        if (one?.onTheWire && dice() < 0.5) accept(lane, one);
      }
    },
    takeBack(wanted) {
      const given = new Map<Reading, Reading>();
      let ahead = current.stream?.readings[0] ?? null;
      waiting.stream = waiting.stream.filter((reading) => {
        if (ahead !== null && wanted.has(reading)) {
          given.set(reading, ahead);
          return false;
        }
        ahead ??= reading;
        return true;
      });
      inFlight -= given.size;
      return given;
    },
    check: () => Promise.resolve([]),
    status: () => ({
      kind: "simulated",
      connected: !far.down,
      trouble: null,
      inFlightReadings: inFlight,
      retries,
      throttledMs: 0,
    }),
  };
}
