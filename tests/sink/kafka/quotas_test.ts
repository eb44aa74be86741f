import assert from "node:assert/strict";
import type { Quota } from "../../../src/sink/kafka/examine_requests.ts";
import { quotaFor } from "../../../src/sink/kafka/quotas.ts";

const quota = (bytes: number, entity: Readonly<Record<string, string | null>>): Quota => ({
  entity: new Map(Object.entries(entity)),
  values: new Map([["producer_byte_rate", bytes]]),
});

/** In the order in which Kafka looks for one. */
const ordered: readonly Quota[] = [
  quota(1, { user: "u", "client-id": "gw-files" }),
  quota(2, { user: "u", "client-id": null }),
  quota(3, { user: "u" }),
  quota(4, { user: null, "client-id": "gw-files" }),
  quota(5, { user: null, "client-id": null }),
  quota(6, { user: null }),
  quota(7, { "client-id": "gw-files" }),
  quota(8, { "client-id": null }),
];
const beside = [quota(90, { ip: "127.0.0.1" }), quota(91, { user: "v" }), quota(92, { "client-id": "gw-stream" })];

Deno.test("of the quotas that are set, the one holds that Kafka looks for first", () => {
  const client = { user: "u", clientId: "gw-files" };
  for (let gone = 0; gone <= ordered.length; gone++) {
    const left = [...beside, ...ordered.slice(gone).toReversed()];
    assert.equal(quotaFor(client, "producer_byte_rate", left), gone < ordered.length ? gone + 1 : null);
  }
  assert.equal(quotaFor(client, "request_percentage", ordered), null);
  assert.equal(quotaFor({ ...client, user: null }, "producer_byte_rate", ordered), 4);
});
