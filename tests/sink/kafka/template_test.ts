import assert from "node:assert/strict";
import { WeirError } from "../../../src/core/error.ts";
import { parseTemplate } from "../../../src/sink/kafka/template.ts";

const render = (template: string, fields: Record<string, unknown>) =>
  parseTemplate(template, "key template").render(fields);

Deno.test("a template of one field gives the field's text, also an empty one", () => {
  assert.equal(render("{device_id}", { device_id: "a" }), "a");
  assert.equal(render("{device_id}", { device_id: "" }), "");
  assert.equal(render("{device_id}", { device_id: 7 }), "7");
  assert.equal(render("{device_id}", { device_id: true }), "true");
});

Deno.test("a template is absent when none of its fields has a value", () => {
  assert.equal(render("{device_id}", {}), null);
  assert.equal(render("{device_id}", { device_id: null }), null);
  assert.equal(render("{site}/{device_id}", { other: 1 }), null);
});

Deno.test("a template with one of its fields missing leaves that one empty", () => {
  assert.equal(render("{site}/{device_id}", { device_id: "d" }), "/d");
  assert.equal(render("a-{site}-{device_id}-z", { site: "s", device_id: null }), "a-s--z");
});

Deno.test("a template without fields is the same text for all", () => {
  assert.equal(render("readings", {}), "readings");
});

Deno.test("a field named like something of Object is just a field", () => {
  assert.equal(render("{toString}", Object.create(null)), null);
  const fields = Object.assign(Object.create(null), JSON.parse('{"constructor":"c"}'));
  assert.equal(render("{constructor}", fields), "c");
});

Deno.test("missing names the fields without a value", () => {
  assert.deepEqual(parseTemplate("{a}{b}{c}", "topic template").missing({ b: 1, c: null }), ["a", "c"]);
});

for (const wrong of ["{", "}", "{}", "a{b", "a}b", "{a{b}}", "{a}}"]) {
  Deno.test(`the template ${wrong} is refused with advice`, () => {
    assert.throws(
      () => parseTemplate(wrong, "key template"),
      (thrown) => thrown instanceof WeirError && thrown.code === "configuration" && /key template/.test(thrown.message),
    );
  });
}
