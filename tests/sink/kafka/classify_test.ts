import assert from "node:assert/strict";
import { troubleOf, verdictOf } from "../../../src/sink/kafka/classify.ts";

const actions: Readonly<Record<string, readonly number[]>> = {
  done: [0, 46],
  again: [-1, 2, 3, 5, 6, 7, 14, 15, 16, 17, 19, 20, 29, 31, 35, 56, 74, 76],
  split: [10, 18, 87],
  restamp: [32],
  new_id: [45, 47, 59],
};
for (const [action, codes] of Object.entries(actions)) {
  Deno.test(`codes ${codes.join(", ")} mean "${action}"`, () => {
    for (const code of codes) assert.equal(verdictOf(code).action, action, `code ${code}`);
  });
}

Deno.test("a code that nobody knows is tried again and told with its number, never refused", () => {
  for (let code = 100; code < 200; code++) {
    assert.equal(verdictOf(code).action, "again");
    assert.match(verdictOf(code).what, new RegExp(`error code ${code}`));
  }
});

Deno.test("a lack of permission is told at once, with what to allow", () => {
  for (const code of [29, 31]) {
    assert.equal(verdictOf(code).passing, false);
    assert.match(verdictOf(code).advice, /Allow .*Write/);
  }
});

Deno.test("every way in which the network can be away is one trouble; what a person must mend is another", () => {
  assert.deepEqual(
    new Set((["refused", "lost", "timed_out", "unresolved"] as const).map(troubleOf)),
    new Set(["connection"]),
  );
  assert.equal(troubleOf("authentication"), "authentication");
  assert.equal(troubleOf("tls"), "tls");
});
