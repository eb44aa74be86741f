/**
 * Deadlines in the running gateway, in virtual time.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { FileProgress } from "../../src/core/deadline.ts";
import { emitter, type Event } from "../../src/core/event.ts";
import type { FileStatus } from "../../src/core/status.ts";
import { createDeadlineWatch, type DeadlineWatchOptions } from "../../src/scheduler/deadline_watch.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const hourMs = 3_600_000;
const options: DeadlineWatchOptions = {
  capRows: 500,
  floorRows: 50,
  pace: "cap",
  folders: [{ path: "/a", weight: 1, everyMs: hourMs }, { path: "/b", weight: 1, everyMs: null }],
};

/** A file of 100-byte rows: 1,000 are read, and so many are left, in a folder that has all to itself. */
function progress(rowsLeft: number, timeLeftMs: number | null): FileProgress {
  return {
    bytesLeft: rowsLeft * 100,
    bytesRead: 100_000,
    rowsRead: 1000,
    ageMs: hourMs - (timeLeftMs ?? 0),
    everyMs: timeLeftMs === null ? null : hourMs,
    folderCapRows: null,
    weight: 1,
    weightBusy: 1,
  };
}

/** A watch over files that a test changes. */
function rig(more: Partial<DeadlineWatchOptions> = {}, lastDumpRows: number | null = null) {
  const clock = virtualClock();
  const events: Event[] = [];
  const watch = createDeadlineWatch({ ...options, ...more }, {
    clock,
    emit: emitter((event) => events.push(event)),
  });
  const world = {
    files: [] as readonly (readonly [string, FileProgress])[],
    rowsPerSecond: 500,
    rows: (): number => Math.floor(clock.nowMs() * world.rowsPerSecond / 1000),
    caps: [] as unknown[],
  };
  const status = ([folder, file]: readonly [string, FileProgress]): FileStatus => ({
    folder,
    name: "dump.csv",
    sizeBytes: 0,
    readBytes: 0,
    rowsRead: file.rowsRead,
    rowsFinished: 0,
    badRows: 0,
    rowsEstimated: file.rowsRead + file.bytesLeft / 100,
    timeLeftMs: file.everyMs === null ? null : file.everyMs - file.ageMs,
    ...watch.forecast(file),
  });
  return {
    clock,
    world,
    watch,
    start: () =>
      watch.start({
        files: () => world.files.map(status),
        rowsHandedOver: () => world.rows(),
        setCap: (cap) => world.caps.push(cap),
        lastDumpRows: () => Promise.resolve(lastDumpRows),
      }),
    said: (name: string) => events.filter((event) => event.name === name),
  };
}

Deno.test("a verdict is told once when it stood for three looks, with the cap that would do, and again when it changed", async () => {
  const { clock, world, watch, start, said } = rig();
  world.files = [["/a", progress(90_000, 100_000)]];
  await start();
  await clock.advance(1500);
  assert.equal(said("files.deadline_judged").length, 0);
  await clock.advance(5000);
  const [late] = said("files.deadline_judged");
  assert.equal(said("files.deadline_judged").length, 1);
  assert.equal(late?.level, "warn");
  assert.match(late?.message ?? "", /"dump.csv" in "\/a" will be late: it takes about 3 min, and its deadline is in/);
  assert.match(late?.message ?? "", /--files-cap 1125\/s would do$/);
  assert.equal(late?.data["cap_needed_rows"], 1125);
  world.files = [["/a", progress(1_000, 100_000)]];
  await clock.advance(5000);
  assert.deepEqual(said("files.deadline_judged").map((event) => event.data["verdict"]), ["late", "on_time"]);
  watch.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("a verdict that comes and goes within three looks is not told", async () => {
  const { clock, world, watch, start, said } = rig();
  world.files = [["/a", progress(1_000, 100_000)]];
  await start();
  await clock.advance(4000);
  world.files = [["/a", progress(90_000, 100_000)]];
  await clock.advance(2000);
  world.files = [["/a", progress(1_000, 100_000)]];
  await clock.advance(5000);
  assert.equal(said("files.deadline_judged").length, 1);
  watch.stop();
});

Deno.test("uncapped, the rate reached over the last ten seconds stands for the cap", async () => {
  const { clock, world, watch, start } = rig({ capRows: null });
  world.files = [["/b", progress(10_000, null)]];
  await start();
  assert.equal(watch.forecast(progress(10_000, null)).etaMs, null, "nothing is known at once");
  world.rowsPerSecond = 2000;
  await clock.advance(12_000);
  assert.equal(watch.forecast(progress(10_000, null)).etaMs, 5_000);
  watch.stop();
});

Deno.test("a sink that takes less than the cap makes a file late, and no higher cap is promised to help", async () => {
  const { clock, world, watch, start, said } = rig();
  world.rowsPerSecond = 100;
  world.files = [["/a", progress(20_000, 100_000)]];
  await start();
  await clock.advance(3000);
  assert.equal(said("files.deadline_judged")[0]?.data["verdict"], "on_time", "the first seconds say nothing yet");
  await clock.advance(10_000);
  const told = said("files.deadline_judged").at(-1);
  assert.equal(told?.data["verdict"], "late");
  assert.equal(told?.data["cap_needed_rows"], null);
  assert.match(told?.message ?? "", /No higher --files-cap would do/);
  watch.stop();
});

Deno.test("while no row leaves for ten seconds nobody knows when a file is in, and the cap tells it again afterwards", async () => {
  const { clock, world, watch, start } = rig();
  world.rowsPerSecond = 0;
  world.files = [["/a", progress(10_000, 100_000)]];
  await start();
  assert.equal(watch.forecast(progress(10_000, 100_000)).etaMs, 20_000);
  await clock.advance(11_000);
  assert.equal(watch.forecast(progress(10_000, 100_000)).etaMs, null);
  world.rowsPerSecond = 500;
  await clock.advance(1_000);
  assert.notEqual(watch.forecast(progress(10_000, 100_000)).etaMs, null);
  watch.stop();
});

Deno.test("while nothing moves for ten seconds no file is on time: it is at risk, said once, and on time again at the first row", async () => {
  const { clock, world, watch, start, said } = rig();
  world.files = [["/a", progress(10_000, 100_000)]];
  await start();
  await clock.advance(5000);
  assert.deepEqual(said("files.deadline_judged").map((event) => event.data["verdict"]), ["on_time"]);
  let handedOver = 2500;
  world.rows = () => handedOver;
  await clock.advance(30_000);
  const still = watch.forecast(progress(10_000, 100_000));
  assert.deepEqual([still.verdict, still.etaMs, still.capNeededRows], ["at_risk", null, null]);
  assert.equal(watch.forecast(progress(10_000, null)).verdict, "none", "what has no deadline is not late for it");
  assert.equal(watch.forecast(progress(90_000, 100_000)).verdict, "late", "the whole cap would not do");
  assert.equal(watch.forecast(progress(0, -1)).verdict, "late", "its last rows are not home, and it is past");
  const told = said("files.deadline_judged").at(-1);
  assert.deepEqual([told?.level, told?.data["verdict"], told?.data["eta_ms"]], ["warn", "at_risk", null]);
  assert.match(
    told?.message ?? "",
    /may come late, and its deadline is in .*\. No row of a file has moved for ten seconds/,
  );
  handedOver += 400;
  await clock.advance(1000);
  assert.equal(
    watch.forecast(progress(10_000, 100_000)).verdict,
    "on_time",
    "the time of the standstill is no measure",
  );
  world.rows = () => handedOver += 500;
  await clock.advance(15_000);
  const verdicts = said("files.deadline_judged").map((event) => event.data["verdict"]);
  assert.deepEqual([verdicts.filter((one) => one === "at_risk").length, verdicts.at(-1)], [1, "on_time"]);
  watch.stop();
});

Deno.test("uncapped, too, a file with a deadline is at risk while nothing moves", async () => {
  const { clock, world, watch, start } = rig({ capRows: null });
  world.rowsPerSecond = 0;
  world.files = [["/a", progress(10_000, 100_000)]];
  await start();
  assert.equal(watch.forecast(progress(10_000, 100_000)).verdict, "none", "nothing is known at once");
  await clock.advance(11_000);
  assert.equal(watch.forecast(progress(10_000, 100_000)).verdict, "at_risk");
  watch.stop();
});

Deno.test("pace deadline: early by a sixth of the period, by weight, never above the cap nor below the floor", async () => {
  const folders = [{ path: "/a", weight: 1, everyMs: hourMs }, { path: "/b", weight: 3, everyMs: hourMs }];
  const { clock, world, watch, start } = rig({ pace: "deadline", folders });
  world.files = [["/a", progress(360_000, hourMs)]];
  await start();
  assert.deepEqual(world.caps, [120]);
  const forecast = watch.forecast(progress(360_000, hourMs));
  assert.equal(forecast.verdict, "on_time", "judged by the cap that is allowed");
  assert.equal(Math.round(forecast.etaMs ?? 0), 3_000_000, "at the rate that is in force");
  world.files = [["/a", { ...progress(360_000, hourMs), weightBusy: 4 }], ["/b", {
    ...progress(36_000, hourMs),
    weight: 3,
    weightBusy: 4,
  }]];
  await clock.advance(1000);
  assert.equal(world.caps.at(-1), 480, "a quarter of it is 120");
  world.files = [["/a", progress(9_000_000, hourMs)]];
  await clock.advance(1000);
  assert.equal(world.caps.at(-1), 500);
  world.files = [["/a", progress(360, hourMs)]];
  await clock.advance(1000);
  assert.equal(world.caps.at(-1), 50);
  world.files = [["/a", progress(9_000_000, hourMs)]];
  await clock.advance(1000);
  world.files = [];
  await clock.advance(1000);
  assert.equal(world.caps.at(-1), 50, "the next dump is begun gently");
  const changes = world.caps.length;
  await clock.advance(5000);
  assert.equal(world.caps.length, changes, "set only when it changes");
  watch.stop();
});

Deno.test("pace deadline: a folder without a deadline is read at the cap", async () => {
  const { clock, world, watch, start } = rig({ pace: "deadline" });
  await start();
  world.files = [["/a", progress(10_000, 100_000)], ["/b", progress(10_000, null)]];
  await clock.advance(1000);
  assert.deepEqual(world.caps, [50, 500]);
  watch.stop();
});

Deno.test("cap, floor, pace, weights and periods may change under a file that is read", async () => {
  const { clock, world, watch, start } = rig({ pace: "deadline" });
  world.files = [["/a", progress(360_000, hourMs)]];
  await start();
  const capsAfter = async (changes: Partial<DeadlineWatchOptions>) => {
    watch.change({ ...options, pace: "deadline", ...changes });
    world.caps.length = 0;
    await clock.advance(2000);
    return world.caps;
  };
  assert.deepEqual(await capsAfter({}), [120], "who changes the settings puts the whole cap in force");
  assert.deepEqual(await capsAfter({ floorRows: 200 }), [200]);
  assert.deepEqual(await capsAfter({ capRows: 100 }), [], "it needs all of it");
  assert.deepEqual(await capsAfter({ pace: "cap" }), []);
  const both = (weightA: number) => [
    { path: "/a", weight: weightA, everyMs: hourMs },
    { path: "/b", weight: 3, everyMs: hourMs },
  ];
  world.files = [["/a", progress(360_000, hourMs)], ["/b", progress(3_600, hourMs)]];
  assert.deepEqual(await capsAfter({ folders: both(1) }), [480]);
  assert.deepEqual(await capsAfter({ folders: both(3) }), [240]);
  world.files = [["/a", progress(360_000, hourMs)]];
  const late = [{ path: "/a", weight: 1, everyMs: 3 * hourMs }];
  // It has an hour left, of which half is to spare.
  assert.deepEqual(await capsAfter({ folders: late }), [200]);
  watch.stop();
});

Deno.test("dumps that are more than the cap lets through are told at the start and at each drop", async () => {
  const { clock, world, watch, start, said } = rig({}, 3_600_000);
  await start();
  const [atStart] = said("files.dumps_exceed_cap");
  assert.match(
    atStart?.message ?? "",
    /1,000 rows\/s come \(3,600,000 rows every 1 h in "\/a"\) and the cap is 500 rows\/s; --files-cap 1250\/s would do/,
  );
  world.files = [["/a", progress(2_699_000, 3_000_000)]];
  await clock.advance(10_000);
  assert.deepEqual(said("files.dumps_exceed_cap").map((event) => event.data["coming_rows"]), [1000, 750]);
  world.files = [];
  await clock.advance(1000);
  world.files = [["/a", progress(10_000, 3_000_000)]];
  await clock.advance(10_000);
  assert.equal(said("files.dumps_exceed_cap").length, 2, "a dump that fits is no news");
  watch.stop();
});

Deno.test("dumps that a change makes too many are told at the change, and not again at one that has nothing to do with it", async () => {
  const { watch, start, said } = rig({ folders: [{ path: "/a", weight: 1, everyMs: null }] }, 1_000_000);
  await start();
  assert.equal(said("files.dumps_exceed_cap").length, 0, "nobody said how often they come");
  watch.change({ ...options, capRows: 300, folders: [{ path: "/a", weight: 1, everyMs: hourMs }] });
  assert.equal(said("files.dumps_exceed_cap").length, 0, "300 rows/s are enough");
  watch.change({ ...options, capRows: 200, folders: [{ path: "/a", weight: 1, everyMs: hourMs }] });
  assert.match(said("files.dumps_exceed_cap")[0]?.message ?? "", /278 rows\/s come .* and the cap is 200 rows\/s/);
  watch.change({ ...options, capRows: 200, floorRows: 20, folders: [{ path: "/a", weight: 1, everyMs: hourMs }] });
  assert.equal(said("files.dumps_exceed_cap").length, 1);
  watch.stop();
});
