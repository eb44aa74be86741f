/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { WeirError } from "../../src/core/error.ts";
import { createCoercion } from "../../src/decode/coerce.ts";
import { compileSchema, typeBit } from "../../src/decode/schema.ts";
import { createTimeReader } from "../../src/decode/time.ts";

const coercion = createCoercion(createTimeReader({ timeZone: "UTC", timeFormat: "epoch" }));

/** Whether the field `f` of a schema takes a JSON value. */
function takes(property: unknown, value: unknown): boolean {
  const field = compileSchema({ type: "object", properties: { f: property } }).fields[0];
  assert.ok(field !== undefined);
  if (value === null && (field.types & typeBit.null) === 0) return false;
  const coerced = { value: null, json: "" };
  if (coercion.json(value, field.types, coerced) !== null) return false;
  return field.check === null || field.check(value) === null;
}

Deno.test("a field is checked for its type, its members, its bounds and its length", () => {
  assert.ok(takes({ type: "integer", minimum: 0, maximum: 10 }, 10));
  assert.ok(!takes({ type: "integer", minimum: 0, maximum: 10 }, 11));
  assert.ok(!takes({ type: "integer" }, 1.5));
  assert.ok(takes({ type: ["number", "null"] }, null));
  assert.ok(!takes({ type: "number", exclusiveMinimum: 0 }, 0));
  assert.ok(takes({ enum: ["a", 1, null] }, 1));
  assert.ok(!takes({ enum: ["a", 1] }, "b"));
  assert.ok(!takes({ type: "string", maxLength: 2 }, "abc"));
  assert.ok(!takes({ type: "string", pattern: "^[a-z]+$" }, "A"));
  assert.ok(!takes({ type: "array", items: { type: "number" } }, ["x"]));
  assert.ok(takes({}, { a: 1 }));
});

Deno.test("a large integer is an integer", () => {
  assert.ok(takes({ type: "integer" }, 2 ** 60));
});

const scalar = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.double({ min: -5, max: 5, noNaN: true }),
  fc.string({ maxLength: 4 }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("a", "bb", 0, 1, 2.5, true),
);
const type = fc.constantFrom("string", "number", "integer", "boolean", "null");
const bound = fc.integer({ min: -4, max: 4 });
const simple = fc.oneof(
  fc.record({ type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })) }),
  fc.record(
    {
      type: fc.constantFrom("number", "integer"),
      minimum: bound,
      maximum: bound,
      exclusiveMinimum: bound,
      exclusiveMaximum: bound,
    },
    { requiredKeys: ["type"] },
  ),
  fc.record(
    { type: fc.constant("string"), minLength: fc.nat(3), maxLength: fc.nat(3), title: fc.string() },
    { requiredKeys: ["type"] },
  ),
  fc.record({ type: fc.constant<("number" | "string")[]>(["number", "string"]), minimum: bound, maxLength: fc.nat(3) }),
  fc.record({ enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 4 }) }),
  fc.record({ const: scalar }),
);

Deno.test("the quick checks give zod's verdict on everything", () => {
  fc.assert(
    fc.property(simple, scalar, (property, value) => {
      const schema = z.fromJSONSchema({ type: "object", properties: { f: property }, required: ["f"] });
      // 0 and -0 are one number in JSON.
      if (Object.is(value, -0) || JSON.stringify(property).includes("-0")) return;
      assert.equal(takes(property, value), schema.safeParse({ f: value }).success);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("date-time fields and ts are times", () => {
  const { fields } = compileSchema({
    type: "object",
    properties: {
      ts: { type: "integer" },
      at: { type: "string", format: "date-time" },
      to: { $ref: "#/$defs/t" },
      n: { type: "number" },
    },
    required: ["at", "free"],
    $defs: { t: { type: ["string", "null"], format: "date-time" } },
  });
  assert.deepEqual(fields.map(({ name, types, required }) => [name, types, required]), [
    ["ts", typeBit.time, false],
    ["at", typeBit.time, true],
    ["to", typeBit.time | typeBit.null, false],
    ["n", typeBit.number, false],
    ["free", 1 | 2 | 8 | 16 | 32 | 64, true],
  ]);
});

Deno.test("keywords of the whole reading are checked by zod", () => {
  const schema = compileSchema({ type: "object", properties: { a: { type: "number" } }, maxProperties: 1 });
  assert.equal(schema.checkWhole?.({ a: 1 }), null);
  assert.match(schema.checkWhole?.({ a: 1, b: 2 }) ?? "", /does not fit the schema/);
  assert.equal(compileSchema({ type: "object", properties: {} }).checkWhole, null);
});

Deno.test("a schema that cannot be used is refused with its reason", () => {
  for (
    const [schema, message] of [
      [7, /not a JSON object/],
      [{ type: "array" }, /"type" must be "object"/],
      [{ type: "object", properties: { a: { type: "float" } } }, /type "float" is not one of JSON Schema/],
      [{ type: "object", properties: { a: { $ref: "#/$defs/x" } } }, /leads nowhere/],
      [
        { type: "object", properties: { a: { $ref: "#/$defs/x" } }, $defs: { x: { $ref: "#/$defs/x" } } },
        /in a circle/,
      ],
      [{ type: "object", if: {}, then: {} }, /not supported/],
      [{ type: "object", properties: { a: { type: "string", pattern: "(" } } }, /"a": /],
    ] as const
  ) {
    assert.throws(
      () => compileSchema(schema),
      (error) => error instanceof WeirError && error.code === "configuration" && message.test(error.message),
      String(message),
    );
  }
});
