import assert from "node:assert/strict";
import { seededDice } from "../../../src/core/dice.ts";
import { emitter, type Event } from "../../../src/core/event.ts";
import type { Reading } from "../../../src/core/reading.ts";
import { createStdoutSink } from "../../../src/sink/stdout/stdout_sink.ts";
import { sinkContract } from "../../contract/sink_contract.ts";
import { numberedReading, numberedReadings } from "../../support/readings.ts";
import { virtualClock } from "../../support/virtual_clock.ts";

/** A sink into a pipe that takes a few bytes at a time and can be told to fail. */
function setUp() {
  const clock = virtualClock();
  const events: Event[] = [];
  const delivered: Reading[] = [];
  const pipe = { text: "", failure: null as Error | null, closedTold: 0 };
  const decoder = new TextDecoder();
  const sink = createStdoutSink({
    write(bytes) {
      if (pipe.failure !== null) return Promise.reject(pipe.failure);
      const taken = bytes.subarray(0, 700);
      pipe.text += decoder.decode(taken, { stream: true });
      return Promise.resolve(taken.byteLength);
    },
  }, {
    clock,
    dice: seededDice(1),
    emit: emitter((event) => events.push(event)),
    onClosed: () => pipe.closedTold += 1,
  });
  const report = {
    delivered: (_lane: unknown, readings: readonly Reading[]) => void delivered.push(...readings),
    rejected: () => assert.fail("rejected"),
  };
  return { clock, events, delivered, pipe, sink, report, lines: () => pipe.text.split("\n").slice(0, -1) };
}

sinkContract("stdout", () => {
  const at = setUp();
  return Promise.resolve({
    sink: at.sink,
    arrived: () => Promise.resolve(at.lines()),
    peer: {
      away() {
        at.pipe.failure = new Error("No space left on device (os error 28)");
        return Promise.resolve();
      },
      back() {
        at.pipe.failure = null;
        return Promise.resolve();
      },
    },
    tooLarge: null,
    pass: () => at.clock.advance(1_000),
    dispose: () => Promise.resolve(),
  });
});

Deno.test("a write that fails half-way goes on where it stopped: no line twice or torn", async () => {
  const at = setUp();
  await at.sink.open(at.report);
  at.sink.send("stream", [numberedReading("stream", 0, "d", 2_000)]);
  at.pipe.failure = new Error("Resource temporarily unavailable (os error 11)");
  await at.clock.advance(100);
  at.pipe.failure = null;
  await at.clock.advance(10_000);
  assert.deepEqual(at.lines(), [numberedReading("stream", 0, "d", 2_000).value]);
  assert.equal(at.delivered.length, 1);
  await at.sink.close();
});

Deno.test("a closed pipe is said once, its owner is told once, and nothing is reported any more", async () => {
  const at = setUp();
  await at.sink.open(at.report);
  at.pipe.failure = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  at.sink.send("stream", numberedReadings("stream", 0, 3));
  await at.clock.advance(60_000);
  at.sink.send("stream", numberedReadings("stream", 3, 6));
  await at.clock.advance(60_000);
  assert.equal(at.pipe.closedTold, 1);
  assert.deepEqual(at.events.map((event) => event.name), ["stdout.closed"]);
  assert.equal(at.delivered.length, 0);
  assert.equal(at.sink.status().connected, false);
  assert.equal(at.sink.status().inFlightReadings, 6);
  const flushed = at.sink.flush();
  await at.sink.close();
  await flushed;
});
