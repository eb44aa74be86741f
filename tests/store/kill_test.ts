import assert from "node:assert/strict";
import { seededDice } from "../../src/core/dice.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { lockState } from "../../src/store/lock.ts";
import { printedSeed } from "../support/seed.ts";
import { eventually, patienceMs } from "../support/servers.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const writer = new URL("./kill_writer.ts", import.meta.url).pathname;

/** Starts the writer, kills it after some acknowledged batches (until then it holds the lock), and returns the last one that it acknowledged. */
async function killedAfter(stateDir: string, first: number, batches: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", writer, stateDir, String(first)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  // Read to the end by somebody: a writer whose reader is gone would die of that, and not of the kill.
  let printed = "";
  const reading = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) printed += chunk;
  })();
  await eventually("enough batches are acknowledged", () => printed.split("\n").length > batches, patienceMs, 2);
  await assert.rejects(lockState(stateDir), new RegExp(`in use by process ${child.pid}$`, "m"));
  child.kill("SIGKILL");
  assert.equal((await child.status).signal, "SIGKILL");
  await reading;
  return first + printed.split("\n").filter((line) => /^\d+$/.test(line)).length - 1;
}

Deno.test("after SIGKILL every acknowledged letter and checkpoint is there, whole, and the lock is free", async () => {
  const stateDir = await Deno.makeTempDir();
  const seed = printedSeed("kills of the ledger");
  const dice = seededDice(seed);
  try {
    let last = -1;
    for (let life = 0; life < 3; life++) {
      last = await killedAfter(stateDir, last + 1, 1 + Math.floor(dice() * 60));
      const lock = await lockState(stateDir);
      const ledger = await openLedger({
        stateDir,
        deadLetterBytesMax: 2 ** 30,
        clock: virtualClock(),
        emit: (_level, name, message) => assert.notEqual(name, "ledger.set_aside", message),
      });
      const ids = new Set((await ledger.list({}, 100_000)).map((found) => found.id));
      for (let batch = 0; batch <= last; batch++) {
        const whole = ids.has(`${batch}/a`) && ids.has(`${batch}/b`) && await ledger.fileById(`file ${batch}`) !== null;
        assert.ok(whole, `batch ${batch} of ${last} was acknowledged and is not whole (seed ${seed})`);
      }
      assert.equal(ids.size % 2, 0, `half a batch was stored (seed ${seed})`);
      await ledger.close();
      await lock.release();
    }
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});
