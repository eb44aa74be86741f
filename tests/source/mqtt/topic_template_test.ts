import assert from "node:assert/strict";
import fc from "fast-check";
import { WeirError } from "../../../src/core/error.ts";
import { parseTopicTemplate } from "../../../src/source/mqtt/topic_template.ts";

/** A second opinion: MQTT's matching rules as a regular expression. */
function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const pattern = filter.split("/").map((level) => {
    if (level === "+") return "[^/]*";
    return level === "#" ? "[^]*" : level.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }).join("/").replace(/(^|\/)\[\^\]\*$/, (_all, slash) => slash === "" ? "[^]*" : "(/[^]*)?");
  return new RegExp(`^${pattern}$`, "u").test(topic);
}

const level = fc.constantFrom("a", "b", "plant", "", "$SYS", "d.1");
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/")).filter((text) =>
  text !== ""
);
const templateLevels = fc.record({
  levels: fc.array(fc.oneof(level.map((text) => ({ text })), fc.constant({ text: "+" }), fc.constant({ text: "{}" })), {
    minLength: 1,
    maxLength: 5,
  }),
  end: fc.constantFrom("", "#", "{rest#}"),
});
const template = templateLevels.map(({ levels, end }) => {
  const texts = levels.map(({ text }, index) => text === "{}" ? `{f${index}}` : text);
  return [...texts, ...(end === "" ? [] : [end])].join("/");
}).filter((text) => text !== "");

Deno.test("A template without names matches exactly what its filter matches", () => {
  fc.assert(
    fc.property(template, topic, (text, name) => {
      const plain = text.replace(/\{f\d\}/g, "+").replace("{rest#}", "#");
      const parsed = parseTopicTemplate(plain);
      assert.equal(parsed.filter, plain);
      assert.equal(parsed.match(name) !== null, filterMatches(plain, name), `${plain} on ${name}`);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("A template with names matches what its filter matches, but for empty named levels, and puts the topic back together", () => {
  fc.assert(
    fc.property(template, topic, (text, name) => {
      const parsed = parseTopicTemplate(text);
      const fields = parsed.match(name);
      if (fields === null) {
        const emptyNamed = name.split("/").some((part, index) =>
          part === "" && text.split("/")[index]?.startsWith("{")
        );
        assert.ok(!filterMatches(parsed.filter, name) || emptyNamed);
        return;
      }
      assert.ok(filterMatches(parsed.filter, name));
      assert.deepEqual(Object.keys(fields), [...parsed.fieldNames]);
      const levels = text.split("/");
      for (const [index, part] of levels.entries()) {
        if (part === "{rest#}") assert.equal(fields["rest"], name.split("/").slice(index).join("/"));
        else if (part.startsWith("{")) assert.equal(fields[part.slice(1, -1)], name.split("/")[index]);
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("A shared subscription passes through to the filter and is not part of the topics", () => {
  const parsed = parseTopicTemplate("$share/gateways/plant/{site}/#");
  assert.equal(parsed.filter, "$share/gateways/plant/+/#");
  assert.equal(parsed.topicFilter, "plant/+/#");
  assert.deepEqual({ ...parsed.match("plant/hamburg/a/b") }, { site: "hamburg" });
});

Deno.test("A field may have any name that a template can give, and none reaches a prototype", () => {
  const fields = parseTopicTemplate("{__proto__}/{constructor}").match("a/b");
  assert.deepEqual(Object.keys(fields ?? {}), ["__proto__", "constructor"]);
  assert.equal(Object.getPrototypeOf(fields), null);
});

Deno.test("A template that cannot be is refused with advice, and hostile text in it is escaped", () => {
  const wrong = [
    "",
    "a/#/b",
    "{rest#}/b",
    "a+/b",
    "a/b#",
    "a/{b",
    "a/{}",
    "a/{b c}",
    "a/x{b}",
    "{a}/{a}",
    "$share",
    "$share/g",
    "$share/g/",
    "$share//a",
    "$share/+/a",
    "a/\u0000",
    "a/\u001b[31m",
    "\ud800",
    "x".repeat(65_536),
  ];
  for (const text of wrong) {
    assert.throws(() => parseTopicTemplate(text), (error) => {
      assert.ok(error instanceof WeirError && error.code === "configuration");
      assert.ok((error.advice ?? "").length > 10);
      assert.doesNotMatch(error.message, /\p{Cc}/u);
      return true;
    }, JSON.stringify(text.slice(0, 20)));
  }
});
