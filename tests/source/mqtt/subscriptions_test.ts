import assert from "node:assert/strict";
import { WeirError } from "../../../src/core/error.ts";
import type { Connection } from "../../../src/source/mqtt/connection.ts";
import { createNotices } from "../../../src/source/mqtt/notices.ts";
import { createSubscriptions } from "../../../src/source/mqtt/subscriptions.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { bench } from "./source_bench.ts";

/** A memory that fails when told to, and the broker's side: what happened, in order. */
function world(filters: readonly string[], kept: readonly string[]) {
  const happened: string[] = [];
  const state = { kept, fails: false };
  const events: string[] = [];
  const subscriptions = createSubscriptions({
    filters,
    qos: 1,
    retainHandling: 1,
    memory: {
      read: () => Promise.resolve(state.kept),
      write(now) {
        if (state.fails) return Promise.reject(new WeirError("storage", "The disk is full"));
        happened.push(`write ${now.join()}`);
        state.kept = now;
        return Promise.resolve();
      },
    },
    notices: createNotices("mqtt://h:1", virtualClock(), (_level, name) => void events.push(name)),
    answered: () => {},
  });
  const answers: (() => void)[] = [];
  const connection: Pick<Connection, "subscribe" | "unsubscribe"> = {
    subscribe(filter, qos, _handling, done) {
      happened.push(`subscribe ${filter}`);
      answers.push(() => done(qos));
    },
    unsubscribe(filter, done) {
      happened.push(`unsubscribe ${filter}`);
      answers.push(done);
    },
  };
  return {
    subscriptions,
    state,
    events,
    said: () => happened.splice(0),
    ask: () => subscriptions.ask(connection as Connection),
    lose: () => void answers.splice(0),
    async answer() {
      for (const answer of answers.splice(0)) answer();
      await subscriptions.saved();
    },
  };
}

Deno.test("What a session may hold is written down before it is asked for, and taken out only when the broker has answered", async () => {
  const { subscriptions, said, ask, answer, lose } = world(["b", "c"], ["a", "b"]);
  await subscriptions.load();
  assert.deepEqual(said(), ["write b,c,a"]);
  ask();
  assert.deepEqual(said(), ["unsubscribe a", "subscribe b", "subscribe c"]);
  // The connection breaks before an answer: all of it is asked for again.
  lose();
  subscriptions.disconnected();
  assert.ok(!subscriptions.settled);
  ask();
  assert.deepEqual(said(), ["unsubscribe a", "subscribe b", "subscribe c"]);
  await answer();
  assert.equal(said().at(-1), "write b,c");
  assert.ok(subscriptions.settled);
  ask();
  assert.deepEqual(said(), []);
});

Deno.test("Nothing is written where nothing has changed; a new session holds nothing former", async () => {
  const same = world(["a"], ["a"]);
  await same.subscriptions.load();
  same.subscriptions.forget();
  same.ask();
  await same.answer();
  assert.deepEqual(same.said(), ["subscribe a"]);
  const changed = world(["b"], ["a"]);
  await changed.subscriptions.load();
  changed.subscriptions.forget();
  await changed.answer();
  changed.ask();
  assert.deepEqual(changed.said(), ["write b,a", "write b", "subscribe b"]);
});

Deno.test("A disk that does not take the list stops nothing, and is said", async () => {
  const { subscriptions, state, said, ask, answer, events } = world(["b"], ["a"]);
  state.fails = true;
  await subscriptions.load();
  ask();
  state.fails = false;
  await answer();
  assert.deepEqual(events, ["mqtt.filters_not_remembered", "mqtt.unsubscribed", "mqtt.subscribed", "mqtt.receiving"]);
  assert.deepEqual(said(), ["unsubscribe a", "subscribe b", "write b"]);
});

Deno.test("The source asks a new session to end nothing", async () => {
  const filterMemory = { read: () => Promise.resolve(["old/+"]), write: () => Promise.resolve() };
  const { broker, clock } = await bench({}, 10, { filterMemory });
  assert.deepEqual(broker.unsubscribes, [], "its session is new");
  broker.cut();
  await clock.advance(5_000);
  assert.deepEqual(broker.unsubscribes, []);
});
