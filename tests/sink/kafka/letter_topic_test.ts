import assert from "node:assert/strict";
import { seededDice } from "../../../src/core/dice.ts";
import { WeirError } from "../../../src/core/error.ts";
import type { FollowedLetters, LetterFollower } from "../../../src/core/letter_follower.ts";
import { followToTopic, lettersInFlightMax } from "../../../src/sink/kafka/letter_topic.ts";
import { createProducer } from "../../../src/sink/kafka/producer.ts";
import { createTroubles } from "../../../src/sink/kafka/troubles.ts";
import { memoryLedger } from "../../../src/store/memory_ledger.ts";
import { letter, letters } from "../../support/ledger_values.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { createModelCluster } from "./model_cluster.ts";

function rig() {
  const clock = virtualClock();
  const cluster = createModelCluster(clock);
  cluster.addTopic("dead", 2);
  const store = memoryLedger({ clock, deadLetterBytesMax: 1e8 });
  const events: string[] = [];
  const emit = (_level: string, name: string) => void events.push(name);
  const dice = seededDice(1);
  const follow = (source: FollowedLetters = store): LetterFollower =>
    followToTopic({
      topic: "dead",
      letters: source,
      clock,
      dice,
      emit,
      createProducer: (how) =>
        createProducer({
          clientId: "gw-letters",
          compression: "none",
          lingerMs: 0,
          batchBytesMax: 16 << 10,
          requestBytesMax: 64 << 10,
          recordBytesMax: 1 << 20,
          requestsInFlightMax: 5,
          metadataMaxAgeMs: 60_000,
          backoff: { firstMs: 100, maxMs: 2000 },
          // The model outlives the follower's connections.
        }, { clock, dice, emit, cluster: { ...cluster, close() {} }, troubles: createTroubles(clock, emit), ...how }),
    });
  const arrived = () => [0, 1].flatMap((partition) => cluster.log("dead", partition));
  const ids = () => arrived().map(({ key }) => key).toSorted();
  return { clock, cluster, store, events, follow, arrived, ids };
}

const idsOf = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id).toSorted();

/** Closes it while time passes. */
async function closed({ clock }: ReturnType<typeof rig>, follower: LetterFollower): Promise<void> {
  const closing = follower.close();
  await clock.advance(10);
  await closing;
}

Deno.test("a letter arrives with its bytes, its id as key, and its reason and place as headers; what it has not has no header", async () => {
  const parts = rig();
  const { clock, store, follow, arrived } = parts;
  const odd = letter("b", {
    origin: "real_time",
    source: "plant/\u{1f321}",
    row: null,
    byte: null,
    detail: "x \u0000 y",
  });
  await store.append([letter("a"), odd]);
  const follower = follow();
  await clock.advance(2_000);
  const byKey = new Map(arrived().map((record) => [record.key, record]));
  assert.equal(byKey.get("a")?.value, "d1,x\n");
  assert.deepEqual(byKey.get("a")?.headers, [
    ["weir.id", "a"],
    ["weir.reason", "wrong_type"],
    ["weir.detail", 'value is "x"'],
    ["weir.origin", "batch"],
    ["weir.source", "/in/a.csv"],
    ["weir.row", "7"],
    ["weir.byte", "70"],
  ]);
  assert.deepEqual(Object.fromEntries(byKey.get("b")?.headers ?? []), {
    "weir.id": "b",
    "weir.reason": "wrong_type",
    "weir.detail": "x \u0000 y",
    "weir.origin": "real_time",
    "weir.source": "plant/\u{1f321}",
  });
  assert.equal(follower.sent, 2);
  await closed(parts, follower);
  assert.equal(clock.timers, 0);
});

Deno.test("each letter is sent once, those that come while it runs too, and a restart goes on behind the mark", async () => {
  const parts = rig();
  const { clock, store, follow, ids } = parts;
  const all = letters("batch", lettersInFlightMax * 2 + 7);
  await store.append(all.slice(0, 300));
  const first = follow();
  await clock.advance(3_000);
  await store.append(all.slice(300, 350));
  await clock.advance(3_000);
  await closed(parts, first);
  await store.append(all.slice(350));
  const second = follow();
  await clock.advance(3_000);
  assert.deepEqual(ids(), idsOf(all));
  assert.equal(second.sent, all.length - 350);
  await closed(parts, second);
});

Deno.test("a Kafka that is away loses nothing, holds up nobody, and what was in doubt comes again after a restart", async () => {
  const parts = rig();
  const { clock, cluster, store, follow, ids } = parts;
  cluster.course = () => ({ kind: "request_lost" });
  const ranges: number[] = [];
  await store.append(letters("batch", 1_000));
  const first = follow({
    ...store,
    lettersInRange(filter, range) {
      ranges.push(range.limit);
      return store.lettersInRange(filter, range);
    },
  });
  await clock.advance(600_000);
  assert.deepEqual(ranges, [lettersInFlightMax], "one batch is under way and no more is read");
  let drained = false;
  first.drain().then(() => drained = true);
  await clock.advance(6_000);
  assert.ok(drained, "a stop does not wait for it");
  await closed(parts, first);
  assert.equal(await store.mark("kafka topic dead"), 0);

  cluster.course = () => ({ kind: "answer_lost" });
  const second = follow();
  await clock.advance(1_500);
  await closed(parts, second);
  cluster.course = () => ({ kind: "well" });
  const third = follow();
  await clock.advance(10_000);
  assert.deepEqual([...new Set(ids())], idsOf(letters("batch", 1_000)));
  await closed(parts, third);
});

Deno.test("a letter that the topic does not take is said, and the others go on", async () => {
  const parts = rig();
  const { clock, cluster, store, events, follow, ids } = parts;
  cluster.bytesMax = 4_000;
  await store.append([letter("a"), letter("large", { raw: new Uint8Array(10_000).fill(65) }), letter("b")]);
  const follower = follow();
  await clock.advance(5_000);
  assert.deepEqual(ids(), ["a", "b"]);
  assert.ok(events.includes("letters.not_forwarded"));
  assert.equal(await store.mark("kafka topic dead"), 3);
  await closed(parts, follower);
});

Deno.test("a stop sends what was stored a moment ago", async () => {
  const parts = rig();
  const { clock, store, follow, ids } = parts;
  const follower = follow();
  await clock.advance(1_500);
  await store.append([letter("last")]);
  const draining = follower.drain();
  await clock.advance(100);
  await draining;
  assert.deepEqual(ids(), ["last"]);
  await closed(parts, follower);
});

Deno.test("a ledger that cannot be read is waited for and said once", async () => {
  const parts = rig();
  const { clock, store, events, follow, ids } = parts;
  await store.append([letter("a")]);
  let failing = true;
  const follower = follow({
    ...store,
    mark: (name) => failing ? Promise.reject(new WeirError("storage", "The disk is ill")) : store.mark(name),
  });
  await clock.advance(90_000);
  failing = false;
  await clock.advance(60_000);
  assert.deepEqual(ids(), ["a"]);
  assert.equal(events.filter((name) => name === "letters.forwarding_stuck").length, 1);
  await closed(parts, follower);
});
