/**
 * Schemas of rows for what writes them the quick way: each kind of check is in one of them.
 *
 * @module
 */

/** One with bounds, an enumeration and a required field, and one of types. */
export const rowSchemas = [
  {
    type: "object",
    properties: {
      device_id: { type: "string", minLength: 2, maxLength: 9 },
      metric: { enum: ["t", "temperature", "", true, null, 5] },
      value: { type: "number", minimum: -10, exclusiveMaximum: 30 },
      ts: { type: ["string", "null"], format: "date-time" },
      unit: { type: ["string", "null"], minLength: 1 },
    },
    required: ["device_id", "value"],
  },
  {
    type: "object",
    properties: {
      device_id: { type: "string", pattern: "^[a-z]" },
      value: { type: ["integer", "string"] },
      ok: { type: "boolean" },
      on: { type: ["boolean", "string", "null"], const: "x" },
      n: { type: "null" },
      limit: { type: ["number", "null"], minimum: -1e20 },
      yes: { type: "boolean", const: true },
      ts: { type: "integer" },
    },
  },
] as const;
