import assert from "node:assert/strict";
import { createLetters } from "../../../src/ops/status/letters.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { fakeLetter, fakeLetters } from "./fake_gateway.ts";

Deno.test("without a token nothing of what was in a letter is given out", async () => {
  const store = fakeLetters(fakeLetter(7, { detail: 'The value is "secret"', header: ["secret"] }));
  const view = await createLetters({ store, clock: virtualClock(), contentsShown: false }).view(1);
  assert.equal(view.newest[0]?.number, 7);
  assert.equal(view.newest[0]?.contents, null);
  assert.ok(!JSON.stringify(view).includes("secret"));
});

Deno.test("contents are escaped, keep their lines and are cut", async () => {
  const raw = new TextEncoder().encode(`{\n"a\u202e": \u0007}\r\n${"x".repeat(10_000)}`);
  const store = fakeLetters(fakeLetter(1, { raw, detail: "bad \u001b[31m" }));
  const { newest } = await createLetters({ store, clock: virtualClock(), contentsShown: true }).view(1);
  const contents = newest[0]?.contents;
  assert.equal(contents?.detail, "bad \\u001b[31m");
  assert.ok(contents?.raw.startsWith('{\n"a\\u202e": \\u0007}\\u000d\nxxx'));
  assert.ok(contents.raw.length < 4200);
  assert.equal(contents.rawBytes, raw.length);
  assert.equal(contents.rawIsCut, true);
});

Deno.test("the ledger is asked at most every five seconds, and only when there may be something new", async () => {
  const clock = virtualClock();
  const store = fakeLetters(fakeLetter(1));
  const letters = createLetters({ store, clock, contentsShown: false });
  await Promise.all([letters.view(1), letters.view(1)]);
  await letters.view(2);
  assert.equal(store.asked(), 1);
  await clock.advance(5000);
  await letters.view(1);
  assert.equal(store.asked(), 1, "nothing new");
  await letters.view(2);
  assert.equal(store.asked(), 2);
  await clock.advance(60_000);
  await letters.view(2);
  assert.equal(store.asked(), 3, "now and then in any case");
});

Deno.test("a ledger in trouble leaves the last known letters", async () => {
  const clock = virtualClock();
  const good = fakeLetters(fakeLetter(1));
  let broken = false;
  const store = { ...good, list: (...args: Parameters<typeof good.list>) => broken ? fail() : good.list(...args) };
  const letters = createLetters({ store, clock, contentsShown: false });
  await letters.view(1);
  broken = true;
  await clock.advance(60_000);
  assert.equal((await letters.view(2)).stored, 1);
});

function fail(): Promise<never> {
  return Promise.reject(new Error("The disk is away"));
}
