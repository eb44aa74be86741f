import assert from "node:assert/strict";
import { jsonSchema, kind, refuse } from "../../src/config/kind.ts";

const even = kind({
  placeholder: "N",
  allowed: "an even number",
  number: "integer",
  parse: (text) => text === "7" ? refuse("Seven is right out") : Number(text) % 2 === 0 ? Number(text) : refuse(),
});

Deno.test("a refusal without a reason says what is allowed, one with a reason says the reason", () => {
  assert.deepEqual(even.parse("4"), { ok: true, value: 4 });
  assert.deepEqual(even.parse("5"), { ok: false, mistake: "Must be an even number" });
  assert.deepEqual(even.parse("7"), { ok: false, mistake: "Seven is right out" });
});

Deno.test("the JSON Schema tells what may be written, not what it becomes", () => {
  const schema = jsonSchema("Test", [
    { name: "one", kind: even, repeatable: false, description: "One.", default: "4", examples: ["6"] },
    { name: "many", kind: even, repeatable: true, description: "Many." },
  ]);
  assert.equal(schema["additionalProperties"], false);
  const properties = JSON.parse(JSON.stringify(schema["properties"]));
  assert.equal(properties.one.description, "One.");
  assert.equal(properties.one.default, "4");
  assert.deepEqual(properties.one.examples, ["6"]);
  assert.ok(JSON.stringify(properties.one).includes('"integer"'));
  assert.ok(JSON.stringify(properties.many).includes('"array"'));
});
