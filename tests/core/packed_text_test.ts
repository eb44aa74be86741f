/**
 * The texts of a packed reading.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PackedText } from "../../src/core/packed_text.ts";

Deno.test("text, id and fields are those of its part of the page, and its size is that of the text", () => {
  const [before, value, id, behind] = ['{"a":1}x', '{"name":"\u00b0","value":2.50}', "gw/7", "{}"];
  const bytes = (text: string) => new TextEncoder().encode(text);
  const from = bytes(before).length;
  const valueEnd = from + bytes(value).length;
  const page = bytes(before + value + id + behind);
  // One that lies amid a larger buffer.
  const wider = new Uint8Array(page.length + 5);
  wider.set(page, 5);

  const packed = new (class extends PackedText {})(wider.subarray(5), from, valueEnd, valueEnd + id.length);

  assert.equal(packed.value, value);
  assert.equal(packed.id, id);
  assert.equal(packed.bytes, valueEnd - from);
  assert.deepEqual({ ...packed.fields }, { name: "\u00b0", value: 2.5 });
  assert.equal(packed.packed, packed);
  assert.equal(packed.kind, "reading");
});
