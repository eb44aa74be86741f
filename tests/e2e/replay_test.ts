/**
 * Dead letters tried again, through the real program: what failed under the old rules arrives under the new ones, as what it was.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Gateway, runGateway, startGateway } from "../support/gateway.ts";

interface Place {
  readonly out: string;
  readonly state: readonly string[];
  readonly args: readonly string[];
}

/**
 * A state folder in which four rows of two files are dead letters: `dev` was no name of `device_id`, and one row is ragged.
 *
 * @param more so many rows more, of a third file, whose device is `dev`
 */
async function placeWithLetters(more = 0): Promise<Place> {
  const root = await Deno.makeTempDir({ prefix: "weir-replay-" });
  const drop = `${root}/drop`;
  const out = `${root}/out.ndjson`;
  await Deno.mkdir(drop);
  const state = ["--state-dir", `${root}/state`];
  const args = [
    ...["--files-dir", drop, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", "none"],
    ...["--sink", `ndjson:${out}`, ...state, "--gateway", "gw", "--log-format", "text"],
  ];
  await Deno.writeTextFile(`${drop}/a.csv`, "device_id;metric;value;ts\na;m;1,5;1767225600\n;m;2;1767225600\nragged\n");
  await Deno.writeTextFile(
    `${drop}/b.ndjson`,
    '{"dev":"c","metric":"m","value":3,"ts":1767225600}\n{"dev":"d","metric":"m","value":12345678901234567890}\n' +
      '{"device_id":"e","metric":"m","value":4}\n',
  );
  const rows = Array.from({ length: more }, (_, n) => `{"dev":"n${n}","metric":"m","value":${n}}\n`);
  await Deno.writeTextFile(`${drop}/c.ndjson`, rows.join(""));
  const ran = await runGateway(["run", "--once", ...args]);
  assert.equal(ran.code, 0, ran.stderr);
  return { out, state, args };
}

async function linesOf(path: string): Promise<readonly string[]> {
  return (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
}

async function lettersOf(place: Place): Promise<readonly Record<string, unknown>[]> {
  const listed = await runGateway(["dlq", "list", "--json", ...place.state]);
  assert.equal(listed.code, 0, listed.stderr);
  return listed.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function running(place: Place, ...more: readonly string[]): Promise<Gateway> {
  const gateway = startGateway(["run", ...place.args, ...more]);
  await gateway.logged(/Weir .* is "gw"/);
  return gateway;
}

Deno.test("rows that failed arrive after a restart with an alias that fits: their letters go, those that fail again stay", async () => {
  const place = await placeWithLetters();
  const before = await lettersOf(place);
  const reasons = before.map((letter) => letter["reason"]).sort();
  assert.deepEqual(reasons, ["bad_csv", "missing_field", "missing_field", "missing_field"]);

  const nobody = await runGateway(["dlq", "replay", ...place.state]);
  assert.equal(nobody.code, 69, nobody.stderr);
  assert.match(nobody.stderr, /No gateway runs on the state folder .*\n.*weir run/);

  const sent = (await linesOf(place.out)).length;
  const gateway = await running(place, "--alias", "device_id=dev");
  try {
    const none = await runGateway(["dlq", "replay", "--reason", "too_large", ...place.state]);
    assert.match(none.stdout, /No dead letters match/);
    const replayed = await runGateway(["dlq", "replay", "--rate", "100/s", ...place.state]);
    assert.equal(replayed.code, 0, replayed.stderr);
    assert.match(replayed.stdout, /4 replayed: 2 delivered again, 0 filtered, 2 failed again/);
    await gateway.logged(/Replayed 4 dead letters: 2 delivered again/);
  } finally {
    assert.equal(await gateway.stop(), 0, gateway.stderr());
  }
  assert.match(gateway.stderr(), /dead letters: 4 replayed = 2 delivered \+ 0 filtered \+ 2 failed again/);
  assert.match(gateway.stderr(), /batch: 4 read = 2 delivered \+ 0 filtered \+ 2 dead-lettered \+ 0 dropped \+ 0 open/);

  const arrived = (await linesOf(place.out)).slice(sent);
  const readings = arrived.map((line) => JSON.parse(line));
  assert.deepEqual(readings.map(({ device_id, origin }) => [device_id, origin]), [["c", "batch"], ["d", "batch"]]);
  assert.match(arrived[1] ?? "", /"value":12345678901234567890/, "the digits are kept");
  const left = await lettersOf(place);
  assert.deepEqual(left.map((letter) => [letter["reason"], letter["tries"]]).sort(), [["bad_csv", 1], [
    "missing_field",
    1,
  ]]);
  const numbers = new Set(before.map((letter) => letter["number"]));
  assert.ok(left.every((letter) => numbers.has(letter["number"])), "a letter that fails again keeps its number");
});

Deno.test("a replay that is killed in the middle goes on after the restart, and a command that stops watching stops nothing", async () => {
  // Ten seconds of work, so that on a slow machine, too, the stop comes into the middle of it.
  const more = 40;
  const place = await placeWithLetters(more);
  const gateway = await running(place, "--alias", "device_id=dev");
  const asked = startGateway(["dlq", "replay", "--rate", "4/s", "--reason", "missing_field", ...place.state]);
  await gateway.logged(/Replaying 43 dead letters/);
  asked.signal("SIGINT");
  assert.equal(await asked.ended, 0);
  assert.match(asked.stdout(), /The gateway goes on with the replay/);
  gateway.signal("SIGKILL");
  await gateway.ended;
  const again = await running(place, "--alias", "device_id=dev");
  try {
    await again.logged(/Replayed 43 dead letters: 42 delivered again, 0 filtered, 1 failed again/);
  } finally {
    assert.equal(await again.stop(), 0, again.stderr());
  }
  const devices = new Set((await linesOf(place.out)).map((line) => JSON.parse(line).device_id));
  assert.deepEqual(
    [...devices].sort(),
    ["a", "c", "d", "e", ...Array.from({ length: more }, (_, n) => `n${n}`)].sort(),
  );
  assert.equal((await lettersOf(place)).length, 2);
});

Deno.test("purge deletes what the filter names, wants --all for everything, and says how many went", async () => {
  const place = await placeWithLetters();
  const refused = await runGateway(["dlq", "purge", ...place.state]);
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /--all/);
  const gateway = await running(place);
  try {
    const some = await runGateway(["dlq", "purge", "--reason", "bad_csv", ...place.state]);
    assert.equal(some.code, 0, some.stderr);
    assert.match(some.stdout, /^1 dead letter deleted/);
    const all = await runGateway(["dlq", "purge", "--all", "--yes", ...place.state]);
    assert.match(all.stdout, /^3 dead letters deleted/);
  } finally {
    assert.equal(await gateway.stop(), 0, gateway.stderr());
  }
  assert.deepEqual(await lettersOf(place), []);
});
