import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import fc from "fast-check";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import {
  metadataRequest,
  produceRequest,
  producerIdRequest,
  topicBytesMaxRequest,
} from "../../../src/sink/kafka/requests.ts";
import { wireWriter } from "../../../src/sink/kafka/wire.ts";

Deno.test("whatever bytes come as an answer, reading them ends well or as garbled, and never takes much memory", () => {
  const requests = [metadataRequest(["t"]), producerIdRequest(), produceRequest([], 1), topicBytesMaxRequest("t")];
  fc.assert(fc.property(fc.constantFrom(...requests), fc.uint8Array({ maxLength: 200 }), (request, bytes) => {
    try {
      request.read(bytes);
    } catch (thrown) {
      assert.ok(thrown instanceof PathError && thrown.failure === "garbled", String(thrown));
    }
  }));
});

Deno.test("a produce request groups partitions by topic", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const { body } = produceRequest([
    { topic: "a", partition: 1, bytes },
    { topic: "b", partition: 0, bytes },
    { topic: "a", partition: 2, bytes },
  ], 5000);
  const expected = wireWriter();
  expected.string(null);
  expected.int16(-1);
  expected.int32(5000);
  expected.int32(2);
  for (const [topic, partitions] of [["a", [1, 2]], ["b", [0]]] as const) {
    expected.string(topic);
    expected.int32(partitions.length);
    for (const partition of partitions) {
      expected.int32(partition);
      expected.blob(bytes);
    }
  }
  assert.deepEqual(Buffer.concat([...body]), Buffer.concat([...expected.parts()]));
});

Deno.test("a metadata request never makes a topic", () => {
  assert.equal(metadataRequest(["t"]).body.at(-1)?.at(-1), 0);
});
