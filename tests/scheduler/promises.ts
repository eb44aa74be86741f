/**
 * The promises of the scheduler, each with the worlds in which it is made: the conditions of a bound are the limits of its generator.
 * `fair_share_test.ts` holds the scheduler to them; `broken_test.ts` shows that broken schedulers do not get through.
 *
 * @module
 */
import fc from "fast-check";
import * as checks from "./checks.ts";
import type { FolderPlan, Plan, Span, StreamPlan } from "./plan.ts";

export interface Promised {
  readonly name: string;
  readonly plans: fc.Arbitrary<Plan>;
  readonly check: checks.Check;
  /** Worlds tried. */
  readonly runs: number;
}

const endless = 1_000_000_000;
const weight = fc.constantFrom(0.5, 1, 1, 2, 3, 7);
/** From one row a second to a million, each order of magnitude alike. */
const capRows = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 21, max: 2_000 }),
  fc.integer({ min: 2_001, max: 60_000 }),
  fc.constantFrom(333_333, 1_000_000),
);
const bytes = fc.integer({ min: 1, max: 400 });
/** A moment with a fraction: real clocks are never at a whole millisecond. */
const moment = (maxMs: number) => fc.integer({ min: 0, max: maxMs * 8 }).map((eighths) => eighths / 8 + 0.0137);
const span = (withinMs: number, maxMs: number): fc.Arbitrary<Span> =>
  fc.record({ atMs: moment(withinMs), forMs: moment(maxMs) });
const few = <T>(one: fc.Arbitrary<T>, most: number, least = 0) => fc.array(one, { minLength: least, maxLength: most });

const quietSink = { rowsPerSecond: 100_000, roundTripMs: 5, wayJitterMs: 0, lingerMs: 5, stalls: [] };
const still = {
  jitterMs: 0,
  pauses: [],
  capChanges: [],
  restartsMs: [],
  disconnectsMs: [],
  settledAtOnceEvery: 0,
  shortTakes: false,
  spoolBeyond: null,
};
/** Stray circumstances under which every promise holds. */
const trifles = fc.record({
  jitterMs: fc.constantFrom(0, 0.3, 2.5, 8),
  settledAtOnceEvery: fc.constantFrom(0, 3, 50),
  shortTakes: fc.boolean(),
  seed: fc.integer(),
});
const sink = fc.record({
  rowsPerSecond: fc.constantFrom(300, 2_000, 20_000, 500_000),
  roundTripMs: moment(80),
  wayJitterMs: fc.constantFrom(0, 0, 20, 200),
  lingerMs: fc.constantFrom(0, 1, 5, 10),
  stalls: few(span(2_000, 1_500), 2),
});
const stream: fc.Arbitrary<StreamPlan> = fc.record({
  weight,
  startMs: moment(1_000),
  everyMs: fc.constantFrom(3.7, 10, 50, 210),
  rows: fc.integer({ min: 1, max: 60 }),
  times: fc.integer({ min: 1, max: 60 }),
  bytes,
});
const folder: fc.Arbitrary<FolderPlan> = fc.record({
  weight,
  capRows: fc.option(fc.integer({ min: 1, max: 3_000 }), { freq: 3, nil: null }),
  dumps: few(fc.record({ atMs: moment(2_000), rows: fc.integer({ min: 1, max: 1_500 }) }), 3, 1),
  aheadRows: fc.constantFrom(1, 7, 200, 1000),
  refillMs: fc.constantFrom(0, 0, 1.5, 30),
  bytes,
});
const backlog: fc.Arbitrary<FolderPlan> = fc.record({
  weight,
  capRows: fc.constant(null),
  dumps: fc.constant([{ atMs: 0, rows: endless }]),
  aheadRows: fc.constant(1000),
  refillMs: fc.constant(0),
  bytes,
});

/** Whatever may happen, at once. */
export const anything: fc.Arbitrary<Plan> = fc.record({
  input: fc.record({
    capRows,
    capBytes: fc.option(fc.constantFrom(50, 3_000, 400_000), { freq: 4, nil: null }),
    inFlightRows: fc.constantFrom(2, 30, 300, 3_000),
    inFlightBytes: fc.constantFrom(1_024, 20_000, 10_000_000),
  }),
  streams: few(stream, 3),
  folders: few(folder, 3, 1),
  sink,
  runMs: fc.constant(3_000),
  pauses: few(span(2_500, 400), 2),
  capChanges: few(fc.record({ atMs: moment(2_500), capRows }), 3),
  restartsMs: few(moment(2_500), 2),
  disconnectsMs: few(moment(2_500), 2),
  spoolBeyond: fc.constant(null),
  jitterMs: fc.constantFrom(0, 0.3, 2.5, 8, 40),
  settledAtOnceEvery: fc.constantFrom(0, 3, 50),
  shortTakes: fc.boolean(),
  seed: fc.integer(),
});

/** A dump without end under a cap that keeps changing. */
const changing: fc.Arbitrary<Plan> = fc.record({
  input: fc.record({ capRows }),
  folders: few(backlog, 1, 1),
  capChanges: few(fc.record({ atMs: moment(950), capRows }), 6, 2),
  trifles,
}).map(({ trifles, ...plan }) => ({ ...still, ...plan, streams: [], sink: quietSink, runMs: 1_000, ...trifles }));

const ableSink: fc.Arbitrary<Plan> = fc.record({
  capRows: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 6_000 })),
  streams: few(fc.record({ ...lightStream(), weight, startMs: moment(500), bytes }), 2),
  folders: few(backlog, 3, 1),
  capped: fc.array(folder, { maxLength: 1 }),
  roundTripMs: moment(60),
  trifles,
}).map(({ capRows, streams, folders, capped, roundTripMs, trifles }) => ({
  ...still,
  input: { capRows },
  streams,
  folders: [...capped, ...folders],
  sink: { ...quietSink, roundTripMs },
  runMs: capRows < 10 ? 9_000 : 2_000,
  ...trifles,
}));

/** A sink that stands still once or twice, beside endless dumps and under one cap. */
const stalling: fc.Arbitrary<Plan> = fc.record({
  input: fc.record({
    capRows: fc.integer({ min: 5, max: 20_000 }),
    filesInFlightRows: fc.option(fc.constantFrom(1, 40, 3_000), { nil: undefined }),
  }),
  folders: few(backlog, 2, 1),
  sink: fc.record({
    rowsPerSecond: fc.constantFrom(2_000, 20_000, 500_000),
    roundTripMs: moment(80),
    wayJitterMs: fc.constantFrom(0, 3, 40, 200),
    lingerMs: fc.constantFrom(0, 10),
    stalls: few(fc.record({ atMs: moment(3_000), forMs: fc.constantFrom(300, 700, 1_500, 4_000) }), 2, 1),
  }),
  trifles,
}).map(({ input: { capRows, filesInFlightRows }, folders, sink, trifles }) => ({
  ...still,
  input: { capRows, ...(filesInFlightRows === undefined || filesInFlightRows > capRows ? {} : { filesInFlightRows }) },
  streams: [],
  folders,
  sink,
  runMs: 9_000,
  ...trifles,
}));

/** Ways to the sink that always differ, by tens and hundreds of ms. */
const farAway: fc.Arbitrary<Plan> = fc.record({
  capRows: fc.integer({ min: 50, max: 3_000 }),
  folders: few(backlog, 2, 1),
  roundTripMs: moment(300),
  wayJitterMs: fc.constantFrom(0, 5, 30, 100, 250),
  trifles,
}).map(({ capRows, folders, roundTripMs, wayJitterMs, trifles }) => ({
  ...still,
  input: { capRows, filesRoundTripMs: 700 },
  streams: [],
  folders,
  sink: { ...quietSink, roundTripMs, wayJitterMs },
  runMs: 12_000,
  ...trifles,
}));

/** One folder with a cap of its own, well below that of all. */
const heldByItsOwn: fc.Arbitrary<Plan> = fc.record({
  capRows: fc.integer({ min: 1, max: 2_000 }),
  folder: backlog,
  trifles,
}).map(({ capRows, folder, trifles }) => ({
  ...still,
  input: { capRows: 5_000 },
  streams: [],
  folders: [{ ...folder, capRows }],
  sink: quietSink,
  runMs: 3_000,
  ...trifles,
}));

/** Few credits, so that all of both lanes compete. */
const contended: fc.Arbitrary<Plan> = fc.record({
  input: fc.record({
    capRows: fc.integer({ min: 20, max: 4_000 }),
    inFlightRows: fc.integer({ min: 20, max: 400 }),
  }),
  streams: few(stream, 3, 1),
  folders: few(fc.oneof(folder, backlog), 3, 2),
  sink,
  trifles,
  disconnectsMs: few(moment(2_500), 1),
}).map(({ trifles, ...plan }) => ({ ...still, ...plan, runMs: 3_000, ...trifles }));

/** Streams bring more than the sink takes; the credit's way is below a second. */
function overloaded(folders: fc.Arbitrary<FolderPlan>): fc.Arbitrary<Plan> {
  return fc.record({
    capRows: fc.integer({ min: 10, max: 3_000 }),
    folders: few(folders, 3, 1),
    weights: few(weight, 2, 1),
    roundTripMs: moment(50),
    trifles,
  }).map(({ capRows, folders, weights, roundTripMs, trifles }) => ({
    ...still,
    input: { capRows },
    streams: weights.map((weight) => ({ weight, startMs: 100, everyMs: 5, rows: 45, times: endless, bytes: 50 })),
    folders,
    sink: { rowsPerSecond: 6_000, roundTripMs, wayJitterMs: 0, lingerMs: 5, stalls: [] },
    runMs: 2_500,
    ...trifles,
  }));
}

/** Arrivals <= sigma + rho * t with rho + m below what the sink takes, beside an endless dump. */
const bearable: fc.Arbitrary<Plan> = fc.record({
  capRows: fc.integer({ min: 50, max: 10_000 }),
  mu: fc.constantFrom(2_500, 8_000),
  load: fc.constantFrom(0.2, 0.5, 0.9),
  rows: few(fc.integer({ min: 1, max: 300 }), 3, 1),
  folders: few(backlog, 2, 1),
  roundTripMs: moment(30),
  lingerMs: fc.constantFrom(0, 5),
  trifles,
}).map(({ capRows, mu, load, rows, folders, roundTripMs, lingerMs, trifles }) => {
  const floorRows = Math.min(capRows, Math.floor(mu / 10));
  const rho = (mu - floorRows) * load / rows.length;
  return {
    ...still,
    input: { capRows, floorRows },
    streams: rows.map((rows) => ({
      weight: 1,
      startMs: 300,
      everyMs: rows * 1000 / rho,
      rows,
      times: endless,
      bytes: 50,
    })),
    folders,
    sink: { rowsPerSecond: mu, roundTripMs, wayJitterMs: 0, lingerMs, stalls: [] },
    runMs: 3_000,
    ...trifles,
  };
});

/** The sink stands still for most of the run. */
const stopped: fc.Arbitrary<Plan> = fc.record({
  plan: anything,
  stall: fc.record({ atMs: moment(300), forMs: moment(2_400) }),
}).map(({ plan, stall }) => ({ ...plan, sink: { ...plan.sink, stalls: [stall] } }));

const spooled: fc.Arbitrary<Plan> = fc.tuple(contended, fc.integer({ min: 0, max: 100 }))
  .map(([plan, spoolBeyond]) => ({ ...plan, spoolBeyond }));

export const promises = {
  cap: {
    name: "rows of files never pass the cap in any window, across pauses, changes of the cap and restarts",
    plans: fc.oneof(anything, changing),
    check: checks.capHolds,
    runs: 200,
  },
  ownCaps: {
    name: "the cap in bytes and each folder's own cap hold in every window",
    plans: anything,
    check: checks.ownCapsHold,
    runs: 100,
  },
  arrivals: {
    name: "after the sink stood still no more arrives than the cap allows",
    plans: stalling,
    check: checks.arrivalsHold,
    runs: 60,
  },
  patience: {
    name: "ways to the sink that always differ cost next to no rate",
    plans: farAway,
    check: checks.patienceEnds,
    runs: 30,
  },
  rate: {
    name: "no rate is lost while files have rows and the sink is able",
    plans: ableSink,
    check: checks.noRateIsLost,
    runs: 60,
  },
  ownRate: {
    name: "a folder reaches its own cap",
    plans: heldByItsOwn,
    check: checks.ownRateIsReached,
    runs: 40,
  },
  fairness: {
    name: "folders, and subscriptions, that have work share by weight to within a quantum of each",
    plans: contended,
    check: checks.sharesAreFair,
    runs: 100,
  },
  yield: {
    name: "while a reading of a stream waits files get the floor and no more",
    plans: contended,
    check: checks.filesYield,
    runs: 100,
  },
  delay: {
    name: "a reading of a stream waits no longer than its bound beside an endless dump",
    plans: bearable,
    check: checks.streamsAreQuick,
    runs: 40,
  },
  floor: {
    name: "files get their floor in every window while streams overload the sink",
    plans: overloaded(backlog),
    check: checks.floorHolds,
    runs: 25,
  },
  starvation: {
    name: "no folder with a row ready waits longer than its bound",
    plans: overloaded(folder.map((one) => ({ ...one, capRows: null }))),
    check: checks.nobodyStarves,
    runs: 25,
  },
  neverIdle: {
    name: "the scheduler never sleeps with a free credit and something eligible",
    plans: anything,
    check: checks.neverIdle,
    runs: 150,
  },
  credits: {
    name: "credits add up on every path and are all free at rest",
    plans: anything,
    check: checks.creditsAddUp,
    runs: 150,
  },
  order: {
    name: "items of a flow leave in order, and so do readings of a topic through the spool",
    plans: fc.oneof(spooled, anything),
    check: checks.orderIsKept,
    runs: 150,
  },
  backPressure: {
    name: "a sink that stands still bounds what is in flight, and no burst beyond the cap follows",
    plans: stopped,
    check: (run) => checks.creditsAddUp(run) ?? checks.capHolds(run),
    runs: 60,
  },
} satisfies Readonly<Record<string, Promised>>;

function lightStream() {
  return {
    everyMs: fc.constantFrom(10, 25),
    rows: fc.integer({ min: 1, max: 4 }),
    times: fc.constant(endless),
  };
}
