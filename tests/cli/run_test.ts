import assert from "node:assert/strict";
import { run } from "../../src/cli/run.ts";
import { WeirError } from "../../src/core/error.ts";
import { fakeContext, fakeStatus } from "./fake_context.ts";

const args = ["--files-dir", "/dumps", "--sink", "stdout", "--drain-timeout", "5s"];

/** Lets what is ready run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("run streams until a signal, then drains within its time and leaves with 0", async () => {
  const fake = fakeContext(args);
  const code = run.run(fake.context);
  await settled();
  assert.deepEqual(fake.seen.calls, ["start"]);
  fake.signal("SIGTERM");
  assert.equal(await code, 0);
  assert.deepEqual(fake.seen.calls, ["start", "stop 5000"]);
  assert.match(fake.err(), /Stopping: SIGTERM/);
  assert.match(fake.err(), /nothing is left on its way/);
  assert.equal(fake.listeners(), 0);
  assert.equal(fake.clock.timers, 0);
});

Deno.test("a drain that runs out of time leaves with 75 and says how much comes again", async () => {
  const fake = fakeContext(args, { app: { stop: () => Promise.resolve(false), status: () => fakeStatus(7) } });
  const code = run.run(fake.context);
  await settled();
  fake.signal("SIGINT");
  assert.equal(await code, 75);
  assert.match(fake.err(), /Stopped with 7 readings on their way: they come again/);
});

Deno.test("a second signal gives up what is on its way, and leaves even when closing hangs", async () => {
  const fake = fakeContext(args, { app: { stop: () => new Promise(() => {}) } });
  const code = run.run(fake.context);
  await settled();
  fake.signal("SIGINT");
  await settled();
  assert.ok(!fake.seen.calls.includes("abort"));
  fake.signal("SIGINT");
  await settled();
  assert.deepEqual(fake.seen.calls, ["start", "stop 5000", "abort"]);
  await fake.clock.advance(1000);
  assert.equal(await code, 75);
});

Deno.test("a signal while it starts is not lost", async () => {
  const started = Promise.withResolvers<void>();
  const fake = fakeContext(args, { app: { start: () => started.promise } });
  const code = run.run(fake.context);
  fake.signal("SIGTERM");
  started.resolve();
  assert.equal(await code, 0);
  assert.deepEqual(fake.seen.calls, ["start", "stop 5000"]);
});

Deno.test("--once leaves when everything there is has been read", async () => {
  const finished = Promise.withResolvers<void>();
  const fake = fakeContext([...args, "--once"], { app: { finished: () => finished.promise } });
  const code = run.run(fake.context);
  await settled();
  assert.deepEqual(fake.seen.calls, ["start"]);
  finished.resolve();
  assert.equal(await code, 0);
});

Deno.test("without --once having nothing to read is no reason to leave", async () => {
  const fake = fakeContext(args, { app: { finished: () => Promise.resolve() } });
  const code = run.run(fake.context);
  await settled();
  assert.deepEqual(fake.seen.calls, ["start"]);
  fake.signal("SIGTERM");
  await code;
});

Deno.test("every minute and at the end the sums are told, and they add up", async () => {
  const fake = fakeContext(args);
  const code = run.run(fake.context);
  await settled();
  const line = /real_time: 1,005 read = 1,003 delivered \+ 0 filtered \+ 2 dead-lettered \+ 0 dropped \+ 0 open/g;
  await fake.clock.advance(59_000);
  assert.equal([...fake.err().matchAll(line)].length, 0);
  await fake.clock.advance(121_000);
  assert.equal([...fake.err().matchAll(line)].length, 3);
  fake.signal("SIGTERM");
  await code;
  assert.equal([...fake.err().matchAll(line)].length, 4);
});

Deno.test("mistakes are told with 78 before an app is made", async () => {
  const fake = fakeContext(["--mqtt-ulr", "x"]);
  assert.equal(await run.run(fake.context), 78);
  assert.match(fake.err(), /Did you mean --mqtt-url\?/);
  assert.equal(fake.seen.settings, null);
  assert.equal(fake.listeners(), 0);
});

Deno.test("an app that refuses to start is passed on, and nobody listens any more", async () => {
  const locked = new WeirError("locked", "A second instance");
  const fake = fakeContext(args, { app: { start: () => Promise.reject(locked) } });
  await assert.rejects(run.run(fake.context), locked);
  assert.equal(fake.listeners(), 0);
});

Deno.test("under systemd the log is for the journal, unless it is told otherwise", async () => {
  const logOf = async (environment: Readonly<Record<string, string>>, more: readonly string[] = []) => {
    const fake = fakeContext([...args, "--once", ...more], {
      machine: { environment },
      app: { finished: () => Promise.resolve() },
    });
    await run.run(fake.context);
    return fake.err();
  };
  assert.match(await logOf({ JOURNAL_STREAM: "8:1" }), /^<6>Stopping/);
  assert.match(await logOf({}), /^2026-01-01T00:00:00.000Z info {2}Stopping/);
  assert.match(await logOf({ JOURNAL_STREAM: "8:1" }, ["--log-format", "json"]), /^\{"time"/);
  assert.equal(await logOf({}, ["--log-level", "error"]), "");
});

Deno.test("help goes to stdout with 0", async () => {
  const fake = fakeContext(["--help"]);
  assert.equal(await run.run(fake.context), 0);
  assert.match(fake.out(), /^weir run: /);
  assert.equal(fake.err(), "");
});

Deno.test("run logs what is wrong with settings that it can run with", async () => {
  const machine = { files: { "/pw": "hunter2\n" }, modes: { "/pw": 0o644 } };
  const secret = [
    "--mqtt-url",
    "mqtt://127.0.0.1",
    "--mqtt-topic",
    "a",
    "--mqtt-username",
    "u",
    "--mqtt-password-file",
    "/pw",
  ];
  const fake = fakeContext([...args, ...secret], { machine });
  const running = run.run(fake.context);
  await fake.clock.advance(0);
  fake.signal("SIGTERM");
  await fake.clock.advance(0);
  assert.equal(await running, 0);
  assert.match(fake.err(), /WARN {2}The secret in "\/pw" is open to everybody on this machine/);
});
