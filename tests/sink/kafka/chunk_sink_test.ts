import assert from "node:assert/strict";
import type { Chunk, Place, Refusal } from "../../../src/core/chunk.ts";
import { seededDice } from "../../../src/core/dice.ts";
import { WeirError } from "../../../src/core/error.ts";
import type { DeadLetter, Reading } from "../../../src/core/reading.ts";
import { createChunkSink } from "../../../src/sink/kafka/chunk_sink.ts";
import { createKeyOf } from "../../../src/sink/kafka/key_of.ts";
import { type KafkaSinkOptions, parseOptions } from "../../../src/sink/kafka/options.ts";
import { createTopicOf } from "../../../src/sink/kafka/topic_of.ts";
import { transactionTimeoutMs } from "../../../src/sink/kafka/transactions.ts";
import { createTroubles } from "../../../src/sink/kafka/troubles.ts";
import { letter } from "../../support/ledger_values.ts";
import { printedSeed } from "../../support/seed.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { type Call, createModelTransactions, type Fault } from "./model_transactions.ts";
import { reading } from "./readings.ts";

// Its type is what it gives.
function setUp(options: Partial<KafkaSinkOptions> = {}) {
  const clock = virtualClock();
  const cluster = createModelTransactions(clock);
  cluster.addTopic("t", 3);
  const events: { readonly name: string; readonly message: string }[] = [];
  const emit = (_level: string, name: string, message: string) => void events.push({ name, message });
  const parsed = parseOptions({ brokers: ["model"], gateway: "gw", topic: "t", key: "{key}", ...options });
  const start = () =>
    createChunkSink(parsed, "checkpoints", {
      clock,
      dice: seededDice(1),
      emit,
      cluster,
      troubles: createTroubles(clock, emit),
      shape: {
        value: ({ value }: Reading) => value,
        valueBytes: ({ bytes }: Reading) => bytes,
        headers: [{ name: "weir.id", text: ({ id }: Reading) => id }],
      },
      topicOf: createTopicOf(parsed),
      keyOf: createKeyOf(parsed.key),
    });
  /** Moves time on until it is settled. */
  async function soon<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = promise.finally(() => {
      settled = true;
    });
    done.catch(() => {});
    for (let turn = 0; !settled && turn < 20_000; turn++) await clock.advance(clock.nextDueMs() === null ? 1 : 5);
    assert.ok(settled, "it does not end");
    return await done;
  }
  return { clock, cluster, events, start, soon };
}

/** Chunk `n`: rows `from` to `to`, and the place behind them. */
function chunk(n: number, rows: readonly number[], letters: readonly DeadLetter[] = []): Chunk {
  return { readings: rows.map(row), letters, places: [place(n)] };
}

function row(n: number): Reading {
  return reading(`row-${n}`, { key: `key-${n % 5}` });
}

function place(n: number): Place {
  return { key: "gw/file", value: `place ${n}` };
}

/** Faults for calls, in order. */
function script(...faults: readonly (readonly [Call, Fault])[]): (call: Call) => Fault | null {
  const left = [...faults];
  return (call) => left[0]?.[0] === call ? left.shift()?.[1] ?? null : null;
}

const sorted = (texts: readonly string[]) => texts.toSorted();

Deno.test("a chunk arrives with its place; the topic of places is made when it is missing", async () => {
  const { cluster, events, start, soon } = setUp();
  const sink = start();
  assert.deepEqual(await soon(sink.places()), []);
  assert.ok(events.some(({ name }) => name === "kafka.checkpoint_topic_made"));
  assert.deepEqual(await soon(sink.commit(chunk(1, [1, 2, 3]))), []);
  assert.deepEqual(await soon(sink.commit(chunk(2, [4, 5]))), []);
  assert.deepEqual(sorted(cluster.committed("t")), ["row-1", "row-2", "row-3", "row-4", "row-5"]);
  assert.deepEqual(cluster.committed("checkpoints"), ["place 1", "place 2"]);
  assert.equal(cluster.aborted, 0);
});

const courses: readonly (readonly [string, readonly (readonly [Call, Fault])[]])[] = [
  ["the commit's answer is lost", [["end", "answer_lost"]]],
  ["the commit is lost", [["end", "request_lost"]]],
  ["the commit is lost twice, then its answer", [["end", "request_lost"], ["end", "request_lost"], [
    "end",
    "answer_lost",
  ]]],
  ["a batch is lost", [["produce", "request_lost"]]],
  ["the answer to a batch is lost", [["produce", "answer_lost"]]],
  ["the transaction before is still being ended", [["add", 51], ["add", 51], ["add", 51]]],
  ["the coordinator moved", [["add", 16], ["coordinator", 15]]],
  ["the coordinator moved before the end", [["end", 16], ["coordinator", "request_lost"]]],
  ["the leader moved", [["produce", 6]]],
  ["Kafka has forgotten the producer", [["produce", 59]]],
  ["a sequence is lost", [["produce", 45]]],
  ["the transaction's state is not as it should be, after a commit that was done", [["end", "answer_lost"], [
    "end",
    48,
  ]]],
  ["a commit ends as abortable", [["end", 120]]],
  ["the answer to a new beginning is lost", [["produce", 59], ["init", "answer_lost"]]],
  ["the transactional id is forgotten", [["add", 49]]],
];

for (const [name, faults] of courses) {
  Deno.test(`nothing is lost and nothing doubled when ${name}`, async () => {
    const { cluster, start, soon } = setUp();
    const sink = start();
    await soon(sink.commit(chunk(1, [1, 2, 3])));
    let left = faults.length;
    const next = script(...faults);
    cluster.fault = (call) => {
      const fault = next(call);
      if (fault !== null) left -= 1;
      return fault;
    };
    assert.deepEqual(await soon(sink.commit(chunk(2, [4, 5, 6]))), []);
    assert.equal(left, 0, "all of it has happened");
    await soon(sink.commit(chunk(3, [7])));
    assert.deepEqual(sorted(cluster.committed("t")), sorted([1, 2, 3, 4, 5, 6, 7].map((n) => `row-${n}`)));
    assert.deepEqual(cluster.committed("checkpoints"), ["place 1", "place 2", "place 3"]);
  });
}

for (const [by, restarted] of [["its coordinator", false], ["one that has started anew", true]] as const) {
  Deno.test(`a transaction that ran out of time is told from a fence by ${by}: it is sent again`, async () => {
    const { clock, cluster, start, soon } = setUp();
    const sink = start();
    await soon(sink.commit(chunk(1, [1])));
    let until = Infinity;
    cluster.fault = (call) => {
      if (call !== "produce") return null;
      until = Math.min(until, clock.nowMs() + transactionTimeoutMs + 1);
      if (clock.nowMs() < until) return "request_lost";
      if (restarted) cluster.restart();
      return null;
    };
    assert.deepEqual(await soon(sink.commit(chunk(2, [2, 3]))), []);
    assert.ok(cluster.codesSeen.has(47));
    assert.equal(cluster.aborted, 1);
    assert.deepEqual(sorted(cluster.committed("t")), ["row-1", "row-2", "row-3"]);
  });
}

Deno.test("a commit that was given up and comes late, in the middle of the next transaction, does not end that one", async () => {
  const { clock, cluster, start, soon } = setUp();
  const sink = start();
  cluster.fault = script(["end", { lateMs: 5000 }]);
  await soon(sink.commit(chunk(1, [1, 2])));
  // The rows of the next one are in the log, their answer is not there, and the late commit comes.
  const untilMs = clock.nowMs() + 10_000;
  cluster.fault = (call) => call === "produce" && clock.nowMs() < untilMs ? "answer_lost" : null;
  await soon(sink.commit(chunk(2, [3, 4])));
  assert.deepEqual(sorted(cluster.committed("t")), ["row-1", "row-2", "row-3", "row-4"]);
  assert.deepEqual(cluster.committed("checkpoints"), ["place 1", "place 2"]);
});

Deno.test("a zombie is told so, commits nothing, and everybody who listens learns it", async () => {
  const { cluster, start, soon } = setUp();
  const sink = start();
  await soon(sink.commit(chunk(1, [1])));
  cluster.takeOver();
  await assert.rejects(
    soon(sink.commit(chunk(2, [2]))),
    (error) => error instanceof WeirError && error.code === "fenced" && error.message.includes('"gw-files"'),
  );
  assert.equal((await soon(sink.fenced)).code, "fenced");
  assert.deepEqual(cluster.committed("t"), ["row-1"]);
});

Deno.test("a successor fences, aborts what was open, and reads the places back", async () => {
  const { clock, cluster, start, soon } = setUp();
  const first = start();
  await soon(first.commit(chunk(1, [1])));
  // It dies between its batches and the end.
  cluster.fault = (call) => call === "end" ? "request_lost" : null;
  void first.commit(chunk(2, [2]));
  await clock.advance(50);
  first.close();
  cluster.fault = () => null;
  const second = start();
  assert.deepEqual(await soon(second.places()), [place(1)]);
  await soon(second.commit(chunk(2, [2])));
  assert.deepEqual(sorted(cluster.committed("t")), ["row-1", "row-2"]);
  assert.equal(cluster.aborted, 1);
});

Deno.test("a record that is too large for its topic is refused, and the chunk goes without it", async () => {
  for (const tellsBytesMax of [true, false]) {
    const { cluster, start, soon } = setUp();
    cluster.bytesMax = 400;
    cluster.tellsBytesMax = tellsBytesMax;
    const sink = start();
    const large = reading("large", { key: "key-1", text: "x".repeat(500) });
    const whole = { ...chunk(1, []), readings: [row(1), row(6), large, row(11), row(2)] };
    const refused: Refusal[] = [];
    while (true) {
      const without = whole.readings.filter((one) => !refused.some((refusal) => refusal.reading === one));
      const refusals = await soon(sink.commit({ ...whole, readings: without }));
      if (refusals.length === 0) break;
      assert.deepEqual(cluster.committed("t"), [], "nothing arrives with a refusal");
      refused.push(...refusals);
    }
    assert.deepEqual(refused.map(({ reading: { id }, reason }) => [id, reason]), [["large", "too_large"]]);
    assert.deepEqual(sorted(cluster.committed("t")), ["row-1", "row-11", "row-2", "row-6"]);
    assert.deepEqual(cluster.committed("checkpoints"), ["place 1"]);
  }
});

Deno.test("dead letters join the transaction; one that is too large stays in the ledger and holds nothing up", async () => {
  const { cluster, events, start, soon } = setUp({ deadLetterTopic: "dead" });
  cluster.addTopic("dead", 1);
  cluster.bytesMax = 1000;
  const sink = start();
  const letters = [letter("gw/file/5"), letter("gw/file/6", { raw: new Uint8Array(2000) })];
  assert.deepEqual(await soon(sink.commit(chunk(1, [1], letters))), []);
  assert.deepEqual(cluster.committed("dead"), ["gw/file/5"]);
  assert.deepEqual(cluster.committed("t"), ["row-1"]);
  assert.deepEqual(events.filter(({ name }) => name === "letters.not_forwarded").length, 1);
});

Deno.test("with faults of every kind at every call, each row arrives once, with the places in order", async () => {
  const seed = printedSeed("chunk sink");
  for (let run = 0; run < 40; run++) {
    const dice = seededDice(seed + run);
    const { cluster, start, soon } = setUp();
    const faults: Readonly<Record<Call, readonly Fault[]>> = {
      coordinator: [15, "request_lost"],
      init: [14, 16, 51, "request_lost", "answer_lost"],
      add: [51, 16, 49, "request_lost", "answer_lost"],
      produce: [6, 7, 45, 59, "request_lost", "answer_lost", "answer_lost"],
      end: [16, 48, 120, "request_lost", "answer_lost"],
    };
    cluster.fault = (call) => dice() < 0.25 ? faults[call][Math.floor(dice() * faults[call].length)] ?? null : null;
    let sink = start();
    let at = 0;
    const places: string[] = [];
    for (let n = 1; n <= 12; n++) {
      const rows = Array.from({ length: 1 + Math.floor(dice() * 6) }, () => (at += 1));
      assert.deepEqual(await soon(sink.commit(chunk(n, rows))), []);
      places.push(`place ${n}`);
      if (dice() < 0.2) {
        sink.close();
        sink = start();
        assert.deepEqual(await soon(sink.places()), [place(n)]);
      }
    }
    const wanted = Array.from({ length: at }, (_, i) => `row-${i + 1}`);
    assert.deepEqual(sorted(cluster.committed("t")), sorted(wanted), `seed ${seed + run}`);
    assert.deepEqual(cluster.committed("checkpoints"), places, `seed ${seed + run}`);
  }
});
