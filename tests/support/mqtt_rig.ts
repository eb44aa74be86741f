/**
 * A running MQTT source at a real Mosquitto, and a client that publishes to it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectAsync, type MqttClient } from "mqtt";
import { systemClock } from "../../src/core/clock.ts";
import type { Item } from "../../src/core/reading.ts";
import type { Source } from "../../src/core/source.ts";
import type { MqttStatus } from "../../src/core/status.ts";
import { createMqttSource, type MqttSourceParts } from "../../src/source/mqtt/mqtt_source.ts";
import type { MqttSourceOptions } from "../../src/source/mqtt/options.ts";
import { defaultOptions, type TestParts, testParts } from "../source/mqtt/parts.ts";
import {
  findMosquitto,
  findMosquittoProgram,
  type Mosquitto,
  type MosquittoOptions,
  startMosquitto,
} from "../support/mosquitto.ts";
import { eventually } from "../support/servers.ts";

/** A Mosquitto of anybody, or null. */
export const anyBroker = findMosquitto("MQTT source with any broker");
/** The program to start one of our own with, or null. */
export const program = findMosquittoProgram("MQTT source with a Mosquitto of its own");
/** Each is promised alike. */
export const bothVersions = ["3.1.1", "5"] as const;

/** Registers a test with a broker of its own, where there is a Mosquitto. */
export function mosquittoTest(
  name: string,
  options: MosquittoOptions,
  act: (broker: Mosquitto) => Promise<void>,
): void {
  if (program === null) return;
  Deno.test(name, async () => {
    await using broker = await startMosquitto(program, options);
    await act(broker);
  });
}

/** A source that runs. */
export interface Running {
  readonly source: Source;
  readonly parts: TestParts;
  /** What was taken out of the flows and not settled. */
  readonly held: Item[];
  /** `name` fields of all readings taken. */
  readonly names: string[];
  settleAll(): void;
  status(): MqttStatus;
  /** Waits for CONNACK and the SUBACKs. */
  subscribed(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a source; `hold` keeps what is taken unsettled until `settleAll`. */
export async function run(
  options: Partial<MqttSourceOptions>,
  hold = false,
  more: Partial<Pick<MqttSourceParts, "filterMemory" | "clock" | "decodePayload">> = {},
): Promise<Running> {
  const parts = { ...testParts(systemClock), ...more };
  const source = createMqttSource({ ...defaultOptions, clientId: "weir-e2e", ...options }, parts);
  const held: Item[] = [];
  const names: string[] = [];
  let holding = hold;
  const settleAll = () => {
    for (const item of held.splice(0)) item.delivery.settle(item.index, "delivered");
  };
  await source.start(() => {
    for (const flow of source.flows) {
      for (const item of flow.take(Infinity, Infinity)) {
        if (item.kind === "reading") names.push(String(item.fields["name"]));
        held.push(item);
      }
    }
    if (!holding) settleAll();
  });
  const status = () => {
    const now = source.status();
    assert.ok(now.kind === "mqtt");
    return now;
  };
  return {
    source,
    parts,
    held,
    names,
    status,
    settleAll() {
      holding = false;
      settleAll();
    },
    async subscribed() {
      await eventually("the source is connected", () => status().connected);
      await eventually("its subscriptions are answered", () => {
        return parts.events.filter((event) => /mqtt\.(subscri|qos_low)/.test(event.name)).length > 0;
      });
    },
    async [Symbol.asyncDispose]() {
      await source.close();
    },
  };
}

/** A client of the broker. */
export async function publisher(broker: Mosquitto, options = {}): Promise<MqttClient> {
  return await connectAsync({ protocol: "mqtt", host: broker.host, port: broker.port, reconnectPeriod: 0, ...options });
}

/** Publishes messages with these payloads on one topic. */
export async function publish(broker: Mosquitto, names: readonly string[], options = {}): Promise<void> {
  const client = await publisher(broker);
  await Promise.all(names.map((name) => client.publishAsync("plant/d1", name, { qos: 1, ...options })));
  await client.endAsync();
}

/** Names that count up. */
export function numbered(count: number, prefix = "m"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
