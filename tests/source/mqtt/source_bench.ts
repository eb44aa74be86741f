/**
 * An MQTT source on a bench: at a model broker, in virtual time.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Item } from "../../../src/core/reading.ts";
import type { Source } from "../../../src/core/source.ts";
import type { MqttStatus } from "../../../src/core/status.ts";
import { createMqttSource, type MqttSourceParts } from "../../../src/source/mqtt/mqtt_source.ts";
import type { MqttSourceOptions } from "../../../src/source/mqtt/options.ts";
import { type VirtualClock, virtualClock } from "../../support/virtual_clock.ts";
import { type ModelBroker, modelBroker } from "./model_broker.ts";
import { defaultOptions, type TestParts, testParts } from "./parts.ts";

/** What stands on it. */
export interface Bench {
  readonly clock: VirtualClock;
  readonly broker: ModelBroker;
  readonly parts: TestParts;
  readonly source: Source;
  status(): MqttStatus;
  take(): Item[];
}

/** A source that has started, with a model broker, in virtual time. */
export async function bench(
  options: Partial<MqttSourceOptions> = {},
  window = 1_000,
  more: Pick<MqttSourceParts, "filterMemory"> = {},
): Promise<Bench> {
  const clock = virtualClock();
  const broker = modelBroker(clock, window);
  const parts = { ...testParts(clock, broker.open), ...more };
  const source = createMqttSource({ ...defaultOptions, ...options }, parts);
  await source.start(() => {});
  await clock.advance(1);
  return {
    clock,
    broker,
    parts,
    source,
    status() {
      const now = source.status();
      assert.ok(now.kind === "mqtt");
      return now;
    },
    take: () => source.flows.flatMap((flow) => [...flow.take(Infinity, Infinity)]),
  };
}

/** Settles these. */
export function settle(items: readonly Item[]): void {
  for (const item of items) item.delivery.settle(item.index, "delivered");
}
