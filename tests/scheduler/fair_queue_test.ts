/**
 * The order among flows by itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createFairQueue } from "../../src/scheduler/fair_queue.ts";

const always = () => true;

Deno.test("weights 1 and 3 get one and three turns of four", () => {
  const light = { name: "light", weight: 1 };
  const heavy = { name: "heavy", weight: 3 };
  const queue = createFairQueue([light, heavy]);
  const order: string[] = [];
  for (let i = 0; i < 8; i++) {
    const next = queue.next(always);
    assert.ok(next !== null);
    queue.served(next, 30);
    order.push(next.name);
  }
  assert.equal(order.filter((name) => name === "heavy").length, 6);
});

Deno.test("who was idle starts at the virtual time and makes up for nothing", () => {
  const late = { weight: 1 };
  const early = { weight: 1 };
  const queue = createFairQueue([late, early]);
  for (let i = 0; i < 100; i++) {
    assert.equal(queue.next((one) => one === early), early);
    queue.served(early, 10);
  }
  const turns = { late: 0, early: 0 };
  for (let i = 0; i < 10; i++) {
    const next = queue.next(always);
    assert.ok(next !== null);
    turns[next === late ? "late" : "early"] += 1;
    queue.served(next, 10);
  }
  assert.ok(turns.late <= 6, `${turns.late} of 10 turns`);
});

Deno.test("asked among the busy ones, those without work are left alone until all are asked again", () => {
  const members = Array.from({ length: 1_000 }, () => ({ weight: 1 }));
  const queue = createFairQueue(members);
  const [, second, , fourth] = members;
  assert.ok(second !== undefined && fourth !== undefined);
  const work = new Map([[fourth, 2], [second, 1]]);
  let asked = 0;
  const next = (among?: "all" | "busy") => {
    const member = queue.next((one) => (asked += 1, (work.get(one) ?? 0) > 0), among);
    if (member === null) return null;
    work.set(member, (work.get(member) ?? 0) - 1);
    queue.served(member, 1);
    return member;
  };
  assert.equal(next(), second);
  assert.equal(next("busy"), fourth);
  assert.equal(next("busy"), fourth);
  assert.equal(next("busy"), null);
  assert.equal(asked, 1_000 + 2 + 1 + 1);
  work.set(second, 1);
  assert.equal(next("busy"), null, "it is not asked");
  assert.equal(next(), second);
});

Deno.test("nobody is next when nobody has work", () => {
  assert.equal(createFairQueue([{ weight: 1 }]).next(() => false), null);
  assert.equal(createFairQueue([]).next(always), null);
});

Deno.test("a weight that is not above 0, and a stranger, are refused", () => {
  for (const weight of [0, -1, NaN, Infinity]) assert.throws(() => createFairQueue([{ weight }]), /above 0/);
  assert.throws(() => createFairQueue([{ weight: 1 }]).served({ weight: 1 }, 1), /not a member/);
});
