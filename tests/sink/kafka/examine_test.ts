import assert from "node:assert/strict";
import type { Clock } from "../../../src/core/clock.ts";
import type { Connection } from "../../../src/sink/kafka/connection.ts";
import { clockFinding, examineKafka, quotaFinding } from "../../../src/sink/kafka/examine.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import type { KafkaRequest } from "../../../src/sink/kafka/requests.ts";

const options = {
  brokers: [{ host: "away", port: 1 }, { host: "there", port: 2 }],
  gateway: "gw",
  requestTimeoutMs: 1000,
  sasl: null,
  tls: null,
};

/** Examines a broker that answers in so and so many ms of a clock that is 5 s ahead. */
async function examine(tripsMs: readonly number[], answer: (apiKey: number, kafkaMs: number) => unknown) {
  let nowMs = 0;
  let asked = 0;
  let open = 0;
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => nowMs + 5000, after: () => ({ cancel() {} }) };
  const findings = await examineKafka(options, (address) => {
    if (address.host === "away") return Promise.reject(new PathError("refused", "away"));
    open += 1;
    const connection: Connection = {
      address,
      live: true,
      async request<T>({ apiKey }: KafkaRequest<T>): Promise<T> {
        const tripMs = tripsMs[asked++] ?? 0;
        // All of the way there, nothing of the way back: as wrong as the half of it can be.
        nowMs += tripMs;
        return await Promise.resolve(answer(apiKey, nowMs) as T);
      },
      retire() {},
      close: () => void (open -= 1),
    };
    return Promise.resolve(connection);
  }, clock);
  assert.equal(open, 0, "connections are left");
  return findings;
}

Deno.test("the clocks are compared by the quickest of three answers, at the first broker that is there", async () => {
  const findings = await examine(
    [4000, 10, 3000],
    (apiKey, kafkaMs) => apiKey === 55 ? { code: 0, leaderMs: kafkaMs } : { code: 0, quotas: [] },
  );
  assert.deepEqual(findings.map(({ ok, subject }) => [ok, subject]), [[false, "Kafka's clock"], [
    true,
    "Kafka's quotas",
  ]]);
  assert.match(findings[0]?.result ?? "", /^this machine is 5\.0 s ahead of/);
  assert.match(findings[0]?.advice ?? "", /chrony/);
  assert.match(findings[1]?.result ?? "", /^none/);
});

Deno.test("what may not be asked, or is not spoken, is said with what would tell, and is no fault", async () => {
  const refused = await examine([], () => ({ code: 31, leaderMs: null, quotas: [] }));
  assert.deepEqual(refused.map(({ ok }) => ok), [true, true]);
  assert.match(refused[0]?.advice ?? "", /--operation Describe --cluster/);
  assert.match(refused[1]?.advice ?? "", /--operation DescribeConfigs --cluster.*weir status/);
  const old = await examine([], () => {
    throw new PathError("unsupported", "no");
  });
  assert.match(old[0]?.result ?? "", /only Kafka 3\.3 and newer/);
  assert.match(old[1]?.result ?? "", /only Kafka 2\.6 and newer/);
});

Deno.test("a difference counts when it is over two seconds beyond any doubt", () => {
  for (
    const [aheadMs, tripMs, ok] of [[1999, 0, true], [2500, 1000, true], [2501, 1000, false], [
      -2001,
      0,
      false,
    ]] as const
  ) {
    assert.equal(clockFinding(aheadMs, tripMs).ok, ok, `${aheadMs} ms, ${tripMs} ms`);
  }
  assert.match(clockFinding(-3600_000, 2).result, /1 h behind/);
  assert.match(clockFinding(3, 4).result, /within 5 ms/);
});

Deno.test("quotas are told by the client id that they hold for", () => {
  const quotas = [
    { entity: new Map([["client-id", "gw-files"]]), values: new Map([["producer_byte_rate", 2 ** 20]]) },
    { entity: new Map([["user", "u"]]), values: new Map([["request_percentage", 50]]) },
  ];
  assert.equal(quotaFinding(options, quotas).result, "at each broker gw-files: 1 MiB/s");
  const user = quotaFinding({ ...options, sasl: { mechanism: "plain", username: "u", password: "p" } }, quotas);
  assert.match(user.result, /gw-stream: 50 % of a broker's request threads, gw-files: 1 MiB\/s and 50 %/);
  assert.match(quotaFinding({ ...options, tls: { ca: null } }, quotas).result, /certificate's user/);
});
