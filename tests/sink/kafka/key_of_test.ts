/** @module */
import assert from "node:assert/strict";
import type { Reading } from "../../../src/core/reading.ts";
import { createKeyOf } from "../../../src/sink/kafka/key_of.ts";
import { parseTemplate } from "../../../src/sink/kafka/template.ts";
import { reading } from "./readings.ts";

/** A packed reading, and how often its fields were made. */
function packed(text: string): { readonly reading: Reading; readonly made: () => number } {
  const page = new TextEncoder().encode(text);
  let made = 0;
  return {
    reading: {
      ...reading("id", {}, text),
      packed: { page, from: 0, valueEnd: page.length, idEnd: page.length },
      get fields() {
        made += 1;
        return JSON.parse(text);
      },
    },
    made: () => made,
  };
}

Deno.test("a key that is one field of a packed reading costs no fields; where it is not that simple they are asked", () => {
  const keyOf = createKeyOf(parseTemplate("{device_id}", "key"));
  const plain = packed('{"device_id":"press-1","value":1}');
  assert.deepEqual([keyOf(plain.reading), plain.made()], ["press-1", 0]);
  const number = packed('{"device_id":7}');
  assert.deepEqual([keyOf(number.reading), number.made()], ["7", 1]);
  const two = packed('{"device_id":"press-1","site":"a"}');
  assert.equal(createKeyOf(parseTemplate("{site}/{device_id}", "key"))(two.reading), "a/press-1");
});

Deno.test("the key is that of the fields, and none where there is no template", () => {
  assert.equal(createKeyOf(parseTemplate("{device_id}", "key"))(reading("id", { device_id: "d" })), "d");
  assert.equal(createKeyOf(null)(reading("id", { device_id: "d" })), null);
});
