import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import fc from "fast-check";
import { quorumRequest, quotasRequest } from "../../../src/sink/kafka/examine_requests.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";

const i16 = (value: number) => [value >> 8 & 255, value & 255];
const i32 = (value: number) => [...i16(value >> 16), ...i16(value)];
const i64 = (value: bigint) => [...i32(Number(value >> 32n)), ...i32(Number(BigInt.asIntN(32, value)))];
const compact = (text: string) => [text.length + 1, ...Buffer.from(text)];
const string = (text: string) => [...i16(text.length), ...Buffer.from(text)];

Deno.test("DescribeQuorum version 1 is written and read as its specification says", () => {
  const { body, read } = quorumRequest();
  const asked = [2, ...compact("__cluster_metadata"), 2, ...i32(0), 0, 0, 0];
  assert.deepEqual([...Buffer.concat([...body])], asked);

  const replica = (node: number, caughtUpMs: bigint) => [...i32(node), ...i64(9n), ...i64(8n), ...i64(caughtUpMs), 0];
  const nowMs = 1_795_000_000_123n;
  const answer = (code: number, leader: number) => [
    ...[1, 5, 2, 77, 77], // a tagged field in the header: tag 5, two bytes
    ...i16(0),
    ...[2, ...compact("__cluster_metadata"), 2, ...i32(0), ...i16(code), ...i32(leader), ...i32(3), ...i64(100n)],
    ...[3, ...replica(1, nowMs - 400n), ...replica(2, nowMs)],
    ...[2, ...replica(3, nowMs - 500n)],
    ...[0, 0, 0],
  ];
  assert.deepEqual(read(new Uint8Array(answer(0, 2))), { code: 0, leaderMs: Number(nowMs) });
  assert.deepEqual(read(new Uint8Array(answer(0, 1))).leaderMs, Number(nowMs - 400n));
  assert.deepEqual(read(new Uint8Array(answer(0, -1))), { code: 0, leaderMs: null });
  assert.deepEqual(read(new Uint8Array(answer(6, 2))).code, 6);
  assert.deepEqual(read(new Uint8Array([0, ...i16(31), 1, 0])), { code: 31, leaderMs: null });
});

Deno.test("DescribeClientQuotas version 0 is written and read as its specification says", () => {
  const { body, read } = quotasRequest();
  assert.deepEqual([...Buffer.concat([...body])], [...i32(0), 0]);
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(1.5e6);
  const answer = [
    ...[...i32(0), ...i16(0), ...i16(-1), ...i32(1)],
    ...[...i32(2), ...string("user"), ...i16(-1), ...string("client-id"), ...string("gw-files")],
    ...[...i32(1), ...string("producer_byte_rate"), ...rate],
  ];
  assert.deepEqual(read(new Uint8Array(answer)), {
    code: 0,
    quotas: [{
      entity: new Map([["user", null], ["client-id", "gw-files"]]),
      values: new Map([["producer_byte_rate", 1.5e6]]),
    }],
  });
  const refused = [...i32(0), ...i16(31), ...i16(-1), ...i32(-1)];
  assert.deepEqual(read(new Uint8Array(refused)), { code: 31, quotas: [] });
});

Deno.test("whatever bytes come as an answer, reading them ends well or as garbled", () => {
  const requests = [quorumRequest(), quotasRequest()];
  fc.assert(fc.property(fc.constantFrom(...requests), fc.uint8Array({ maxLength: 200 }), (request, bytes) => {
    try {
      request.read(bytes);
    } catch (thrown) {
      assert.ok(thrown instanceof PathError && thrown.failure === "garbled", String(thrown));
    }
  }));
});
