/**
 * The whole program, many seeds, in virtual time. A failing seed is printed; `WEIR_SIMULATION_SEED=<seed>` plays it alone, and
 * `WEIR_SIMULATION_SEEDS=<count>` plays more of them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { keyOf, type Outcome, play } from "./world.ts";

const onlySeed = Deno.env.get("WEIR_SIMULATION_SEED");
const count = Number(Deno.env.get("WEIR_SIMULATION_SEEDS") ?? 40);
const seeds = onlySeed === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(onlySeed)];

Deno.test("every seed: nothing is lost, order holds, the cap holds in every window, sums add up", async () => {
  for (const seed of seeds) {
    try {
      judge(await play(seed));
    } catch (cause) {
      throw new Error(`Seed ${seed} fails; WEIR_SIMULATION_SEED=${seed} plays it alone`, { cause });
    }
  }
});

function judge(outcome: Outcome): void {
  nothingIsLost(outcome);
  orderHolds(outcome);
  capHolds(outcome);
  sumsAddUp(outcome);
}

/** Everything good arrived or, refused by the sink, is a dead letter; everything bad is a dead letter; nothing filtered arrived. */
function nothingIsLost({ sent, arrived, letters }: Outcome): void {
  const home = new Set(arrived.map((reading) => keyOf(reading.value)));
  const refused = new Set(
    letters.filter((letter) => letter.decoder === "reading").map((letter) =>
      keyOf(new TextDecoder().decode(letter.raw))
    ),
  );
  for (const key of sent.good) assert.ok(home.has(key) !== refused.has(key), `${key} has no home, or two`);
  for (const key of sent.filtered) assert.ok(!home.has(key), `${key} was filtered and arrived`);
  assert.equal(home.size + refused.size, sent.good.size, "nothing that was not sent");
  const bad = new Set(letters.filter((letter) => letter.decoder !== "reading").map((letter) => letter.id));
  // A bad message that comes again after a restart has a new id; a bad row keeps its own.
  assert.ok(bad.size >= sent.bad, `${bad.size} dead letters for ${sent.bad} bad ones`);
}

/** Of what arrives for the first time, each device's readings come in the order in which they were sent. */
function orderHolds({ arrived }: Outcome): void {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const { value } of arrived) {
    const key = keyOf(value);
    if (seen.has(key)) continue;
    seen.add(key);
    const [device = "", number = ""] = key.split(":");
    assert.ok(Number(number) > (last.get(device) ?? -1), `${key} after ${last.get(device)}`);
    last.set(device, Number(number));
  }
}

/** Rows let go in every window [a, b] are at most the burst and the cap's share of it, also across restarts and clock steps. */
function capHolds({ dispatched, fairShare }: Outcome): void {
  const perMs = (fairShare.capRows ?? Infinity) / 1000;
  let before = 0;
  let least = Infinity;
  for (const { atMs, rows } of dispatched) {
    least = Math.min(least, before - perMs * atMs);
    before += rows;
    const over = before - perMs * atMs - least - fairShare.burstRows;
    assert.ok(over <= 1e-6, `${over} rows over the cap in a window that ends at ${atMs} ms`);
  }
}

/** At rest nothing is open, in the last life; and every receipt says that what was read has a verdict. */
function sumsAddUp({ tallies, disk }: Outcome): void {
  const last = tallies.at(-1);
  assert.equal(last?.sums("batch").open, 0);
  assert.equal(last?.sums("real_time").open, 0);
  for (const path of disk.paths().filter((one) => one.endsWith(".receipt.json"))) {
    const receipt = JSON.parse(disk.text(path));
    assert.equal(receipt.read, receipt.delivered + receipt.filtered + receipt.dead_lettered, path);
  }
}
