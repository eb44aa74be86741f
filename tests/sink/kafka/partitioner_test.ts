import assert from "node:assert/strict";
import { murmur2 } from "../../../src/sink/kafka/murmur2.ts";
import { createPartitioner } from "../../../src/sink/kafka/partitioner.ts";
import vectors from "../../testdata/kafka/murmur2_vectors.json" with { type: "json" };

Deno.test("murmur2 gives what Kafka's Java client gives, for ASCII, UTF-8 and empty keys of every length", () => {
  assert.ok(vectors.length >= 200);
  for (const { key, murmur2: expected } of vectors) {
    assert.equal(murmur2(new TextEncoder().encode(key)), expected, JSON.stringify(key));
  }
});

Deno.test("a key goes to the partition that the Java client chooses, whatever key came before it", () => {
  const partitionOf = createPartitioner();
  for (let round = 0; round < 2; round++) {
    for (const { key, of12 } of vectors) assert.equal(partitionOf(key, 12), of12, JSON.stringify(key));
  }
});

Deno.test("a key is hashed by its bytes, short or long, ASCII or not", () => {
  const partitionOf = createPartitioner();
  for (const length of [1, 63, 64, 65, 200]) {
    for (const key of ["k".repeat(length), "k".repeat(length - 1) + "\u20ac"]) {
      const hash = murmur2(new TextEncoder().encode(key)) & 0x7fffffff;
      assert.equal(partitionOf(key, 12), hash % 12, key);
    }
  }
});
