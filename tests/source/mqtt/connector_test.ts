import assert from "node:assert/strict";
import type { ConnectionOptions, Loss } from "../../../src/source/mqtt/connection.ts";
import { createConnector } from "../../../src/source/mqtt/connector.ts";
import { parseMqttOptions } from "../../../src/source/mqtt/options.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { modelBroker } from "./model_broker.ts";
import { defaultOptions, testParts } from "./parts.ts";

type Refusal = ((options: ConnectionOptions) => Partial<Loss> | null) | null;

function bench(version: "auto" | "5" | "3.1.1", refusal: Refusal) {
  const clock = virtualClock();
  const broker = modelBroker(clock, 10);
  broker.refuse(refusal);
  const parts = testParts(clock);
  const { connection: options, address } = parseMqttOptions(defaultOptions, "gw1");
  const connector = createConnector({ ...parts, open: broker.open, options, version, address }, {
    opened: () => {},
    ready: () => {},
    message: () => {},
    closed: () => {},
  });
  connector.come();
  return { clock, broker, parts, connector };
}

const unreachable: Partial<Loss> = { kind: "failed", text: "connection refused", reached: false };

Deno.test("Tries come after 1 to 30 s, half of it by chance, for ever, and the trouble is said once", async () => {
  const { clock, broker, parts } = bench("5", () => unreachable);
  const atMs: number[] = [];
  for (let tries = 0; clock.nowMs() < 600_000;) {
    const due = clock.nextDueMs();
    assert.ok(due !== null);
    await clock.advance(due - clock.nowMs());
    if (broker.tries.length > tries) atMs.push(clock.nowMs());
    tries = broker.tries.length;
  }
  const gaps = atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0));
  for (const [index, gap] of gaps.entries()) {
    const ceiling = Math.min(30_000, 1_000 * 2 ** index);
    assert.ok(gap >= ceiling / 2 && gap <= ceiling, `gap ${index} is ${gap} ms`);
  }
  assert.ok(gaps.length > 20);
  assert.equal(parts.said("mqtt.connect_failed").length, 1);
});

Deno.test("A broker that cannot be reached is no reason to fall back to 3.1.1; nor is a wrong password", async () => {
  const refused: Partial<Loss> = { kind: "refused", code: 0x86, text: "Bad User Name or Password" };
  for (const loss of [unreachable, refused]) {
    const { clock, broker } = bench("auto", () => loss);
    await clock.advance(60_000);
    assert.deepEqual(new Set(broker.tries.map((options) => options.version)), new Set([5]));
  }
});

Deno.test("MQTT 5 refused by name is never tried again; refused without a word it is tried again after the next break", async () => {
  const losses: readonly (readonly [Partial<Loss>, readonly number[]])[] = [
    [{ kind: "refused", code: 0x84, text: "Unsupported Protocol Version" }, [5, 4, 4]],
    [{ kind: "refused", code: 1, text: "Unacceptable protocol version" }, [5, 4, 4]],
    [{ kind: "closed" }, [5, 4, 4]],
  ];
  for (const [loss, versions] of losses) {
    const { clock, broker, connector } = bench("auto", ({ version }) => version === 5 ? loss : null);
    await clock.advance(5);
    assert.ok(connector.connected);
    assert.equal(connector.version, 4);
    broker.cut();
    await clock.advance(5_000);
    const tried = broker.tries.map((options) => options.version);
    assert.deepEqual(tried, loss.kind === "closed" ? [5, 4, 5, 4] : versions);
  }
});

Deno.test("Two clients with one id, where the broker says so: said once though it goes on, and the tries get rarer", async () => {
  const { clock, broker, parts } = bench("5", null);
  for (let i = 0; i < 20; i++) {
    while (!broker.connected) await clock.advance(100);
    await clock.advance(500);
    broker.cut({ kind: "disconnected", code: 0x8e, text: "Session taken over" });
  }
  assert.ok(clock.nowMs() > 200_000, "a connection that is soon lost does not begin the backoff anew");
  const said = parts.events.filter((event) => event.level === "error");
  assert.equal(said.length, 1);
  assert.match(said[0]?.message ?? "", /client id "weir-gw1".*--mqtt-client-id/);
  assert.equal(parts.said("mqtt.connected").length, 1);
});

Deno.test("Two clients with one id, where the broker just closes: guessed after three times and said once", async () => {
  const { clock, broker, parts } = bench("3.1.1", null);
  for (let i = 0; i < 10; i++) {
    while (!broker.connected) await clock.advance(100);
    await clock.advance(500);
    broker.cut();
  }
  assert.equal(parts.said("mqtt.connection_unstable").length, 1);
  assert.equal(parts.said("mqtt.connection_lost").length, 1);
});

Deno.test("A connection that has held makes the next trouble news again", async () => {
  const { clock, broker, parts } = bench("5", null);
  for (let i = 0; i < 3; i++) {
    while (!broker.connected) await clock.advance(100);
    await clock.advance(20_000);
    broker.cut();
  }
  assert.equal(parts.said("mqtt.connection_lost").length, 3);
  assert.equal(parts.said("mqtt.connected").length, 3);
  assert.equal(parts.said("mqtt.connection_unstable").length, 0);
});

Deno.test("Left, it stays away until it is to come, at once then, and also while it is still leaving", async () => {
  const { clock, broker, connector } = bench("5", null);
  await clock.advance(1);
  connector.leave();
  await clock.advance(60_000);
  assert.ok(!connector.connected);
  connector.come();
  await clock.advance(1);
  assert.ok(connector.connected);
  connector.leave();
  connector.come();
  await clock.advance(1);
  assert.ok(connector.connected);
  assert.equal(broker.tries.length, 3);
  connector.leave();
  const away = connector.away();
  await clock.advance(1);
  await away;
  await connector.away();
  assert.equal(clock.timers, 0);
});
