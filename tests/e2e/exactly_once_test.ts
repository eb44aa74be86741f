import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { seededDice } from "../../src/core/dice.ts";
import { kafkaAvailability, startKafka } from "../support/kafka.ts";
import { printedSeed } from "../support/seed.ts";
import { leftOut } from "../support/servers.ts";
import { assertExactlyOnce, exactlyOnceScene } from "./exactly_once.ts";

const suite = "Exactly-once files";
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);

/** Starts that end by SIGKILL. */
const rounds = 5;

if (missing === null) {
  Deno.test("killed in the middle of dumps, a read_committed reader has every good row once and every other is one dead letter", async () => {
    await using kafka = await disposableKafka();
    await using scene = await exactlyOnceScene(kafka, "kills");
    const dice = seededDice(printedSeed("exactly-once kills"));
    for (let round = 0; round < rounds; round++) {
      await scene.drop(1200);
      const gateway = scene.start();
      await gateway.logged(/Reading|Resum|goes on|begun/i);
      await sleep(systemClock, 100 + dice() * 1200);
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
    const gateway = scene.start();
    await scene.settled();
    assert.equal(await gateway.stop(), 0, gateway.stderr());
    await assertExactlyOnce(scene);
  });
}

async function disposableKafka() {
  const kafka = await startKafka({});
  return { ...kafka, [Symbol.asyncDispose]: () => kafka.close() };
}
