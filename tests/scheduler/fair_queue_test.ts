/**
 * The order among flows by itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
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
  assert.equal(asked, 1_000 + 1);
  assert.equal(next("busy"), fourth);
  assert.equal(next("busy"), fourth);
  assert.equal(next("busy"), null);
  assert.equal(asked, 1_001 + 2 + 1 + 1, "one that has no work any more, and three answers");
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
  assert.throws(() => createFairQueue([{ weight: 1 }]).setWeight({ weight: 1 }, 1), /not a member/);
});

Deno.test("only the one that is next can have been served", () => {
  const [first, second] = [{ weight: 1 }, { weight: 1 }];
  const queue = createFairQueue([first, second]);
  assert.throws(() => queue.served(first, 1), /not the one that is next/);
  assert.equal(queue.next(always), first);
  assert.throws(() => queue.served(second, 1), /not the one that is next/);
});

/** The paper's words, line by line: each member is looked at each time. */
function plainScan(weights: readonly number[]) {
  const tags = weights.map((weight) => ({ weight, start: 0, busy: false }));
  let virtualTime = 0;
  return {
    next(isBusy: (i: number) => boolean): number | null {
      let best: number | null = null;
      for (const [i, tag] of tags.entries()) {
        if (isBusy(i) && !tag.busy) tag.start = Math.max(virtualTime, tag.start);
        tag.busy = isBusy(i);
        if (tag.busy && (best === null || tag.start < (tags[best]?.start ?? 0))) best = i;
      }
      return best;
    },
    served(i: number, rows: number): void {
      const tag = tags[i];
      assert.ok(tag !== undefined);
      virtualTime = tag.start;
      tag.start += rows / tag.weight;
    },
  };
}

Deno.test("who is next is whom a plain scan over all would choose", () => {
  const weights = fc.array(fc.constantFrom(0.5, 1, 1, 2, 7), { minLength: 1, maxLength: 9 });
  const step = fc.oneof(
    { weight: 1, arbitrary: fc.record({ arrives: fc.nat(8), rows: fc.integer({ min: 1, max: 90 }) }) },
    { weight: 1, arbitrary: fc.record({ gone: fc.nat(8) }) },
    { weight: 3, arbitrary: fc.record({ served: fc.integer({ min: 1, max: 64 }), all: fc.boolean() }) },
  );
  fc.assert(
    fc.property(weights, fc.array(step, { maxLength: 120 }), (weights, steps) => {
      const members = weights.map((weight, i) => ({ weight, i }));
      const work = members.map(() => 0);
      const hasWork = (i: number) => (work[i] ?? 0) > 0;
      const queue = createFairQueue(members);
      const scan = plainScan(weights);
      let arrived = true;
      for (const step of steps) {
        if ("arrives" in step) {
          work[step.arrives % work.length] = step.rows;
          arrived = true;
        } else if ("gone" in step) {
          work[step.gone % work.length] = 0;
        } else {
          const member = queue.next(({ i }) => hasWork(i), arrived || step.all ? "all" : "busy");
          arrived = false;
          assert.equal(member?.i ?? null, scan.next(hasWork));
          if (member === null) continue;
          const rows = Math.min(step.served, work[member.i] ?? 0);
          work[member.i] = (work[member.i] ?? 0) - rows;
          queue.served(member, rows);
          scan.served(member.i, rows);
        }
      }
    }),
    { numRuns: 300 },
  );
});
