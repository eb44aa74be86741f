import assert from "node:assert/strict";
import { type Action, troubleOf, verdictOf } from "../../../src/sink/kafka/classify.ts";

/**
 * Every code of the table with the name that Kafka has for it, what is done, and words that a person is told.
 *
 * Source of the names: `org.apache.kafka.common.protocol.Errors` of Kafka 4.1.0
 */
const codes: readonly (readonly [number, string, Action, RegExp])[] = [
  [-1, "UNKNOWN_SERVER_ERROR", "again", /unexpected error/],
  [0, "NONE", "done", /^delivered$/],
  [2, "CORRUPT_MESSAGE", "again", /damaged.*checksum/],
  [3, "UNKNOWN_TOPIC_OR_PARTITION", "again", /topic does not exist/],
  [5, "LEADER_NOT_AVAILABLE", "again", /no leader/],
  [6, "NOT_LEADER_OR_FOLLOWER", "again", /leader .* moved/],
  [7, "REQUEST_TIMED_OUT", "again", /not confirm in time/],
  [8, "BROKER_NOT_AVAILABLE", "again", /broker is not available/],
  [9, "REPLICA_NOT_AVAILABLE", "again", /replica is not available/],
  [10, "MESSAGE_TOO_LARGE", "split", /larger than the topic takes/],
  [13, "NETWORK_EXCEPTION", "again", /lost its connection/],
  [14, "COORDINATOR_LOAD_IN_PROGRESS", "again", /still starting/],
  [15, "COORDINATOR_NOT_AVAILABLE", "again", /coordinator is not available/],
  [16, "NOT_COORDINATOR", "again", /coordinator moved/],
  [17, "INVALID_TOPIC_EXCEPTION", "again", /not allow to write to this topic/],
  [18, "RECORD_LIST_TOO_LARGE", "split", /larger than a log segment/],
  [19, "NOT_ENOUGH_REPLICAS", "again", /too few replicas/],
  [20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "again", /too few replicas/],
  [29, "TOPIC_AUTHORIZATION_FAILED", "again", /no permission to write to the topic/],
  [31, "CLUSTER_AUTHORIZATION_FAILED", "again", /no permission to send idempotently/],
  [32, "INVALID_TIMESTAMP", "restamp", /refuses the time/],
  [35, "UNSUPPORTED_VERSION", "again", /version of the protocol/],
  [43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "again", /message format is too old/],
  [44, "POLICY_VIOLATION", "again", /policy/],
  [45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "new_id", /track of our sequence/],
  [46, "DUPLICATE_SEQUENCE_NUMBER", "done", /^delivered$/],
  [47, "INVALID_PRODUCER_EPOCH", "new_id", /replaced our producer id/],
  [50, "INVALID_TRANSACTION_TIMEOUT", "again", /transactions of less than a second only/],
  [51, "CONCURRENT_TRANSACTIONS", "again", /ending the transaction before/],
  [53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "again", /permission to use the transactional id/],
  [55, "OPERATION_NOT_ATTEMPTED", "again", /left this out because another partition/],
  [56, "KAFKA_STORAGE_ERROR", "again", /trouble with its disk/],
  [59, "UNKNOWN_PRODUCER_ID", "new_id", /forgotten our producer id/],
  [72, "LISTENER_NOT_FOUND", "again", /no suitable listener/],
  [74, "FENCED_LEADER_EPOCH", "again", /leader .* moved/],
  [75, "UNKNOWN_LEADER_EPOCH", "again", /leader .* moved/],
  [76, "UNSUPPORTED_COMPRESSION_TYPE", "again", /this compression/],
  [87, "INVALID_RECORD", "split", /refuses a record as invalid/],
  [89, "THROTTLING_QUOTA_EXCEEDED", "again", /slow down/],
];

for (const [code, name, action, what] of codes) {
  Deno.test(`code ${code}, ${name}, means "${action}"`, () => {
    const verdict = verdictOf(code);
    assert.equal(verdict.action, action);
    assert.match(verdict.what, what);
    assert.equal(verdict.advice !== "", action !== "done");
  });
}

Deno.test("no code is known that is not listed here with Kafka's own name for it", () => {
  const known = Array.from({ length: 1000 }, (_, i) => i - 10).filter((code) =>
    !/error code/.test(verdictOf(code).what)
  );
  assert.deepEqual(known, codes.map(([code]) => code));
});

Deno.test("a code that nobody knows is tried again and told with its number, never refused", () => {
  for (let code = 100; code < 200; code++) {
    assert.equal(verdictOf(code).action, "again");
    assert.match(verdictOf(code).what, new RegExp(`error code ${code}`));
  }
});

Deno.test("a lack of permission is told at once, with what to allow", () => {
  for (const code of [29, 31]) {
    assert.equal(verdictOf(code).passing, false);
    assert.match(verdictOf(code).advice, /Allow .*Write/);
  }
});

Deno.test("every way in which the network can be away is one trouble; what a person must mend is another", () => {
  assert.deepEqual(
    new Set((["refused", "lost", "timed_out", "unresolved"] as const).map(troubleOf)),
    new Set(["connection"]),
  );
  assert.equal(troubleOf("authentication"), "authentication");
  assert.equal(troubleOf("tls"), "tls");
});
