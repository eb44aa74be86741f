import assert from "node:assert/strict";
import { splitTail, tailWeight } from "../../src/config/tail.ts";

Deno.test("named parts come off the end, and commas in the head stay", () => {
  const { head, tail, mistake } = splitTail("/data/a,b/c,weight=2,every=1h", ["weight", "every"]);
  assert.equal(head, "/data/a,b/c");
  assert.deepEqual([...tail].sort(), [["every", "1h"], ["weight", "2"]]);
  assert.equal(mistake, null);
});

Deno.test("a comma inside a path that looks like a part is a part only at the end", () => {
  assert.equal(splitTail("/data/x,weight=2/y", ["weight"]).head, "/data/x,weight=2/y");
});

Deno.test("a rate keeps its /s", () => {
  assert.deepEqual([...splitTail("/data,cap=200/s", ["cap"]).tail], [["cap", "200/s"]]);
});

Deno.test("an unknown part is told with the nearest right one", () => {
  assert.equal(
    splitTail("topic,wieght=2", ["weight", "every"]).mistake,
    'Unknown part "wieght": must be weight=, every=. Did you mean weight=?',
  );
});

Deno.test("a part that stands twice is told", () => {
  assert.equal(splitTail("topic,weight=2,weight=3", ["weight"]).mistake, "The part weight= stands twice");
});

Deno.test("a weight is a number within reach, and 1 when not given", () => {
  assert.equal(tailWeight(undefined), 1);
  assert.equal(tailWeight("2.5"), 2.5);
  for (const text of ["0", "-1", "1001", "x", "", "1e3", "Infinity"]) assert.equal(tailWeight(text), null, text);
});
