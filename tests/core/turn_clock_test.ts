import assert from "node:assert/strict";
import type { Loop } from "../../src/core/turn_clock.ts";
import { openLoop, turnClock } from "../../src/core/turn_clock.ts";
import { systemClock } from "../../src/core/clock.ts";
import { virtualClock } from "../support/virtual_clock.ts";

/** A loop whose byte comes when the test says so. */
function heldLoop() {
  const waiting: PromiseWithResolvers<void>[] = [];
  const loop: Loop = {
    turn() {
      const one = Promise.withResolvers<void>();
      waiting.push(one);
      return one.promise;
    },
    close() {},
  };
  const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  return {
    loop,
    waiting,
    async arrive() {
      waiting.shift()?.resolve();
      await settled();
    },
    async fail() {
      waiting.shift()?.reject(new Error("gone"));
      await settled();
    },
    settled,
  };
}

Deno.test("turns that are asked for come with the next byte, in order, unless they are cancelled", async () => {
  const held = heldLoop();
  const base = virtualClock();
  const clock = turnClock(base, () => Promise.resolve(held.loop));
  const said: string[] = [];
  // Before the loop is open the base is asked.
  clock.after(0, () => said.push("first"));
  await held.settled();
  await base.advance(0);
  clock.after(0, () => said.push("a"));
  clock.after(0, () => said.push("b")).cancel();
  clock.after(0, () => {
    said.push("c");
    clock.after(0, () => said.push("e"));
  });
  clock.after(5, () => said.push("later"));
  assert.equal(held.waiting.length, 1);
  assert.deepEqual(said, ["first"]);
  await held.arrive();
  assert.deepEqual(said, ["first", "a", "c"]);
  await held.arrive();
  assert.deepEqual(said, ["first", "a", "c", "e"]);
  assert.equal(held.waiting.length, 0);
  await base.advance(5);
  assert.deepEqual(said, ["first", "a", "c", "e", "later"]);
  assert.deepEqual([clock.nowMs(), clock.wallMs()], [base.nowMs(), base.wallMs()]);
});

Deno.test("without a loop, and when it breaks, turns are timers of the base", async () => {
  const base = virtualClock();
  const none = turnClock(base, () => Promise.reject(new Error("no loopback")));
  const said: string[] = [];
  none.after(0, () => said.push("a"));
  await base.advance(0);
  none.after(0, () => said.push("b"));
  await base.advance(0);
  assert.deepEqual(said, ["a", "b"]);

  const held = heldLoop();
  const clock = turnClock(base, () => Promise.resolve(held.loop));
  clock.after(0, () => said.push("c"));
  await base.advance(0);
  await held.settled();
  clock.after(0, () => said.push("d"));
  const gone = clock.after(0, () => said.push("not this one"));
  await held.fail();
  assert.deepEqual(said, ["a", "b", "c"]);
  gone.cancel();
  clock.after(0, () => said.push("e"));
  assert.equal(held.waiting.length, 0);
  await base.advance(0);
  assert.deepEqual(said, ["a", "b", "c", "d", "e"]);
});

Deno.test("a byte on its way lets other sockets have their turn, while the program works without a pause", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using far = await listener.accept();
  const loop = await openLoop();
  let turns = 0;
  let answered = 0;
  const echo = (async () => {
    for (const byte = new Uint8Array(1); answered < 20; answered++) {
      await far.write(byte);
      await near.read(byte);
    }
  })();
  // Each turn leaves work for the next one, as a file does that is being decoded. With `setImmediate` the first look at the
  // sockets comes in the 60th turn.
  while (answered < 20 && turns < 40) {
    await loop.turn();
    turns += 1;
  }
  assert.ok(answered === 20, `${answered} echoes in ${turns} turns`);
  await echo;
  loop.close();
});

Deno.test("the machine's clock with turns calls back", async () => {
  const loop = await openLoop();
  const clock = turnClock(systemClock, () => Promise.resolve(loop));
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => clock.after(0, resolve));
  loop.close();
});
