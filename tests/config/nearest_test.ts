import assert from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest } from "../../src/config/nearest.ts";
import { optionList } from "../../src/config/options.ts";

const names = optionList.map((option) => option.name);

Deno.test("a slip of the finger in any setting finds that setting", () => {
  const slips: Readonly<Record<string, string>> = {
    "mqtt-ulr": "mqtt-url",
    "mqtt_url": "mqtt-url",
    "MQTT-URL": "mqtt-url",
    "file-cap": "files-cap",
    "files-dirs": "files-dir",
    "kafka-broker": "kafka-brokers",
    "brokers": "kafka-brokers",
    "state": "state-dir",
    "mqtt-pasword-file": "mqtt-password-file",
  };
  for (const [slip, right] of Object.entries(slips)) assert.equal(nearest(slip, names), right, slip);
});

Deno.test("one letter too many or too few in a longer name still finds it", () => {
  const long = names.filter((name) => name.length >= 9);
  fc.assert(fc.property(fc.constantFrom(...long), fc.nat(), fc.boolean(), (name, at, drop) => {
    const i = at % name.length;
    const slip = name.slice(0, i) + (drop ? "" : "x") + name.slice(drop ? i + 1 : i);
    assert.ok(editDistance(slip, nearest(slip, names) ?? "") <= 1);
  }));
});

Deno.test("nothing is suggested for a word that is near to nothing", () => {
  assert.equal(nearest("banana", names), null);
  assert.equal(nearest("x", ["mqtt-url"]), null);
});

Deno.test("the distance counts insertions, deletions, replacements and swaps as one each", () => {
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("abc", "abc"), 0);
  assert.equal(editDistance("abc", "acb"), 1);
  assert.equal(editDistance("kitten", "sitting"), 3);
});

Deno.test("the distance is symmetric, and zero only for equal texts", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(fc.property(word, word, (a, b) => {
    assert.equal(editDistance(a, b), editDistance(b, a));
    assert.equal(editDistance(a, b) === 0, a === b);
  }));
});

Deno.test("a name that shares nothing with what was written is no hint", () => {
  assert.equal(nearest("2", ["0", "1"]), null);
  assert.equal(nearest("b", ["ab", "1"]), null);
});
