import assert from "node:assert/strict";
import type { Finding } from "../../../src/core/finding.ts";
import { createMqttSource } from "../../../src/source/mqtt/mqtt_source.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { type ModelBroker, modelBroker } from "./model_broker.ts";
import { defaultOptions, testParts } from "./parts.ts";

const subscriptions = [{ template: "$share/g/plant/{device_id}", weight: 1 }, { template: "secret/#", weight: 1 }];

async function check(
  prepare: (broker: ModelBroker) => void,
): Promise<{ broker: ModelBroker; findings: readonly Finding[] }> {
  const clock = virtualClock();
  const broker = modelBroker(clock, 10);
  prepare(broker);
  const options = { ...defaultOptions, subscriptions, statusTopic: "weir/status" };
  const checking = createMqttSource(options, testParts(clock, broker.open)).check();
  await clock.advance(20_000);
  assert.equal(clock.timers, 0, "no timer is left");
  return { broker, findings: await checking };
}

Deno.test("A check has a client id of its own, leaves no session and no status, and takes no shared messages", async () => {
  const { broker, findings } = await check(() => {});
  assert.deepEqual(findings.map(({ ok }) => ok), [true, true, true]);
  assert.match(findings[0]?.result ?? "", /MQTT 5/);
  const [tried] = broker.tries;
  assert.match(tried?.clientId ?? "", /^weir-gw1-check-[0-9a-f]+$/);
  assert.deepEqual([tried?.clean, tried?.will], [true, null]);
  assert.deepEqual(broker.subscribes.map(({ filter }) => filter), ["plant/+", "secret/#"]);
  assert.deepEqual(broker.published, []);
  assert.ok(!broker.connected);
});

Deno.test("A check tells each refused subscription with advice", async () => {
  const { findings } = await check((broker) => broker.subackCode = 0x87);
  assert.deepEqual(findings.map(({ ok }) => ok), [true, false, false]);
  assert.match(
    `${findings[2]?.subject} ${findings[2]?.result} ${findings[2]?.advice}`,
    /"secret\/#" refused.*0x87.*--mqtt-topic/,
  );
});

Deno.test("A check tells why there is no connection, with advice, and tries 3.1.1 where 5 may be the reason", async () => {
  const wrongPassword = await check((broker) =>
    broker.refuse(() => ({ kind: "refused", code: 0x86, text: "Bad password" }))
  );
  assert.deepEqual(wrongPassword.findings.map(({ ok }) => ok), [false]);
  assert.match(wrongPassword.findings[0]?.advice ?? "", /--mqtt-password-file/);
  assert.equal(wrongPassword.broker.tries.length, 1);
  const old = await check((broker) => broker.refuse(({ version }) => version === 5 ? { kind: "closed" } : null));
  assert.deepEqual(old.findings.map(({ ok }) => ok), [true, true, true]);
  assert.match(old.findings[0]?.result ?? "", /3\.1\.1/);
});

Deno.test("A check of a broker that does not answer subscriptions ends, and says so", async () => {
  const clock = virtualClock();
  const open = modelBroker(clock, 10).open;
  const deaf: typeof open = (options, events, ticking) => ({ ...open(options, events, ticking), subscribe: () => {} });
  const checking = createMqttSource({ ...defaultOptions, subscriptions }, testParts(clock, deaf)).check();
  await clock.advance(20_000);
  assert.deepEqual((await checking).map(({ ok, result }) => [ok, result]).slice(1), [
    [false, "not answered"],
    [false, "not answered"],
  ]);
});
