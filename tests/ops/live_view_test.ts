import assert from "node:assert/strict";
import fc from "fast-check";
import type { AppStatus, FileStatus, SpoolStatus } from "../../src/core/status.ts";
import { type LiveOptions, renderLive, renderPlain } from "../../src/ops/live_view.ts";
import { clip, uncoloured, widthOf } from "../../src/ops/screen_text.ts";

const options: LiveOptions = { columns: 80, rows: 24, colour: false, unicode: false, endsAtMs: 30_000 };

function file(changes: Partial<FileStatus> = {}): FileStatus {
  return {
    folder: "/dumps/historian",
    name: "historian-001.csv",
    sizeBytes: 100_000,
    readBytes: 57_000,
    rowsRead: 3101,
    rowsFinished: 3000,
    badRows: 2,
    rowsEstimated: 5440,
    etaMs: 6200,
    verdict: "none",
    ...changes,
  };
}

/** The status after `seconds` of 180 stream readings and 500 file rows a second. */
function status(seconds: number, changes: Partial<AppStatus> = {}, files: readonly FileStatus[] = [file()]): AppStatus {
  const sums = (read: number, dead: number) => ({
    read,
    delivered: read - dead,
    filtered: 0,
    dead_lettered: dead,
    dropped: 0,
    open: 0,
  });
  return {
    gateway: "demo",
    upMs: seconds * 1000,
    sums: { real_time: sums(180 * seconds, 3), batch: sums(500 * seconds, 4) },
    capRows: 500,
    floorRows: 50,
    streamDelay: { count: 1800, p50Ms: 1.94, p99Ms: 6.2, maxMs: 9 },
    sources: [
      {
        kind: "mqtt",
        connected: true,
        protocolVersion: 4,
        pendingMessages: 1,
        pendingBytes: 100,
        inboxReadings: 0,
        reconnects: 0,
      },
      { kind: "files", active: files, waitingFiles: 2, waitingBytes: 1_258_291, doneFiles: 1, quarantinedFiles: 0 },
    ],
    sink: { kind: "ndjson", connected: true, trouble: null, inFlightReadings: 23, retries: 0, throttledMs: 0 },
    ...changes,
  };
}

/** Ten seconds, a status every quarter of one. */
function history(changes: Partial<AppStatus> = {}, files: readonly FileStatus[] = [file()]): AppStatus[] {
  return Array.from({ length: 41 }, (_, i) => status(i / 4, changes, files));
}

Deno.test("at 80 columns two rivers with their rates join before the sink, and each file has its bar and ETA", () => {
  const files = [file(), file({ name: "shopfloor-002.ndjson", readBytes: 3000, etaMs: null })];
  assert.deepEqual(renderLive(history({}, files), options), [
    "  Weir | demo                                                          20 s left",
    "",
    "  real_time      180/s         ---------  ==============+",
    "    delay p50 1.9 ms | p99 6.2 ms                       |",
    "                                                        +==> ndjson      680/s",
    "    cap 500/s  ########## 100 %                         |    6,793 delivered",
    "  batch          500/s         #########  ==============+",
    "",
    "  historian-001.csv                      #########.......  57 %  7 s left",
    "  shopfloor-002.ndjson                   ................   3 %  ETA unknown",
    "  1 file done | 2 waiting (1.2 MiB)",
    "  in flight 23 | dead letters 7 | filtered 0",
  ]);
});

Deno.test("what waits on disk has a line of its own, and none where nothing does", () => {
  const spool: SpoolStatus = {
    ...{ readings: 12_345, bytes: 7e6, bytesMax: 268_435_456, oldestAgeMs: 95_000, droppedReadings: 0 },
    ...{ stillTopics: 3, stuck: null },
  };
  const line = (changes: Partial<SpoolStatus>) =>
    renderLive(history({ spool: { ...spool, ...changes } }), options).find((text) => text.includes("spool"));
  assert.equal(line({}), "  spool 12,345 readings on disk (6.7 MiB of 256 MiB), oldest 1 min 35 s");
  assert.match(line({ droppedReadings: 7, stuck: "full", oldestAgeMs: null }) ?? "", /256 MiB\) \| full \| 7 dropped$/);
  assert.match(renderPlain(history({ spool })), /; spool 12,345 readings on disk \(6\.7 MiB of 256 MiB\), oldest/);
  assert.equal(line({ readings: 0, bytes: 0, oldestAgeMs: null }), undefined);
});

Deno.test("at 40 columns the rivers flow into the sink one after the other", () => {
  assert.deepEqual(renderLive(history(), { ...options, columns: 40 }), [
    "  Weir | demo                  20 s left",
    "",
    "  real_time      180/s  ===============+",
    "    delay p50 1.9 ms | p99 6.2 ms      |",
    "  batch          500/s  ===============+",
    "    cap 500/s  ########## 100 %        |",
    "  ndjson         680/s               <=+",
    "",
    "  historian-0~  ###..  57 %  7 s left",
    "  1 file done | 2 waiting (1.2 MiB)",
    "  in flight 23 | dead letters 7 | filte~",
  ]);
});

Deno.test("where there is no room for a bar and a verdict, a verdict that is not good is shown", () => {
  const lineOf = (verdict: FileStatus["verdict"]) =>
    renderLive(history({}, [file({ verdict })]), { ...options, columns: 46 }).find((text) =>
      text.includes("historian")
    );
  assert.match(lineOf("late") ?? "", /^ {2}historian-0\S* +57 % +7 s left +late$/);
  assert.match(lineOf("on_time") ?? "", /^ {2}historian\S* +#+\.+ +57 % +7 s left$/);
});

Deno.test("at 120 columns a file shows its rows, its bad rows and whether it makes its deadline", () => {
  const lines = renderLive(history({}, [file({ verdict: "at_risk" })]), { ...options, columns: 120 });
  const line = lines.find((text) => text.includes("historian")) ?? "";
  assert.match(line, /historian-001\.csv +#+\.+ +57 % +3,101 rows +7 s left +2 bad +at risk$/);
});

Deno.test("box characters stand in the very places of the ASCII ones", () => {
  const ascii = renderLive(history(), options);
  const unicode = renderLive(history(), { ...options, unicode: true });
  assert.deepEqual(unicode.map(widthOf), ascii.map(widthOf));
  assert.match(unicode.join("\n"), /\u2501\u2513[^]*\u2503[^]*\u2523\u2501\u2501\u25ba ndjson[^]*\u251b/u);
  assert.match(ascii.join(""), /^[ -~]*$/, "the other one is ASCII only");
});

Deno.test("colours change nothing but the look", () => {
  const coloured = renderLive(history(), { ...options, colour: true });
  assert.deepEqual(coloured.map(uncoloured), renderLive(history(), options));
  assert.ok(coloured.some((line) => line.includes("\u001b[36m")));
});

Deno.test("hostile file, gateway and sink names reach the terminal escaped and never move it", () => {
  const hostile = "\u001b[2J\u202e\r\nevil\u0007.csv";
  const changes: Partial<AppStatus> = {
    gateway: hostile,
    sink: { ...status(1).sink, kind: hostile, trouble: hostile },
  };
  const lines = renderLive(history(changes, [file({ name: hostile })]), { ...options, columns: 200 });
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(lines.join(""), /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.match(lines.join("\n"), /\\u001b\[2J\\u202e\\u000d\\u000aevil\\u0007\.csv/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(renderPlain(history(changes, [file({ name: hostile })])), /[\u0000-\u001f\u202e]/);
});

Deno.test("the line for a log names the first files only", () => {
  const files = Array.from({ length: 9 }, (_, i) => file({ name: `f${i}.csv`, verdict: i < 6 ? "late" : "none" }));
  assert.match(
    renderPlain(history({}, files)),
    /; f4\.csv 57 % \([^)]*\); 4 more files are being read, 1 of them late or at risk$/,
  );
});

Deno.test("no line is ever wider than the terminal, nor are there more lines than it has", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 250 }),
    fc.integer({ min: 1, max: 60 }),
    fc.boolean(),
    fc.array(fc.string({ unit: "binary", maxLength: 80 }), { maxLength: 40 }),
    fc.nat({ max: 2 ** 40 }),
    (columns, rows, unicode, names, rowsRead) => {
      const files = names.map((name) => file({ name, rowsRead, verdict: "late", etaMs: rowsRead }));
      const lines = renderLive(history({}, files), { ...options, columns, rows, unicode, colour: true });
      assert.ok(lines.length <= Math.max(0, rows - 1), `${lines.length} lines`);
      for (const line of lines) assert.ok(widthOf(uncoloured(line)) <= columns, `${columns}: ${JSON.stringify(line)}`);
    },
  ));
});

Deno.test("files that find no room are counted, the sums stay", () => {
  const files = Array.from({ length: 30 }, (_, i) => file({ name: `f-${i}.csv` }));
  const lines = renderLive(history({}, files), options);
  assert.equal(lines.length, 23);
  assert.ok(lines.includes("  18 more files are being read"), lines.join("\n"));
  assert.match(lines.at(-1) ?? "", /in flight 23/);
});

Deno.test("what is not known is said, not guessed", () => {
  const calm = renderLive(
    history({ capRows: null, streamDelay: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 } }, [
      file({ etaMs: null, sizeBytes: 0 }),
    ]),
    options,
  ).join("\n");
  assert.match(calm, /no cap/);
  assert.match(calm, /no delay measured/);
  assert.match(calm, /\? % +ETA unknown/);
});

Deno.test("a river that does not flow lies dry", () => {
  const still = Array.from({ length: 20 }, (_, i) => ({ ...status(5), upMs: 5000 + i * 250 }));
  const lines = renderLive(still, options);
  assert.match(lines[2] ?? "", /real_time +0\/s +-+\+$/);
  assert.match(lines[6] ?? "", /batch +0\/s +-+\+$/);
});

Deno.test("trouble with a peer stands in the last lines until it is over", () => {
  const [mqtt, files] = status(1).sources;
  assert.ok(mqtt?.kind === "mqtt" && files !== undefined);
  const lines = renderLive(
    history({
      sources: [{ ...mqtt, connected: false }, files],
      sink: { ...status(1).sink, connected: false, trouble: 'Topic "readings" is unknown' },
    }),
    options,
  );
  assert.deepEqual(lines.slice(-2), ["  MQTT is not connected", '  Sink ndjson: Topic "readings" is unknown']);
});

Deno.test("streams alone, files alone and the very first status can be drawn", () => {
  for (const sources of [[], status(1).sources.slice(0, 1), status(1).sources.slice(1)]) {
    assert.ok(renderLive([status(0, { sources })], options).length >= 9);
  }
  assert.deepEqual(renderLive([], options), []);
  assert.equal(renderPlain([]), "");
});

Deno.test("the plain line holds all figures", () => {
  assert.equal(
    renderPlain(history()),
    "up 10 s; real_time 180/s (delay p50 1.9 ms, p99 6.2 ms); batch 500/s (cap 500/s); delivered 6,793; dead letters 7; " +
      "historian-001.csv 57 % (7 s left)",
  );
});

Deno.test("a clipped line is as wide as it may be and ends its colours", () => {
  assert.equal(clip("\u001b[33mWARN\u001b[0m all is well", 16), "\u001b[33mWARN\u001b[0m all is well");
  assert.equal(clip("\u001b[33mWARN\u001b[0m all is well", 15), "\u001b[33mWARN\u001b[0m all is ...\u001b[0m");
  assert.equal(clip("no colours at all", 10), "no colo...");
});
