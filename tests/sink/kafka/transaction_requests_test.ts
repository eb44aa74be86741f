import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import fc from "fast-check";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import {
  createTopicRequest,
  earliest,
  fetchRequest,
  latest,
  offsetRequest,
} from "../../../src/sink/kafka/read_requests.ts";
import type { KafkaRequest } from "../../../src/sink/kafka/requests.ts";
import {
  addPartitionsRequest,
  coordinatorRequest,
  endTransactionRequest,
  initTransactionsRequest,
  transactionStateRequest,
  unknownState,
} from "../../../src/sink/kafka/transaction_requests.ts";

const identity = { producerId: 0x0102030405060708n, producerEpoch: 7 };
const named = { transactionalId: "gw-files", producerId: "72623859790382856", producerEpoch: 7 };

/** The body that kafkajs makes of the same request. */
async function byKafkajs(path: string, fields: object): Promise<Buffer> {
  const load: (path: string) => unknown = createRequire(import.meta.url);
  const make = load(`kafkajs/src/protocol/requests/${path}/request.js`);
  assert.ok(typeof make === "function");
  const { buffer } = await make(fields).encode();
  assert.ok(Buffer.isBuffer(buffer));
  return buffer;
}

const twins: readonly (readonly [name: string, ours: KafkaRequest<unknown>, path: string, fields: object])[] = [
  ["FindCoordinator", coordinatorRequest("gw-files"), "findCoordinator/v1", {
    coordinatorKey: "gw-files",
    coordinatorType: 1,
  }],
  [
    "AddPartitionsToTxn",
    addPartitionsRequest("gw-files", identity, [
      { topic: "a", partition: 1 },
      { topic: "b", partition: 0 },
      { topic: "a", partition: 2 },
    ]),
    "addPartitionsToTxn/v1",
    { ...named, topics: [{ topic: "a", partitions: [1, 2] }, { topic: "b", partitions: [0] }] },
  ],
  ["EndTxn to commit", endTransactionRequest("gw-files", identity, true), "endTxn/v1", {
    ...named,
    transactionResult: true,
  }],
  ["EndTxn to abort", endTransactionRequest("gw-files", identity, false), "endTxn/v1", {
    ...named,
    transactionResult: false,
  }],
  ["ListOffsets", offsetRequest("t", 3, latest), "listOffsets/v2", {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ topic: "t", partitions: [{ partition: 3, timestamp: -1 }] }],
  }],
  ["ListOffsets of the first", offsetRequest("t", 3, earliest), "listOffsets/v2", {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ topic: "t", partitions: [{ partition: 3, timestamp: -2 }] }],
  }],
  ["Fetch", fetchRequest("t", 3, 1234567890123n, 250), "fetch/v10", {
    replicaId: -1,
    maxWaitTime: 250,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 1,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{
      topic: "t",
      partitions: [{ partition: 3, currentLeaderEpoch: -1, fetchOffset: "1234567890123", maxBytes: 1 << 20 }],
    }],
    forgottenTopics: [],
  }],
  ["CreateTopics", createTopicRequest("t", 1, { "cleanup.policy": "compact" }, 5000), "createTopics/v3", {
    topics: [{
      topic: "t",
      numPartitions: 1,
      replicationFactor: -1,
      configEntries: [{ name: "cleanup.policy", value: "compact" }],
    }],
    timeout: 5000,
    validateOnly: false,
  }],
];

for (const [name, ours, path, fields] of twins) {
  Deno.test(`${name} has the bytes that kafkajs makes of it`, async () => {
    assert.deepEqual(Buffer.concat([...ours.body]), await byKafkajs(path, fields));
  });
}

Deno.test("InitProducerId version 4 is written as its specification says", () => {
  const expected = [
    ...[9, ...Buffer.from("gw-files")], // compact string: length + 1
    ...[0, 0, 0x75, 0x30], // 30,000 ms
    ...[1, 2, 3, 4, 5, 6, 7, 8],
    ...[0, 7],
    0, // no tagged fields
  ];
  const { body, apiVersion, flexible } = initTransactionsRequest("gw-files", 30_000, identity);
  assert.deepEqual([...Buffer.concat([...body])], expected);
  assert.deepEqual([apiVersion, flexible], [4, true]);
  const first = Buffer.concat([...initTransactionsRequest("gw-files", 30_000, null).body]);
  assert.deepEqual([...first.subarray(13, 23)], Array.from({ length: 10 }, () => 0xff), "no former id and epoch");
});

Deno.test("DescribeTransactions is written as its specification says", () => {
  const { body, apiKey, apiVersion, flexible } = transactionStateRequest("gw");
  assert.deepEqual([...Buffer.concat([...body])], [2, 3, ...Buffer.from("gw"), 0]);
  assert.deepEqual([apiKey, apiVersion, flexible], [65, 0, true]);
});

Deno.test("answers are read as their specification says", () => {
  const bytes = (...parts: readonly (readonly number[] | string)[]) =>
    new Uint8Array(parts.flatMap((part) => typeof part === "string" ? [...Buffer.from(part)] : [...part]));
  const i32 = (value: number) => [value >> 24 & 255, value >> 16 & 255, value >> 8 & 255, value & 255];
  const i64 = (value: number) => [...i32(value < 0 ? -1 : 0), ...i32(value)];
  assert.deepEqual(
    initTransactionsRequest("x", 1, null).read(bytes([0], i32(0), [0, 0], i64(77), [0, 5], [0])),
    { code: 0, producerId: 77n, producerEpoch: 5 },
  );
  const state = [
    bytes([0], i32(0), [2], [0, 0], [2], "x", [14], "CompleteAbort"),
    bytes(i32(1), i64(2), i64(77), [0, 5]),
  ];
  const ofTopic = bytes([2, 2], "t", [2], i32(3), [0], [0, 0]);
  assert.deepEqual(
    transactionStateRequest("x").read(new Uint8Array([...state, ofTopic].flatMap((part) => [...part]))),
    { code: 0, state: "CompleteAbort", producerId: 77n },
  );
  assert.deepEqual(transactionStateRequest("x").read(bytes([0], i32(0), [1], [0])), unknownState);
  assert.deepEqual(
    coordinatorRequest("x").read(bytes(i32(0), [0, 0], [0xff, 0xff], i32(3), [0, 1], "h", i32(9092))),
    { code: 0, node: 3, address: { host: "h", port: 9092 } },
  );
  const added = (codes: readonly number[]) =>
    bytes(i32(0), i32(1), [0, 1], "t", i32(codes.length), codes.flatMap((code, i) => [...i32(i), 0, code]));
  const add = addPartitionsRequest("x", identity, []);
  assert.deepEqual(add.read(added([0, 0])), { code: 0 });
  assert.deepEqual(add.read(added([55, 3])), { code: 3 }, "not attempted is only a consequence");
  assert.deepEqual(endTransactionRequest("x", identity, true).read(bytes(i32(0), [0, 51])), { code: 51 });
  assert.deepEqual(
    offsetRequest("t", 0, latest).read(bytes(i32(0), i32(1), [0, 1], "t", i32(1), i32(0), [0, 0], i64(-1), i64(42))),
    { code: 0, offset: 42n },
  );
  const fetched = bytes(
    ...[i32(0), [0, 0], i32(0), i32(1), [0, 1], "t", i32(1), i32(0), [0, 0], i64(9), i64(8), i64(0)],
    ...[i32(1), i64(5), i64(2), i32(3), [1, 2, 3]],
  );
  const { code, aborted, batches } = fetchRequest("t", 0, 0n, 1).read(fetched);
  assert.deepEqual([code, aborted, [...batches]], [0, [{ producerId: 5n, firstOffset: 2n }], [1, 2, 3]]);
  assert.deepEqual(
    createTopicRequest("t", 1, {}, 1).read(bytes(i32(0), i32(1), [0, 1], "t", [0, 36], [0xff, 0xff])),
    { code: 36 },
  );
});

Deno.test("whatever bytes come as an answer, reading them ends well or as garbled", () => {
  const requests = [
    ...twins.map(([, ours]) => ours),
    initTransactionsRequest("x", 1, null),
    transactionStateRequest("x"),
  ];
  fc.assert(fc.property(fc.constantFrom(...requests), fc.uint8Array({ maxLength: 200 }), (request, bytes) => {
    try {
      request.read(bytes);
    } catch (thrown) {
      assert.ok(thrown instanceof PathError && thrown.failure === "garbled", String(thrown));
    }
  }));
});
