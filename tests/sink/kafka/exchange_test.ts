import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { exchange, type QueuedRequest, type RequestChannel } from "../../../src/sink/kafka/exchange.ts";

/** A connection that answers each request with the request's own body. */
function echo(pieces: Uint8Array[]): RequestChannel {
  let correlationId = 0;
  return {
    nextCorrelationId: () => correlationId++,
    failIfNotConnected() {},
    socket: { write: (piece) => pieces.push(piece) },
    requestQueue: {
      push({ entry, sendRequest }: QueuedRequest) {
        sendRequest();
        entry.resolve({ payload: Buffer.concat(pieces).subarray(4 + 8 + 2 + "me".length) });
      },
    },
  };
}

for (const sizes of [[], [3], [1, 70_000, 2, 3, 65_536, 4], [100_000, 100_000]]) {
  Deno.test(`a request of pieces of ${sizes.join(", ") || "no"} bytes is on the wire whole, in order, behind its header`, async () => {
    const body = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
    const pieces: Uint8Array[] = [];
    const request = { apiKey: 3, apiVersion: 6, apiName: "Metadata", body, read: (answer: Uint8Array) => answer };
    assert.deepEqual(Buffer.from(await exchange(echo(pieces), "me", request)), Buffer.concat(body));
    const wire = Buffer.concat(pieces);
    assert.equal(wire.readInt32BE(0), wire.length - 4);
    assert.deepEqual([wire.readInt16BE(4), wire.readInt16BE(6), wire.readInt32BE(8), wire.readInt16BE(12)], [
      3,
      6,
      0,
      2,
    ]);
    assert.equal(wire.toString("utf8", 14, 16), "me");
  });
}

Deno.test("large pieces go out as they are and small ones join", async () => {
  const pieces: Uint8Array[] = [];
  const large = new Uint8Array(200_000);
  const body = [new Uint8Array(4), large, new Uint8Array(4), new Uint8Array(4), large];
  await exchange(echo(pieces), "me", { apiKey: 0, apiVersion: 7, apiName: "Produce", body, read: () => null });
  assert.equal(pieces.length, 4);
  assert.ok(pieces[1] === large && pieces[3] === large);
});
