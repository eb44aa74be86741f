/**
 * A process for the kill test: takes the lock of the state folder given, writes dead letters and checkpoints as fast as it can, and prints the number
 * of each batch once it is acknowledged. It never ends by itself.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { lockState } from "../../src/store/lock.ts";
import { fileRecord, letter } from "../support/ledger_values.ts";

const stateDir = Deno.args[0] ?? "";
const first = Number(Deno.args[1]);
await lockState(stateDir);
const ledger = await openLedger({ stateDir, deadLetterBytesMax: 2 ** 30, clock: systemClock, emit: () => {} });
for (let batch = first;; batch++) {
  const [result] = await Promise.all([
    ledger.append([letter(`${batch}/a`), letter(`${batch}/b`, { raw: new Uint8Array(3_000) })]),
    ledger.saveFiles([fileRecord(`file ${batch}`)]),
  ]);
  if (result.accepted !== 2) throw new Error("Refused");
  await Deno.stdout.write(new TextEncoder().encode(`${batch}\n`));
}
