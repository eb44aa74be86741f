/**
 * Readings for the tests of the Kafka sink.
 *
 * @module
 */
import type { Fields, Reading } from "../../../src/core/reading.ts";

/** A reading whose value is `value`, or the JSON of its fields; its id tells it from all others. */
export function reading(id: string, fields: Fields = {}, value: string = JSON.stringify(fields)): Reading {
  return {
    kind: "reading",
    delivery: { origin: "batch", source: "dump.csv", settle() {} },
    index: 0,
    bytes: new TextEncoder().encode(value).length,
    id,
    fields,
    value,
    row: 1,
    byte: 0,
    arrivedMs: 0,
    redelivered: false,
  };
}
