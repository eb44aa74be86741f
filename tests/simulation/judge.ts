/**
 * The promises, held against a world at its end.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Arrived } from "./far_side.ts";
import { largeSpoolBytes } from "./nature.ts";
import type { Outcome } from "./world.ts";

/** Fails with the first promise that does not hold. */
export async function judge(outcome: Outcome): Promise<void> {
  await oneHomeEach(outcome);
  orderHolds(outcome);
  secondCopiesAreKnown(outcome);
  capHolds(outcome);
  sumsAddUp(outcome);
  receiptsAreTrue(outcome);
  dropsAreCounted(outcome);
}

/** Everything that was sent is in exactly one class of verdicts, and nothing else is anywhere. */
async function oneHomeEach({ books, ledger, nature, droppedLetters, purgedIds }: Outcome): Promise<void> {
  const stored = await ledger.now.list({}, Infinity);
  const storedIds = new Set(stored.map(({ id }) => id));
  for (const [key, fate] of books.all) {
    const arrived = books.home.has(key);
    const lettered = books.letteredKeys.has(key);
    if (fate === "good") {
      assert.ok(arrived || books.lost.has(key) || books.droppedKeys.has(key), `${key} is lost`);
      assert.ok(!lettered, `${key} is good and was a dead letter`);
    } else if (fate === "filtered") {
      assert.ok(!arrived && !lettered, `${key} was filtered and has a home`);
    } else if (fate === "bad") {
      assert.ok(!arrived, `${key} is bad and arrived`);
      assert.ok(lettered || books.lost.has(key), `${key} is bad and no dead letter`);
    } else {
      // Its letter was replayed after the far side was mended.
      const gone = nature.smallStore && lettered;
      assert.ok(
        arrived || gone || books.lost.has(key) || books.droppedKeys.has(key),
        `${key} was refused, and is lost`,
      );
    }
  }
  for (const key of books.home) assert.ok(books.all.has(key), `${key} arrived and was never sent`);
  for (const key of books.letteredKeys) assert.ok(books.all.has(key), `a dead letter of what was never sent: ${key}`);
  let missing = 0;
  for (const [id, { origin, key }] of books.letteredIds) {
    if (storedIds.has(id) || purgedIds.has(id)) continue;
    // Those of what was refused went when their replay was delivered.
    if (books.home.has(key)) continue;
    assert.equal(origin, "real_time", `the dead letter ${id} of a file is gone`);
    missing += 1;
  }
  assert.ok(missing <= droppedLetters, `${missing} dead letters are gone, ${droppedLetters} were counted as dropped`);
}

/** Of what arrives for the first time, each device's readings come in the order in which they were sent. */
function orderHolds({ books, far }: Outcome): void {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const { key } of far.arrived) {
    // What was refused comes later, by a replay; what the full spool let go, when the broker has missed its PUBACK and sends it again.
    if (seen.has(key) || books.fateOf(key) === "refused" || books.droppedKeys.has(key)) continue;
    seen.add(key);
    const [device = "", number = ""] = key.split(":");
    assert.ok(Number(number) > (last.get(device) ?? -1), `${key} came after ${last.get(device)}`);
    last.set(device, Number(number));
  }
}

/** What comes twice can be told: a row by its id, a message by its mark. And there is no more of it than is promised. */
function secondCopiesAreKnown({ books, far, nature, lives, lostConnections }: Outcome): void {
  const first = new Map<string, Arrived>();
  let rows = 0;
  let messages = 0;
  for (const arrived of far.arrived) {
    const before = first.get(arrived.key);
    if (before === undefined) {
      first.set(arrived.key, arrived);
      continue;
    }
    const ofFile = arrived.key.startsWith("file");
    // What was refused comes by a replay, which is at least once in every mode.
    if (ofFile && !(nature.exactlyOnce && books.fateOf(arrived.key) === "refused")) rows += 1;
    else if (ofFile) continue;
    else messages += 1;
    if (arrived.id === null) continue;
    // A message that was refused and comes again after a crash is a second dead letter; replayed, both arrive.
    const twoLetters = !ofFile && books.fateOf(arrived.key) === "refused";
    const known = arrived.id === before.id || !ofFile && arrived.redelivered || twoLetters;
    assert.ok(known, `a second copy of ${arrived.key} cannot be told: ${before.id}, ${arrived.id}`);
  }
  // After a crash, and after a write that failed, what was sent off the disk and not removed is sent again.
  const resent = nature.spool !== null && (nature.troubles > 0 || lives.some(({ cause }) => cause !== "stopped"));
  assert.ok(
    resent || messages <= 20 * lostConnections,
    `${messages} messages came twice in ${lostConnections} connections`,
  );
  const { capRows, filesInFlightRows, burstRows } = nature.fairShare;
  const crashes = lives.filter(({ cause }) => cause !== "stopped").length;
  // In flight, and acknowledged since the last commit: a second and the commit's own time, one burst.
  const perCrash = filesInFlightRows + burstRows + (capRows ?? Infinity) * (1 + 2 * nature.commitMs / 1000);
  const bound = nature.exactlyOnce ? 0 : nature.powerCuts || nature.troubles > 0 ? Infinity : crashes * perCrash;
  assert.ok(rows <= bound, `${rows} rows came twice in ${crashes} crashes, ${bound} are allowed`);
}

/** Rows let go in every window [a, b] are at most the burst and the cap's share of it, also across lives and clock steps. */
function capHolds({ dispatched, nature: { fairShare } }: Outcome): void {
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

/** In each life: what was read has a verdict or is one of those in flight, and delivered is what the sink said. */
function sumsAddUp({ lives, nature }: Outcome): void {
  for (const { number, tally, delivered, cause, spooled } of lives) {
    const [live, batch] = [tally.sums("real_time"), tally.sums("batch")];
    const counted = live.delivered + batch.delivered;
    // The last chunk of a life may be committed and nobody hears of it.
    assert.ok(nature.exactlyOnce ? counted <= delivered : counted === delivered, `life ${number}: delivered`);
    assert.ok(live.open >= 0 && batch.open >= 0, `life ${number}: more verdicts than items`);
    const { inFlightRows } = nature.fairShare;
    const held = nature.spool === null ? 0 : inFlightRows;
    assert.ok(live.open + batch.open <= inFlightRows + held + spooled, `life ${number}: credits`);
    if (cause === "stopped") assert.ok(live.open + batch.open <= spooled, `life ${number} stopped with open items`);
  }
  assert.equal(lives.at(-1)?.spooled, 0, "the spool is not empty at the end");
}

/** A receipt says of each row of its file what became of it, once, over all lives. */
function receiptsAreTrue({ books, disk, nature }: Outcome): void {
  for (const path of disk.paths().filter((one) => one.endsWith(".receipt.json"))) {
    const { folder, file, read, delivered, filtered, dead_lettered } = JSON.parse(disk.text(path));
    const rows = books.files.get(`${folder}/${file}`) ?? [];
    const count = (...fates: string[]) => rows.filter((key) => fates.includes(books.fateOf(key) ?? "")).length;
    assert.equal(read, delivered + filtered + dead_lettered, path);
    assert.equal(read, rows.length, path);
    // What a power cut, or the end of a transaction, took back is read again, and may be taken by a far side that refused it before.
    if (nature.powerCuts || nature.exactlyOnce && nature.shares.refused > 0) continue;
    const expected = [count("good"), count("filtered"), count("bad", "refused")];
    assert.deepEqual([delivered, filtered, dead_lettered], expected, path);
  }
}

/** The spool lets go only what the rule says, and says how many. What was dropped in the moment of a crash is not counted. */
function dropsAreCounted({ lives, nature: { spool }, spoolDrops }: Outcome): void {
  const mayDrop = spool !== null && spool.whenFull !== "block" && spool.bytesMax < largeSpoolBytes;
  assert.ok(mayDrop || spoolDrops === 0, `${spoolDrops} readings were dropped`);
  const counted = lives.reduce((sum, { tally }) => sum + tally.sums("real_time").dropped, 0);
  const untold = lives.some(({ cause }) => cause === "spool, dropped: after");
  assert.ok(untold ? counted <= spoolDrops : counted === spoolDrops, `${spoolDrops} were dropped, ${counted} counted`);
}
