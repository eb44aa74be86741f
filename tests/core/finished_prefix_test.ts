import assert from "node:assert/strict";
import fc from "fast-check";
import { finishedPrefix } from "../../src/core/finished_prefix.ts";

Deno.test("the prefix is exactly the run of finished indices from the front, in any order of starts and finishes", () => {
  fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 2000 }), (choices) => {
    const prefix = finishedPrefix();
    const open: number[] = [];
    const finished = new Set<number>();
    let expected = 0;
    for (const choice of choices) {
      if (choice % 5 < 3 || open.length === 0) {
        open.push(prefix.start());
      } else {
        const [index] = open.splice(choice % open.length, 1);
        assert.ok(index !== undefined);
        finished.add(index);
        const before = expected;
        while (finished.has(expected)) expected += 1;
        assert.equal(prefix.finish(index), expected - before);
      }
      assert.equal(prefix.length, expected);
    }
  }));
});

Deno.test("an index is finished once and only after it was started", () => {
  const prefix = finishedPrefix();
  assert.throws(() => prefix.finish(0), /Cannot finish index 0/);
  prefix.start();
  prefix.start();
  prefix.finish(1);
  assert.throws(() => prefix.finish(1), /finished already/);
  prefix.finish(0);
  assert.throws(() => prefix.finish(0), /Cannot finish index 0/);
});
