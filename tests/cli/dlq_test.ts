import assert from "node:assert/strict";
import { dlqList, dlqShow } from "../../src/cli/dlq.ts";
import type { LetterFilter, StoredLetter } from "../../src/core/store.ts";
import { fakeContext } from "./fake_context.ts";

const letter: StoredLetter = {
  number: 17,
  storedAtMs: Date.UTC(2026, 2, 1, 8),
  tries: 0,
  id: "gw/abc/1234",
  reason: "bad_csv",
  detail: "7 cells, 5 columns",
  origin: "batch",
  source: "/var/lib/dumps/\u001b[2Jevil.csv",
  row: 42,
  byte: 1234,
  decoder: "csv",
  header: ["device_id", "value"],
  raw: new TextEncoder().encode("a,b\u001b]0;owned\u0007,\u202ec\r\n"),
  arrivedAtMs: Date.UTC(2026, 2, 1, 7),
};

const binary: StoredLetter = { ...letter, number: 18, reason: "invalid_utf8", raw: new Uint8Array([0xff, 0x00, 0x1b]) };

/** No control character but the line break, and no bidirectional override. */
function assertSafe(text: string): void {
  assert.ok(!/[^\P{C}\n]/u.test(text), JSON.stringify(text));
}

Deno.test("list shows a letter a line, newest as the store gives them, and how many there are", async () => {
  const letters = {
    list: () => Promise.resolve([binary, letter]),
    letterCount: () => Promise.resolve({ letters: 1234, bytes: 3 * 2 ** 20 }),
  };
  const fake = fakeContext(["--state-dir", "/state"], { letters });
  assert.equal(await dlqList.run(fake.context), 0);
  const lines = fake.out().split("\n");
  assert.match(lines[0] ?? "", /^NUMBER {2}STORED +REASON +SOURCE +DETAIL$/);
  assert.match(lines[1] ?? "", /^18 +2026-03-01T08:00:00Z {2}invalid_utf8 /);
  assert.match(lines[2] ?? "", /evil\.csv:42 +7 cells, 5 columns$/);
  assert.match(fake.out(), /2 of 1,234 letters \(3 MiB\); more with --limit/);
  assertSafe(fake.out());
  assert.deepEqual(fake.seen.calls, ["open /state", "close"]);
});

Deno.test("the flags become the filter: reason, origin, source, times", async () => {
  let asked: { filter: LetterFilter; limit: number } | null = null;
  const letters = {
    list(filter: LetterFilter, limit: number) {
      asked = { filter, limit };
      return Promise.resolve([]);
    },
  };
  const flags = [
    "--reason",
    "bad_csv",
    "--origin",
    "batch",
    "--source",
    "/a",
    "--since",
    "2h",
    "--until",
    "2026-03-01",
  ];
  const fake = fakeContext([...flags, "--limit", "7"], { letters });
  await dlqList.run(fake.context);
  assert.deepEqual(asked, {
    filter: {
      reason: "bad_csv",
      origin: "batch",
      source: "/a",
      sinceMs: fake.clock.wallMs() - 7_200_000,
      untilMs: Date.UTC(2026, 2, 1),
    },
    limit: 7,
  });
  assert.equal(fake.out(), "No dead letters.\n");
});

Deno.test("as JSON a letter is one safe line, and its bytes come back whole", async () => {
  const fake = fakeContext(["--json"], { letters: { list: () => Promise.resolve([letter, binary]) } });
  await dlqList.run(fake.context);
  assertSafe(fake.out());
  const [first, second] = fake.out().trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(first.source, letter.source);
  assert.equal(first.raw_text, new TextDecoder().decode(letter.raw));
  assert.equal(second.raw_text, null);
  assert.deepEqual(Uint8Array.fromBase64(second.raw_base64), binary.raw);
});

Deno.test("show tells everything about a letter, its bytes escaped, or in hex when they are no text", async () => {
  const show = async (stored: StoredLetter) => {
    const fake = fakeContext(["17"], { letters: { letter: () => Promise.resolve(stored) } });
    assert.equal(await dlqShow.run(fake.context), 0);
    assertSafe(fake.out());
    return fake.out();
  };
  assert.match(await show(letter), /^number {3}17\nid {7}gw\/abc\/1234\nreason {3}bad_csv\n/);
  assert.match(await show(letter), /header {3}device_id,value\n/);
  assert.match(await show(letter), /\n\na,b\\u001b\]0;owned\\u0007,\\u202ec\n$/);
  assert.match(await show(binary), /\(not UTF-8, in hex\) ff001b\n$/);
});

Deno.test("a letter that is not there leaves with 69, a number that is none with 78", async () => {
  const none = fakeContext(["99"], { letters: {} });
  assert.equal(await dlqShow.run(none.context), 69);
  assert.match(none.err(), /no dead letter 99/);
  assert.ok(none.seen.calls.includes("close"));
  for (const args of [[], ["x"], ["1", "2"]]) {
    const fake = fakeContext(args, { letters: {} });
    assert.equal(await dlqShow.run(fake.context), 78, args.join(" "));
  }
});

Deno.test("the gateway's own settings in the environment do not disturb", async () => {
  const environment = { WEIR_MQTT_URL: "mqtt://h", WEIR_STATE_DIR: "/s", WEIR_ONCE: "true" };
  const fake = fakeContext([], { letters: {}, machine: { environment } });
  assert.equal(await dlqList.run(fake.context), 0);
  assert.deepEqual(fake.seen.calls, ["open /s", "close"]);
});
