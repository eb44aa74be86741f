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

Deno.test("a key goes to the partition that the Java client chooses, the first time and from memory", () => {
  const partitionOf = createPartitioner();
  for (let round = 0; round < 2; round++) {
    for (const { key, of12 } of vectors) assert.equal(partitionOf(key, 12), of12, JSON.stringify(key));
  }
});

Deno.test("a key stays in its partition when the memory of keys starts anew", () => {
  const partitionOf = createPartitioner();
  const before = partitionOf("device-17", 12);
  for (let i = 0; i < 25_000; i++) partitionOf(`other-${i}`, 12);
  assert.equal(partitionOf("device-17", 12), before);
});
