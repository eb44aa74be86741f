/**
 * What the producer gives back of what it has, while a partition does not get on.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { seededDice } from "../../../src/core/dice.ts";
import type { Reading } from "../../../src/core/reading.ts";
import type { Course } from "./model_cluster.ts";
import { ids, setUp } from "./producer_rig.ts";
import { reading } from "./readings.ts";

const idsOf = (given: ReadonlyMap<Reading, Reading>) => [...given].map(([{ id }, ahead]) => [id, ahead.id]);

Deno.test("what was never in a batch is given back behind the first of the batch, and is neither sent nor awaited", async () => {
  const { clock, cluster, producer, ready, log, delivered } = setUp();
  await ready();
  cluster.setLeader("t", 0, -1);
  cluster.course = () => ({ kind: "code", code: 6, written: false });
  const readings = ids(0, 6).map((id) => reading(id));
  for (const one of readings.slice(0, 2)) producer.send(one, "t", "k");
  await clock.advance(20);
  for (const one of readings.slice(2)) producer.send(one, "t", "k");
  await clock.advance(6_000);
  const wanted = new Set(readings.filter(({ id }) => id !== "4"));
  assert.deepEqual(idsOf(producer.takeBack(wanted)), [["2", "0"], ["3", "0"], ["5", "0"]]);
  assert.equal(producer.status().inFlightReadings, 3);
  assert.equal(producer.takeBack(wanted).size, 0, "once");
  const flushed = producer.flush();
  cluster.course = () => ({ kind: "well" });
  cluster.setLeader("t", 0, 1);
  await clock.advance(20_000);
  await flushed;
  assert.deepEqual(log(), ["0", "1", "4"]);
  assert.deepEqual(delivered, ["0", "1", "4"]);
  assert.equal(producer.status().inFlightReadings, 0);
});

Deno.test("of a topic or partition without a batch the first stays, whether or not it is asked for", async () => {
  const { clock, cluster, producer, ready, log } = setUp();
  const held = ids(0, 3).map((id) => reading(id));
  for (const one of held) producer.send(one, "later", "k");
  await clock.advance(100);
  assert.deepEqual(idsOf(producer.takeBack(new Set(held))), [["1", "0"], ["2", "0"]]);

  await ready();
  cluster.setLeader("t", 0, -1);
  const queued = ids(10, 13).map((id) => reading(id));
  await clock.advance(61_000);
  for (const one of queued) producer.send(one, "t", "k");
  await clock.advance(10);
  assert.deepEqual(idsOf(producer.takeBack(new Set(queued.slice(1)))), [["11", "10"], ["12", "10"]]);
  cluster.addTopic("later", 1);
  cluster.setLeader("t", 0, 0);
  await clock.advance(61_000);
  assert.deepEqual([log(), log(0, "later")], [["10"], ["0"]]);
});

Deno.test("pieces of a batch that was refused stay: an earlier attempt may have been written", async () => {
  const { clock, cluster, producer, ready } = setUp();
  await ready();
  let refusals = 1;
  cluster.course = () => {
    const code = refusals-- > 0 ? 87 : 6;
    return { kind: "code", code, written: false };
  };
  const readings = ids(0, 4).map((id) => reading(id));
  for (const one of readings) producer.send(one, "t", "k");
  await clock.advance(20);
  const late = reading("4");
  producer.send(late, "t", "k");
  assert.deepEqual(idsOf(producer.takeBack(new Set([...readings, late]))), [["4", "0"]]);
});

const courses = fc.constantFrom<Course>(
  { kind: "well" },
  { kind: "request_lost" },
  { kind: "answer_lost" },
  { kind: "code", code: 6, written: false },
  { kind: "code", code: 7, written: true },
);

Deno.test("whatever is taken back and sent again after what stays ahead of it: once each, and in order", async () => {
  const property = fc.asyncProperty(
    fc.array(courses, { maxLength: 30 }),
    fc.array(fc.record({ send: fc.nat(8), waitMs: fc.nat(700), take: fc.subarray([0, 1, 2, 3, 4]) }), {
      maxLength: 20,
    }),
    fc.integer(),
    async (plan, steps, seed) => {
      const { clock, cluster, producer, log, delivered, ready } = setUp({ partitions: 3, dice: seededDice(seed) });
      const left = [...plan];
      cluster.course = () => left.shift() ?? { kind: "well" };
      await ready();
      const key = (one: Reading) => `key-${Number(one.id) % 5}`;
      const open: Reading[] = [];
      // As the spool does: what follows on a key waits until nothing of it is aside.
      let aside: { readonly one: Reading; readonly ahead: Reading }[] = [];
      let next = 0;
      const goOn = () => {
        const waiting = aside;
        aside = [];
        const still = new Set(waiting.filter(({ ahead }) => !delivered.includes(ahead.id)).map(({ one }) => key(one)));
        for (const entry of waiting) {
          if (still.has(key(entry.one))) aside.push(entry);
          else producer.send(entry.one, "t", key(entry.one));
        }
      };
      for (const { send, waitMs, take } of steps) {
        goOn();
        for (let i = 0; i < send; i++) {
          const one = reading(String(next++));
          open.push(one);
          const before = aside.find((entry) => key(entry.one) === key(one));
          if (before === undefined) producer.send(one, "t", key(one));
          else aside.push({ one, ahead: before.ahead });
        }
        await clock.advance(waitMs);
        if (take.length === 0) continue;
        const given = producer.takeBack(new Set(open.filter(({ id }) => take.includes(Number(id) % 5))));
        const again = new Set(aside.map(({ one }) => one));
        for (const [one, ahead] of given) {
          assert.ok(!delivered.includes(one.id) && !again.has(one), `${one.id} is given back and is not there`);
          aside.push({ one, ahead });
        }
        aside.sort((a, b) => Number(a.one.id) - Number(b.one.id));
      }
      for (let i = 0; i < 30; i++) {
        goOn();
        await clock.advance(2_000);
      }
      assert.deepEqual(delivered.toSorted((a, b) => Number(a) - Number(b)), ids(0, next));
      for (let partition = 0; partition < 3; partition++) {
        const last = new Map<number, number>();
        for (const id of log(partition).map(Number)) {
          assert.ok(id > (last.get(id % 5) ?? -1), `${id} came after ${last.get(id % 5)}`);
          last.set(id % 5, id);
        }
      }
      producer.close();
    },
  );
  await fc.assert(property, { numRuns: 150 });
});
