import assert from "node:assert/strict";
import { run } from "../../src/cli/run.ts";
import type { Settings } from "../../src/config/settings.ts";
import { WeirError } from "../../src/core/error.ts";
import { type FakeContext, fakeContext } from "./fake_context.ts";

const base = "files-dir: /dumps,weight=1\nsink: stdout\nfiles-cap: 500/s\n";

/** A run on a config file that the test rewrites. */
function running(refusal?: WeirError): {
  readonly fake: FakeContext;
  reload(text: string): Promise<void>;
  readonly taken: Settings[];
  stop(): Promise<number>;
} {
  const files: Record<string, string> = { "/place/weir.yaml": base };
  const taken: Settings[] = [];
  const fake = fakeContext(["--config", "weir.yaml"], {
    machine: { files },
    app: {
      reload(settings) {
        if (refusal !== undefined) throw refusal;
        taken.push(settings);
      },
    },
  });
  const code = run.run(fake.context);
  return {
    fake,
    taken,
    async reload(text) {
      await settled();
      files["/place/weir.yaml"] = text;
      fake.signal("SIGHUP");
      await settled();
    },
    stop() {
      fake.signal("SIGTERM");
      return code;
    },
  };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("SIGHUP takes over caps, weights, periods and rules from the config file, and says which", async () => {
  const { fake, taken, reload, stop } = running();
  await reload(
    "files-dir: '/dumps,weight=3,every=1h,cap=80/s'\nsink: stdout\nfiles-cap: 900/s\nfiles-cap-bytes: 2MB/s\nfiles-pace: deadline\nfiles-min: 90/s\nfilter: value > 1\n" +
      "set: unit='C'\n",
  );
  assert.equal(taken[0]?.files?.capRowsPerSecond, 900);
  assert.equal(taken[0]?.files?.pace, "deadline");
  assert.equal(taken[0]?.files?.minRowsPerSecond, 90);
  assert.equal(taken[0]?.files?.capBytesPerSecond, 2_000_000);
  assert.deepEqual(taken[0]?.files?.folders, [
    { path: "/dumps", weight: 3, periodMs: 3_600_000, capRowsPerSecond: 80 },
  ]);
  assert.equal(taken[0]?.readings.filter, "value > 1");
  assert.match(
    fake.err(),
    /read again: files-dir, files-cap, files-cap-bytes, files-pace, files-min, set, filter changed/,
  );
  assert.doesNotMatch(fake.err(), /only a restart/);
  assert.equal(await stop(), 0);
  assert.equal(fake.listeners(), 0);
});

Deno.test("what cannot change while it runs is named, at each reload until the restart, and stays as it was", async () => {
  const { fake, taken, reload, stop } = running();
  const text =
    "files-dir: [/elsewhere, '/dumps,weight=2,every=1h']\nsink: ndjson:out.ndjson\nfiles-cap: 900/s\nfiles-quiet: 5s\n";
  await reload(text);
  await reload(text);
  const said = fake.err().match(/only a restart takes it over: .*/g) ?? [];
  assert.deepEqual(said.length, 2);
  assert.match(said[1] ?? "", /files-dir, files-quiet, sink/);
  assert.match(fake.err(), /nothing that it takes over has changed/);
  assert.equal(taken[0]?.sink.kind, "stdout");
  assert.deepEqual(taken[0]?.files?.folders, [
    { path: "/dumps", weight: 2, periodMs: 3_600_000, capRowsPerSecond: null },
  ], "the folder that runs has its new weight and period, the other one waits");
  assert.equal(taken[0]?.files?.quietMs, 10_000);
  assert.equal(taken[0]?.files?.capRowsPerSecond, 900);
  await stop();
});

Deno.test("a config file that is wrong changes nothing, and all its mistakes are told", async () => {
  const { fake, taken, reload, stop } = running();
  await reload("files-dir: /dumps\nsink: stdout\nfiles-cap: fast\nfiles-mim: 1/s\n");
  assert.deepEqual(taken, []);
  assert.match(fake.err(), /those in force stay: .*files-cap.*/);
  assert.match(fake.err(), /files-mim/);
  assert.equal(await stop(), 0);
});

Deno.test("numbers that are impossible together change nothing and do not end the gateway", async () => {
  const { fake, reload, stop } = running(new WeirError("configuration", "Impossible numbers for the scheduler"));
  await reload(`${base}files-burst: 1\n`);
  assert.match(fake.err(), /those in force stay: Impossible numbers/);
  assert.equal(await stop(), 0);
});

Deno.test("after the stop has begun nothing is reloaded", async () => {
  const { fake, taken, reload, stop } = running();
  await settled();
  const code = stop();
  await reload(base);
  assert.deepEqual(taken, []);
  await code;
  assert.ok(!fake.seen.calls.includes("reload"));
});
