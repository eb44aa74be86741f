import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import { seededDice } from "../../src/core/dice.ts";
import { startGateway } from "../support/gateway.ts";
import { countOf, kafkaAvailability, type RunningKafka } from "../support/kafka.ts";
import { faultKinds, startKafkaBehindProxy } from "../support/kafka_proxy.ts";
import { printedSeed } from "../support/seed.ts";
import { eventually, leftOut } from "../support/servers.ts";
import { assertExactlyOnce, exactlyOnceScene } from "./exactly_once.ts";

const suite = "Exactly-once files";
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);

async function killAndStart(kafka: Pick<RunningKafka, "stop" | "start">): Promise<void> {
  await kafka.stop("SIGKILL");
  await kafka.start();
}

/** Starts that end by SIGKILL. */
const rounds = 4;

const produceRequest = 0;
/** Keys of the requests of a transaction: Produce, InitProducerId, AddPartitionsToTxn, EndTxn. */
const transactionRequests = [produceRequest, 22, 24, 26];

if (missing === null) {
  let shared: Awaited<ReturnType<typeof startKafkaBehindProxy>> | null = null;
  Deno.test.beforeAll(async () => {
    shared = await startKafkaBehindProxy();
  });
  Deno.test.afterAll(async () => await shared?.[Symbol.asyncDispose]());
  const running = () => {
    if (shared === null) throw new Error("Kafka was not started");
    return shared;
  };

  Deno.test("killed in the middle of dumps, a read_committed reader has every good row once and every other is one dead letter", async () => {
    const { kafka, proxy } = running();
    await using scene = await exactlyOnceScene(kafka, "kills");
    // Requests take their time on the way and die with their sender: otherwise hardly a transaction would be open when the kill comes.
    proxy.misbehave({
      dice: seededDice(1),
      kinds: ["request_late"],
      requests: transactionRequests,
      share: 0.5,
      hangMsMax: 0,
    });
    const dice = seededDice(printedSeed("exactly-once kills"));
    for (let round = 0; round < rounds; round++) {
      await scene.drop(1000);
      const gateway = scene.start();
      await gateway.logged(/Reading "/);
      await sleep(systemClock, dice() * 1500);
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
    proxy.misbehave(null);
    const gateway = scene.start();
    await scene.settled();
    assert.equal(await gateway.stop(), 0, gateway.stderr());
    await assertExactlyOnce(scene);
  });

  Deno.test("with acknowledgements and requests lost, connections hanging and Kafka killed, nothing is lost and nothing doubled", async () => {
    const { kafka, proxy } = running();
    await using scene = await exactlyOnceScene(kafka, "faults", "none");
    const dice = seededDice(printedSeed("exactly-once faults"));
    await scene.drop(40_000);
    const gateway = scene.start("--files-in-flight", "1000");
    await gateway.logged(/Reading "/);
    proxy.misbehave({ dice, kinds: faultKinds, requests: transactionRequests, share: 0.05, hangMsMax: 400 });
    const before = sumOf(proxy.happened);
    await eventually("faults have happened", () => sumOf(proxy.happened) > before + 25);
    await scene.drop(3000);
    await killAndStart(kafka);
    proxy.misbehave(null);
    await scene.settled();
    assert.equal(await gateway.stop(), 0, gateway.stderr());
    await assertExactlyOnce(scene);
  });

  Deno.test("stopped in the middle of a transaction until Kafka has aborted it: told from a fence, and each row arrives once", async () => {
    // One of its own: where transactions may take so little time, the requests that are lost in the other tests end most of them.
    await using behind = await startKafkaBehindProxy({
      "transaction.max.timeout.ms": "5000",
      "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    });
    const { kafka, proxy } = behind;
    await using scene = await exactlyOnceScene(kafka, "stalled");
    await scene.drop(300);
    const gateway = scene.start();
    try {
      await scene.settled();
      const aborts = async () =>
        (await kafka.dumpLog(scene.checkpointTopic, 0)).split("endTxnMarker: ABORT").length - 1;
      const hang = { dice: seededDice(1), kinds: ["acknowledgement_lost"], share: 1, hangMsMax: 60_000 } as const;
      // The second time the coordinator is killed meanwhile: from its log it does not know any more who held the id before.
      for (const killed of [false, true]) {
        const before = await aborts();
        // Its rows are in the log and it does not learn it: the transaction is open.
        const losses = proxy.happened.acknowledgement_lost;
        proxy.misbehave({ ...hang, requests: [produceRequest] });
        await scene.drop(1500);
        await eventually("a transaction is open", () => proxy.happened.acknowledgement_lost > losses || null);
        gateway.signal("SIGSTOP");
        proxy.misbehave(null);
        if (killed) await killAndStart(kafka);
        await eventually("Kafka aborts it", async () => await aborts() > before || null);
        if (killed) await killAndStart(kafka);
        gateway.signal("SIGCONT");
        await scene.settled();
      }
      assert.equal(await gateway.stop(), 0, gateway.stderr());
      await assertExactlyOnce(scene);
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
  });

  Deno.test("a gateway whose state folder is gone goes on from Kafka's checkpoints, with its dead letters in their topic once", async () => {
    const { kafka } = running();
    // Slowly, so that on a slow machine, too, it is killed in the middle: to read a topic may take ten seconds there, to ask for its end does not.
    await using scene = await exactlyOnceScene(kafka, "lost", 100);
    await kafka.createTopic("eos-lost-letters", 1, {});
    const more = ["--dead-letter-topic", "eos-lost-letters"];
    await scene.drop(4000);
    const first = scene.start(...more);
    await eventually("some rows have arrived", async () => await countOf(kafka, scene.topic) > 200);
    first.signal("SIGKILL");
    await first.ended;
    assert.ok((await scene.arrived()).length < scene.expected.good.length, "killed in the middle, not after it");
    await Deno.remove(`${scene.root}/state`, { recursive: true });
    const second = startGateway(withReplaced(scene.arguments(...more), ["--files-cap", "none"]));
    await second.logged(/checkpoints that Kafka keeps/);
    await scene.settled();
    assert.equal(await second.stop(), 0, second.stderr());
    assert.deepEqual(await scene.arrived(), scene.expected.good);
    const letters = (await kafka.read("eos-lost-letters")).map(({ key }) => key);
    const wanted = scene.expected.bad + scene.expected.tooLarge;
    assert.deepEqual([new Set(letters).size, letters.length], [wanted, wanted]);
  });

  Deno.test("a second gateway of the same name takes the files over: the first stops with a clear error, and no restart mends it", async () => {
    const { kafka } = running();
    await using scene = await exactlyOnceScene(kafka, "zombie");
    await scene.drop(300);
    const zombie = scene.start();
    await zombie.logged(/Reading "/);
    const elsewhere = ["--state-dir", `${scene.root}/other-state`, "--files-dir", `${scene.root}/other-drop`];
    await Deno.mkdir(`${scene.root}/other-drop`);
    const successor = startGateway(withReplaced(scene.arguments(), elsewhere));
    await successor.logged(/go in transactions/);
    await scene.drop(300);
    assert.equal(await zombie.ended, 78, zombie.stderr());
    assert.match(zombie.stderr(), /Another Weir has taken over the files .*"gw-zombie-files"/);
    assert.match(zombie.stderr(), /--gateway/);
    assert.equal(await successor.stop(), 0, successor.stderr());
    const arrived = await scene.arrived();
    assert.equal(new Set(arrived).size, arrived.length, "nothing is doubled");
  });
}

/** Arguments with the values of some flags replaced. */
function withReplaced(args: readonly string[], replaced: readonly string[]): readonly string[] {
  const out = [...args];
  for (let i = 0; i < replaced.length; i += 2) {
    const at = out.indexOf(replaced[i] ?? "");
    assert.ok(at >= 0);
    out[at + 1] = replaced[i + 1] ?? "";
  }
  return out;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
