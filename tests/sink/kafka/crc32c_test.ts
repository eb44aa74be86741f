import assert from "node:assert/strict";
import fc from "fast-check";
import { crc32c } from "../../../src/sink/kafka/crc32c.ts";
import { bitwiseCrc32c } from "./batch_reader.ts";

const vectors: readonly (readonly [string, Uint8Array, number])[] = [
  ["123456789", new TextEncoder().encode("123456789"), 0xe3069283],
  ["32 zero bytes", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of 0xff", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
];

for (const [name, bytes, expected] of vectors) {
  Deno.test(`crc32c of ${name} is that of RFC 3720`, () => {
    assert.equal(crc32c(bytes), expected);
  });
}

Deno.test("crc32c equals the bit-by-bit definition on every slice", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), fc.nat(20), (bytes, skip, cut) => {
    const start = Math.min(skip, bytes.length);
    const end = Math.max(start, bytes.length - cut);
    assert.equal(crc32c(bytes, start, end), bitwiseCrc32c(bytes.subarray(start, end)));
  }));
});
