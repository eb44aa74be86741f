import assert from "node:assert/strict";
import { WeirError } from "../../src/core/error.ts";
import { createLetterRetention } from "../../src/store/letter_retention.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { letters } from "../support/ledger_values.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const day = 86_400_000;

function rig(keepForMs: number | null) {
  const clock = virtualClock();
  const store = memoryLedger({ clock, deadLetterBytesMax: 1e8 });
  const said: string[] = [];
  const retention = createLetterRetention({
    store,
    clock,
    keepForMs,
    emit: (_level, name, text) => said.push(`${name}: ${text}`),
  });
  const arrive = (count: number, from: number) =>
    store.append(letters("batch", count, from).map((one) => ({ ...one, arrivedAtMs: clock.wallMs() })));
  const kept = async () => (await store.letterCount({})).letters;
  return { clock, store, said, retention, arrive, kept };
}

Deno.test("letters older than they are kept go, the others stay, and it is said once a day at most", async () => {
  const { clock, said, retention, arrive, kept } = rig(30 * day);
  await arrive(1200, 0);
  retention.start();
  await clock.advance(29 * day);
  assert.equal(await kept(), 1200);
  await arrive(5, 2000);
  for (let i = 0; i < 10; i++) {
    await arrive(1, 3000 + i);
    await clock.advance(3_600_000);
  }
  await clock.advance(day);
  assert.equal(await kept(), 15);
  await clock.advance(29 * day);
  assert.equal(await kept(), 0);
  await clock.advance(2 * day);
  assert.equal(retention.expired, 1215);
  assert.match(said[0] ?? "", /^letters\.expired: 1,200 dead letters were deleted: .* 30 d ago/);
  assert.ok(said.length <= 3, said.join("\n"));
  await retention.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("none keeps them, and a letter from before the clock was set has no age", async () => {
  const none = rig(null);
  await none.arrive(1, 0);
  none.retention.start();
  await none.clock.advance(400 * day);
  assert.equal(await none.kept(), 1);
  await none.retention.stop();

  const unset = rig(day);
  await unset.store.append(letters("batch", 3));
  unset.retention.start();
  await unset.clock.advance(10 * day);
  assert.equal(await unset.kept(), 3);
  await unset.retention.stop();
});

Deno.test("a ledger that cannot be written is said once and tried again", async () => {
  const clock = virtualClock();
  const said: string[] = [];
  let calls = 0;
  const store = {
    removeLetters() {
      calls += 1;
      return calls < 4
        ? Promise.reject(new WeirError("storage", "The disk is full"))
        : Promise.resolve(calls === 4 ? 2 : 0);
    },
  };
  const retention = createLetterRetention({ store, clock, keepForMs: day, emit: (_level, name) => said.push(name) });
  retention.start();
  await clock.advance(6 * 3_600_000 * 3);
  assert.deepEqual(said, ["letters.expiry_failed", "letters.expired"]);
  assert.equal(retention.expired, 2);
  await retention.stop();
});
