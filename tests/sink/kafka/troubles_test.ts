import assert from "node:assert/strict";
import { createTroubles } from "../../../src/sink/kafka/troubles.ts";
import { virtualClock } from "../../support/virtual_clock.ts";

function setUp() {
  const clock = virtualClock();
  const said: string[] = [];
  const troubles = createTroubles(clock, (level, name, message) => void said.push(`${level} ${name}: ${message}`));
  return { clock, said, troubles };
}

Deno.test("a trouble in many places is one event when it begins and one when the last place is well", () => {
  const { clock, said, troubles } = setUp();
  for (const place of ["a", "b", "c", "a"]) troubles.suffer("connection", place, "Kafka is away", "Start it");
  assert.deepEqual(said, ["error kafka.trouble_began: Kafka is away. Start it. Trying again until it works"]);
  clock.advanceSync(65_000);
  troubles.recover("a");
  troubles.recover("b");
  troubles.recover("unknown");
  assert.equal(said.length, 1);
  troubles.recover("c");
  assert.deepEqual(said.slice(1), ["info kafka.trouble_over: Over after 1 min 5 s: Kafka is away"]);
  assert.equal(troubles.text(), null);
});

Deno.test("a trouble that turns into another is told as the other, and its end is told once", () => {
  const { said, troubles } = setUp();
  troubles.suffer("connection", "a", "Kafka is away", "Start it");
  troubles.suffer("authentication", "a", "Kafka refuses the password", "Check it");
  assert.equal(troubles.text(), "Kafka refuses the password. Check it");
  troubles.recover("a");
  assert.deepEqual(said.map((line) => line.split(":")[0]), [
    "error kafka.trouble_began",
    "error kafka.trouble_began",
    "info kafka.trouble_over",
  ]);
});

Deno.test("two troubles at a time are both in the text, the older first", () => {
  const { troubles } = setUp();
  troubles.suffer("topic x", "a", "X is missing", "Create it");
  troubles.suffer("connection", "b", "Kafka is away", "Start it");
  assert.equal(troubles.text(), "X is missing. Create it; Kafka is away. Start it");
});
