/**
 * What the MQTT source needs, for tests: a payload `<text>*<rows>` becomes so many rows, `bad` in it a bad row, `filtered` a filtered
 * one.
 *
 * @module
 */
import type { Clock } from "../../../src/core/clock.ts";
import type { Normalizer, Row } from "../../../src/core/decoder.ts";
import { seededDice } from "../../../src/core/dice.ts";
import type { Event } from "../../../src/core/event.ts";
import type { OpenConnection } from "../../../src/source/mqtt/connection.ts";
import type { MqttSourceParts } from "../../../src/source/mqtt/mqtt_source.ts";
import type { MqttSourceOptions } from "../../../src/source/mqtt/options.ts";

export const defaultOptions: MqttSourceOptions = {
  url: "mqtt://127.0.0.1:1883",
  subscriptions: [{ template: "plant/{device_id}", weight: 1 }],
  qos: 1,
  version: "auto",
  clientId: null,
  username: null,
  password: null,
  tls: null,
  receiveMax: 100,
  inboxBytesMax: 1_000_000,
  retained: "once",
  statusTopic: null,
  keepaliveSeconds: 30,
  sessionExpirySeconds: 86_400,
};

export function decodePayload(payload: Uint8Array): readonly Row[] {
  const text = new TextDecoder().decode(payload);
  const place = { start: 0, end: payload.length };
  if (text.startsWith("bad")) return [{ kind: "bad", row: 0, ...place, reason: "bad_json", detail: "not JSON" }];
  const [name = "", rows = "1"] = text.split("*");
  return Array.from({ length: Number(rows) }, (_, row) => {
    return { kind: "object", object: { name, row }, text: `${name}#${row}`, row, ...place } as const;
  });
}

export const normalizer: Normalizer = {
  checkHeader: () => {},
  normalize(row, arrival) {
    if (row.kind !== "object") throw new Error("A payload has no cells");
    const fields = { ...row.object, ...arrival.topicFields };
    const name = String(row.object["name"]);
    if (name.startsWith("filtered")) return { kind: "filtered" };
    if (name.startsWith("misfit")) return { kind: "misfit", reason: "wrong_type", detail: "no number" };
    const value = JSON.stringify(fields);
    return { kind: "reading", fields, value, bytes: value.length };
  },
};

/** Parts of a source, with the events it emits and the messages it drops. */
export interface TestParts extends MqttSourceParts {
  readonly events: Event[];
  droppedCount(): number;
  /** Events of this name and at least level `info`. */
  said(name: string): readonly Event[];
}

export function testParts(clock: Clock, open?: OpenConnection): TestParts {
  const events: Event[] = [];
  let dropped = 0;
  return {
    clock,
    dice: seededDice(1),
    emit: (level, name, message, data = {}) => void events.push({ level, name, message, data }),
    decodePayload,
    normalizer,
    gateway: "gw1",
    boot: "b1",
    dropped: (count) => void (dropped += count),
    ...(open === undefined ? {} : { open }),
    events,
    droppedCount: () => dropped,
    said: (name) => events.filter((event) => event.name === name && event.level !== "debug"),
  };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
