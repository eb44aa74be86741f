import assert from "node:assert/strict";
import fc from "fast-check";
import { seededDice } from "../../../src/core/dice.ts";
import { WeirError } from "../../../src/core/error.ts";
import { emitter, type Event } from "../../../src/core/event.ts";
import type { Reading } from "../../../src/core/reading.ts";
import { createNdjsonSink } from "../../../src/sink/ndjson/ndjson_sink.ts";
import { sinkContract } from "../../contract/sink_contract.ts";
import { failingDisk } from "../../support/failing_disk.ts";
import { eventually } from "../../support/servers.ts";
import { numberedReading, numberedReadings } from "../../support/readings.ts";
import { virtualClock } from "../../support/virtual_clock.ts";

/** A sink over a disk that can fail, in a folder of its own. */
async function setUp(before?: string) {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/out.ndjson`;
  if (before !== undefined) await Deno.writeTextFile(path, before);
  const clock = virtualClock();
  const disk = failingDisk();
  const events: Event[] = [];
  const delivered: Reading[] = [];
  const sink = createNdjsonSink({ path }, {
    clock,
    dice: seededDice(1),
    emit: emitter((event) => events.push(event)),
    openDisk: disk.openDisk,
  });
  return {
    folder,
    path,
    clock,
    disk,
    sink,
    events,
    delivered,
    names: () => events.map((event) => event.name),
    open: () =>
      sink.open({
        delivered: (_lane, readings) => delivered.push(...readings),
        rejected: (_lane, reading) => assert.fail(`${reading.id} was rejected`),
      }),
    /** Lets real I/O and virtual time go on. */
    async pass() {
      await new Promise((resolve) => setTimeout(resolve));
      await clock.advance(1_000);
    },
    async passUntil(condition: () => boolean) {
      await eventually("it is so", async () => {
        if (!condition()) await this.pass();
        return condition();
      });
    },
    lines: async () => (await Deno.readTextFile(path)).split("\n").slice(0, -1),
    async [Symbol.asyncDispose]() {
      await sink.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

sinkContract("ndjson", async () => {
  const at = await setUp();
  return {
    sink: at.sink,
    arrived: at.lines,
    peer: {
      away() {
        at.disk.roomBytes = 100;
        return Promise.resolve();
      },
      back() {
        at.disk.roomBytes = Infinity;
        return Promise.resolve();
      },
    },
    tooLarge: null,
    pass: at.pass,
    dispose: () => Deno.remove(at.folder, { recursive: true }),
  };
});

Deno.test("a reading is delivered only after a sync", async () => {
  await using at = await setUp();
  await at.open();
  at.disk.syncFails = true;
  at.sink.send("stream", [numberedReading("stream", 0)]);
  await at.passUntil(() => at.sink.status().retries > 0);
  assert.equal(at.delivered.length, 0);
  at.disk.syncFails = false;
  await at.passUntil(() => at.delivered.length === 1);
  assert.equal(at.disk.syncs, 1);
});

Deno.test("readings that come while a write is under way share the next sync", async () => {
  await using at = await setUp();
  await at.open();
  for (const reading of numberedReadings("stream", 0, 100)) at.sink.send("stream", [reading]);
  await at.passUntil(() => at.delivered.length === 100);
  assert.ok(at.disk.syncs <= 2, `${at.disk.syncs} syncs`);
});

Deno.test("a write that fails half-way leaves no line twice or torn, whatever fails and when", async () => {
  const fault = fc.record({
    room: fc.integer({ min: 0, max: 3_000 }),
    syncFails: fc.boolean(),
    truncateFails: fc.boolean(),
    writeBytesMax: fc.integer({ min: 1, max: 500 }),
    readings: fc.integer({ min: 1, max: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 5 }), async (faults) => {
      await using at = await setUp();
      await at.open();
      let sent = 0;
      for (const { room, syncFails, truncateFails, writeBytesMax, readings } of faults) {
        Object.assign(at.disk, { roomBytes: room, syncFails, truncateFails, writeBytesMax });
        at.sink.send("files", numberedReadings("files", sent, sent + readings));
        sent += readings;
        for (let i = 0; i < 3; i++) await at.pass();
      }
      Object.assign(at.disk, { roomBytes: Infinity, syncFails: false, truncateFails: false });
      await at.passUntil(() => at.delivered.length === sent);
      assert.deepEqual(await at.lines(), numberedReadings("files", 0, sent).map((reading) => reading.value));
    }),
    { numRuns: 25 },
  );
});

Deno.test("a full disk is said once, and that it is over once", async () => {
  await using at = await setUp();
  await at.open();
  at.disk.roomBytes = 10;
  at.sink.send("stream", numberedReadings("stream", 0, 5));
  await at.passUntil(() => at.sink.status().retries > 5);
  assert.match(at.sink.status().trouble ?? "", /No space left/);
  at.disk.roomBytes = Infinity;
  await at.passUntil(() => at.delivered.length === 5);
  assert.deepEqual(at.names(), ["ndjson.trouble_began", "ndjson.trouble_ended"]);
});

Deno.test("a last line torn by a crash is cut off at open, and said", async () => {
  await using at = await setUp('{"n":1}\n{"n":2,"to');
  await at.open();
  at.sink.send("stream", [numberedReading("stream", 3)]);
  await at.passUntil(() => at.delivered.length === 1);
  assert.deepEqual(await at.lines(), ['{"n":1}', numberedReading("stream", 3).value]);
  assert.deepEqual(at.names(), ["ndjson.line_cut"]);
});

Deno.test("a torn line longer than a chunk is cut off from its start", async () => {
  await using at = await setUp(`{"n":1}\n{"n":2,"long":"${"x".repeat(200_000)}`);
  await at.open();
  assert.equal(await Deno.readTextFile(at.path), '{"n":1}\n');
});

Deno.test("zeros that a power cut left at the end are cut off", async () => {
  await using at = await setUp('{"n":1}\n\0\0\0\0');
  await at.open();
  assert.equal(await Deno.readTextFile(at.path), '{"n":1}\n');
});

Deno.test("a last line that only lacks its newline is completed", async () => {
  await using at = await setUp('{"n":1}\n{"n":2}');
  await at.open();
  assert.equal(await Deno.readTextFile(at.path), '{"n":1}\n{"n":2}\n');
  assert.deepEqual(at.names(), ["ndjson.line_completed"]);
});

Deno.test("a file that does not end in JSON lines is left alone", async () => {
  await using at = await setUp("dear diary");
  await assert.rejects(at.open(), (error) => error instanceof WeirError && error.exitCode === 78);
  assert.equal(await Deno.readTextFile(at.path), "dear diary");
});

Deno.test("a path that cannot be opened ends the program with 78", async () => {
  for (const path of ["/nowhere/at/all.ndjson", "/tmp", "/dev/null/x", "/dev/null"]) {
    const sink = createNdjsonSink({ path }, { clock: virtualClock(), dice: seededDice(1), emit: () => {} });
    await assert.rejects(
      sink.open({ delivered() {}, rejected() {} }),
      (error) => error instanceof WeirError && error.exitCode === 78,
      path,
    );
    await sink.close();
  }
});

// Deno before 2.7 has no lock that does not wait: there this cannot be promised.
if ("tryLock" in Deno.FsFile.prototype) {
  Deno.test("two gateways cannot write to one file", async () => {
    await using at = await setUp();
    await at.open();
    const second = createNdjsonSink({ path: at.path }, { clock: at.clock, dice: seededDice(1), emit: () => {} });
    await assert.rejects(
      second.open({ delivered() {}, rejected() {} }),
      (error) => error instanceof WeirError && error.code === "locked",
    );
    await second.close();
  });
}

Deno.test("a file that is removed while it is written to is begun again", async () => {
  await using at = await setUp();
  await at.open();
  at.sink.send("stream", [numberedReading("stream", 0)]);
  await at.passUntil(() => at.delivered.length === 1);
  await Deno.remove(at.path);
  at.sink.send("stream", [numberedReading("stream", 1)]);
  await at.passUntil(() => at.delivered.length === 2);
  assert.deepEqual(await at.lines(), [numberedReading("stream", 1).value]);
  assert.deepEqual(at.names(), ["ndjson.file_removed"]);
});

Deno.test("check leaves nothing behind and names what is wrong", async () => {
  await using at = await setUp();
  assert.deepEqual((await at.sink.check()).map((finding) => finding.ok), [true]);
  await assert.rejects(Deno.stat(at.path), Deno.errors.NotFound);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(at.folder)), []);
  const lost = createNdjsonSink({ path: "/nowhere/out" }, { clock: at.clock, dice: seededDice(1), emit: () => {} });
  assert.match((await lost.check())[0]?.result ?? "", /nowhere.*No such file/);
});
