import assert from "node:assert/strict";
import fc from "fast-check";
import type { EventData, Level } from "../../src/core/event.ts";
import { createLog, type LogOptions } from "../../src/ops/log.ts";
import { virtualClock } from "../support/virtual_clock.ts";

function logged(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const clock = virtualClock();
  const log = createLog({
    format: "text",
    level: "debug",
    colour: false,
    clock,
    write: (line) => lines.push(line),
    ...options,
  });
  const take = (level: Level, name: string, message: string, data: EventData = {}) =>
    log.take({ level, name, message, data });
  return { log, clock, lines, take };
}

Deno.test("text has the time, the level, the message, and of the data what the message does not say", () => {
  const { lines, take } = logged();
  take("info", "files.file_finished", 'Finished "a.csv": 1,234 rows', {
    file: "a.csv",
    rows: 1234,
    took_ms: 56,
    verdict: null,
  });
  take("error", "kafka.trouble_began", "Kafka is away", { broker: "k 1" });
  assert.deepEqual(lines, [
    '2026-01-01T00:00:00.000Z info  Finished "a.csv": 1,234 rows  (took_ms=56)\n',
    '2026-01-01T00:00:00.000Z ERROR Kafka is away  (broker="k 1")\n',
  ]);
});

Deno.test("the journal gets priorities and no time", () => {
  const { lines, take } = logged({ format: "journal" });
  for (const level of ["debug", "info", "warn", "error"] as const) take(level, "a.b", "Hello", { n: 1 });
  assert.deepEqual(lines, ["<7>Hello (n=1)\n", "<6>Hello (n=1)\n", "<4>Hello (n=1)\n", "<3>Hello (n=1)\n"]);
});

Deno.test("JSON has everything", () => {
  const { lines, take } = logged({ format: "json" });
  take("warn", "a.b", "Hello", { n: 1, s: "x" });
  assert.deepEqual(JSON.parse(lines[0] ?? ""), {
    time: "2026-01-01T00:00:00.000Z",
    level: "warn",
    event: "a.b",
    message: "Hello",
    data: { n: 1, s: "x" },
  });
});

Deno.test("what is below the level is not written", () => {
  const { lines, take } = logged({ level: "warn" });
  take("info", "a.b", "no");
  take("warn", "a.b", "yes");
  assert.equal(lines.length, 1);
});

Deno.test("colours are there only when wanted", () => {
  const { lines, take } = logged({ colour: true });
  take("error", "a.b", "Hello");
  assert.ok(lines[0]?.includes("\u001b[1;31mERROR\u001b[0m"));
});

Deno.test("whatever an event holds is one line without control characters, in every format", () => {
  // Few of all characters are hostile: most of these are.
  const characters = ["\u001b", "\n", "\r", "\u007f", "\u009b", "\u202e", "\u2028", "\u{e0001}", "\ud800", '"', "\\"];
  const hostile = fc.string({
    unit: fc.oneof(fc.constantFrom(...characters), fc.string({ unit: "binary", minLength: 1, maxLength: 1 })),
    maxLength: 40,
  });
  fc.assert(
    fc.property(
      fc.constantFrom("text", "journal", "json"),
      hostile,
      hostile,
      hostile,
      (format, message, key, value) => {
        const { lines, take } = logged({ format });
        take("info", "a.b", message, { [key]: value });
        assert.equal(lines.length, 1);
        assert.match(lines[0] ?? "", /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*\n$/u);
        if (format === "json") assert.equal(JSON.parse(lines[0] ?? "").message, message);
      },
    ),
  );
});

Deno.test("an event that repeats itself is cut short, and what was left out is counted once its minute is over", () => {
  const { lines, take, clock } = logged();
  for (let i = 0; i < 130; i++) take("warn", "mqtt.message_refused", "Refused");
  take("info", "other.thing", "Hello");
  assert.equal(lines.length, 31);
  clock.advanceSync(60_000);
  take("warn", "mqtt.message_refused", "Refused");
  assert.match(lines[31] ?? "", /WARN {2}100 more lines like the last "mqtt\.message_refused" were left out/);
  assert.equal(lines.length, 33);
});

Deno.test("what was left out is told at the end", () => {
  const { lines, take, log } = logged();
  for (let i = 0; i < 35; i++) take("error", "a.b", "Again");
  log.flush();
  assert.match(lines.at(-1) ?? "", /ERROR 5 more lines/);
});

Deno.test("lines written and lines left out add up to the events, whatever comes when", () => {
  const step = fc.record({ name: fc.constantFrom("a.a", "b.b", "c.c"), waitMs: fc.nat({ max: 4000 }) });
  fc.assert(fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
    const { lines, take, log, clock } = logged({ format: "json" });
    for (const { name, waitMs } of steps) {
      clock.advanceSync(waitMs);
      take("info", name, "x");
    }
    log.flush();
    const events = lines.map((line) => JSON.parse(line));
    const leftOut = events.filter((one) => one.event === "log.lines_left_out");
    const told = leftOut.reduce((sum, one) => sum + one.data.left_out, 0);
    assert.equal(events.length - leftOut.length + told, steps.length);
  }));
});
