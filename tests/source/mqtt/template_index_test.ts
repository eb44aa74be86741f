/**
 * The search among templates against trying one after the other.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createTemplateIndex } from "../../../src/source/mqtt/template_index.ts";
import { parseTopicTemplate } from "../../../src/source/mqtt/topic_template.ts";

const level = fc.constantFrom("a", "b", "", "$SYS");
const levelsOf = (one: fc.Arbitrary<string>) => fc.array(one, { minLength: 1, maxLength: 4 });
const topic = levelsOf(level).map((levels) => levels.join("/")).filter((text) => text !== "");
const template = fc.record({
  levels: levelsOf(fc.oneof(level, fc.constantFrom("+", "{}"))),
  end: fc.constantFrom("", "", "#", "{rest#}"),
  share: fc.constantFrom("", "", "$share/group/"),
}).map(({ levels, end, share }) => {
  const named = levels.map((text, i) => text === "{}" ? `{f${i}}` : text);
  return { share, text: [...named, ...(end === "" ? [] : [end])].join("/") };
}).filter(({ text }) => text !== "").map(({ share, text }) => share + text);

Deno.test("the template found is the first of the list that fits, with its fields", () => {
  let fits = 0;
  fc.assert(
    fc.property(fc.array(template, { maxLength: 12 }), fc.array(topic, { maxLength: 8 }), (texts, topics) => {
      const templates = texts.map((text) => parseTopicTemplate(text));
      const firstFit = createTemplateIndex(templates);
      for (const topic of topics) {
        const place = templates.findIndex((template) => template.match(topic) !== null);
        const found = firstFit(topic);
        assert.equal(found?.place ?? -1, place);
        assert.deepEqual(found?.fields ?? null, templates[place]?.match(topic) ?? null);
        if (found !== null) fits += 1;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(fits > 100, `only ${fits} topics fit`);
});

Deno.test("of a thousand templates only those are tried that can fit", () => {
  let tried = 0;
  const templates = Array.from({ length: 1_000 }, (_, i) => parseTopicTemplate(`plant/part-${i}/{device_id}`)).map(
    (template) => ({ ...template, match: (topic: string) => (tried += 1, template.match(topic)) }),
  );
  const firstFit = createTemplateIndex(templates);
  assert.equal(firstFit("plant/part-999/press-7")?.place, 999);
  assert.equal(firstFit("plant/part-1000/press-7"), null);
  assert.equal(tried, 1);
});

Deno.test("a topic of thousands of levels is searched like any other", () => {
  const deep = Array.from({ length: 30_000 }, () => "a").join("/");
  const firstFit = createTemplateIndex([parseTopicTemplate(`${deep}/b`), parseTopicTemplate("a/{rest#}")]);
  assert.equal(firstFit(deep)?.place, 1);
});
