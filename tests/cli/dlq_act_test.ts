import assert from "node:assert/strict";
import { dlqPurge } from "../../src/cli/dlq_purge.ts";
import { dlqReplay } from "../../src/cli/dlq_replay.ts";
import type { ReplayRequest } from "../../src/core/replay.ts";
import type { LetterFilter } from "../../src/core/store.ts";
import { fakeContext, type FakeOptions } from "./fake_context.ts";

const request: ReplayRequest = {
  number: 3,
  filter: {},
  ratePerSecond: 50,
  lastLetter: 90,
  atLetter: 0,
  total: 1200,
  delivered: 0,
  filtered: 0,
  failed: 0,
  done: false,
  askedAtMs: 0,
};

/** A desk with so many letters, and what was removed of them. */
function deskOf(count: number) {
  const removed: { readonly filter: LetterFilter; readonly limit: number }[] = [];
  let left = count;
  const desk: NonNullable<FakeOptions["desk"]> = {
    letterCount: () => Promise.resolve({ letters: count, bytes: 2048 }),
    removeLetters(filter, limit) {
      removed.push({ filter, limit });
      const gone = Math.min(limit, left);
      left -= gone;
      return Promise.resolve(gone);
    },
  };
  return { desk, removed };
}

Deno.test("purge deletes in small steps what the filter names, and says how many went", async () => {
  const { desk, removed } = deskOf(1_234);
  const fake = fakeContext(["--reason", "bad_csv", "--state-dir", "/s"], { desk });
  assert.equal(await dlqPurge.run(fake.context), 0);
  assert.match(fake.out(), /^1,234 dead letters deleted/);
  assert.deepEqual(removed.map(({ limit }) => limit), [500, 500, 234]);
  assert.deepEqual(removed[0]?.filter, { reason: "bad_csv" });
  assert.deepEqual(fake.seen.calls.filter((call) => !call.startsWith("ask")), ["desk /s", "close"]);
});

Deno.test("purge of everything must be asked for, and not together with a filter", async () => {
  for (const args of [[], ["--all", "--origin", "batch"], ["--reason", "nonsense"], ["stray", "--all"]]) {
    const fake = fakeContext(args, { desk: deskOf(5).desk });
    assert.equal(await dlqPurge.run(fake.context), 78, args.join(" "));
    assert.match(fake.err(), /^weir: 1 mistake /);
    assert.deepEqual(fake.seen.calls, []);
  }
});

Deno.test("at a terminal purge asks first, and anything but yes deletes nothing", async () => {
  for (const [answer, gone] of [["", 0], ["no", 0], ["yes", 5], [" Y ", 5]] as const) {
    const { desk, removed } = deskOf(5);
    const fake = fakeContext(["--all"], { desk, answer });
    assert.equal(await dlqPurge.run(fake.context), 0);
    assert.ok(fake.seen.calls.some((call) => call.startsWith("ask Delete 5 dead letters (2 KiB)")));
    assert.equal(removed.length > 0 ? 5 : 0, gone, answer);
  }
  const { desk, removed } = deskOf(5);
  const fake = fakeContext(["--all", "--yes"], { desk, answer: "no" });
  await dlqPurge.run(fake.context);
  assert.equal(removed.length, 1);
  assert.ok(!fake.seen.calls.some((call) => call.startsWith("ask")));
});

Deno.test("replay passes filter and rate on, shows how far it is, and ends with the sums", async () => {
  const { desk } = deskOf(1_200);
  let looks = 0;
  let asked: unknown = null;
  const fake = fakeContext(["--source", "/a", "--rate", "7/s"], {
    desk: {
      ...desk,
      askReplay(wish) {
        asked = wish;
        return Promise.resolve(request);
      },
      replay() {
        looks += 1;
        return Promise.resolve({ ...request, delivered: looks * 20, failed: looks, done: looks === 40 });
      },
    },
  });
  const ran = dlqReplay.run(fake.context);
  await fake.clock.advance(60_000);
  assert.equal(await ran, 0);
  assert.deepEqual(asked, { filter: { source: "/a" }, ratePerSecond: 7 });
  assert.match(fake.out(), /^Asked the gateway to replay 1,200 dead letters/);
  assert.match(fake.out(), /\n231 of 1,200 replayed: 220 delivered again, 0 filtered, 11 failed again\n/);
  assert.match(fake.out(), /840 replayed: 800 delivered again, 0 filtered, 40 failed again\. Those that failed stay/);
  assert.equal(fake.listeners(), 0);
  assert.equal(fake.seen.calls.at(-1), "close");
});

Deno.test("Ctrl-C leaves the replay to the gateway", async () => {
  const { desk } = deskOf(5);
  const fake = fakeContext([], {
    desk: { ...desk, askReplay: () => Promise.resolve(request), replay: () => Promise.resolve(request) },
  });
  const ran = dlqReplay.run(fake.context);
  await fake.clock.advance(700);
  fake.signal("SIGINT");
  await fake.clock.advance(0);
  assert.equal(await ran, 0);
  assert.match(fake.out(), /The gateway goes on with the replay/);
  assert.equal(fake.listeners(), 0);
});

Deno.test("Ctrl-C while the gateway is asked leaves the replay to it, too", async () => {
  const { desk } = deskOf(5);
  const fake = fakeContext([], {
    desk: {
      ...desk,
      askReplay() {
        fake.signal("SIGINT");
        return Promise.resolve(request);
      },
      replay: () => Promise.resolve(request),
    },
  });
  assert.equal(await dlqReplay.run(fake.context), 0);
  assert.match(fake.out(), /^Asked the gateway .*\nThe gateway goes on with the replay/);
});

Deno.test("without a running gateway replay leaves with 69 and what to do, also when it ends meanwhile", async () => {
  const { desk } = deskOf(5);
  const none = fakeContext(["--state-dir", "/s"], { desk: { ...desk, gatewayRuns: () => Promise.resolve(false) } });
  await assert.rejects(dlqReplay.run(none.context), (error) => {
    assert.ok(error instanceof Error && "exitCode" in error && "advice" in error);
    assert.equal(error.exitCode, 69);
    assert.match(String(error.advice), /weir run with --state-dir "\/s"/);
    return true;
  });

  let asked = 0;
  const dies = fakeContext([], {
    desk: {
      ...desk,
      gatewayRuns: () => Promise.resolve((asked += 1) === 1),
      askReplay: () => Promise.resolve(request),
      replay: () => Promise.resolve(request),
    },
  });
  const ran = dlqReplay.run(dies.context);
  await dies.clock.advance(10_000);
  assert.equal(await ran, 69);
  assert.match(dies.err(), /goes on with the replay when it is started again/);
});

Deno.test("nothing that matches is no mistake, and nobody is asked", async () => {
  for (const command of [dlqReplay, dlqPurge]) {
    const fake = fakeContext(["--origin", "batch"], { desk: {} });
    assert.equal(await command.run(fake.context), 0);
    assert.equal(fake.out(), "No dead letters match.\n");
  }
});
