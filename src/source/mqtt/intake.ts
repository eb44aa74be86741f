/**
 * The intake: one MQTT message becomes the items of one delivery. The topic gives fields through the first template that fits; a
 * payload that is laid out like others before it is written as it leaves, byte by byte; any other is decoded and its rows are normalized,
 * here and now; what cannot be used becomes a misfit that goes the same way.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { DecodePayload, Normalizer, PayloadWriter, Row } from "../../core/decoder.ts";
import type { Delivery } from "../../core/delivery.ts";
import type { Emit } from "../../core/event.ts";
import type { Item, Reason } from "../../core/reading.ts";
import { printable, quoted } from "../../core/text.ts";
import type { Inbox } from "./inbox.ts";
import { createPackedMessages, type Moment } from "./packed_messages.ts";
import { type Arrived, fingerprint, type Pending } from "./pending.ts";
import { createTemplateIndex } from "./template_index.ts";
import type { TopicTemplate } from "./topic_template.ts";

/** What a message or a row costs in memory besides its bytes, by estimate. */
const overheadBytes = 256;

/** Topics whose way is remembered, in characters of all of them together. A fleet's topics come again and again. */
const rememberedTopicCharsMax = 1_000_000;

/** What the intake needs. */
export interface IntakeParts {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly decodePayload: DecodePayload;
  readonly normalizer: Normalizer;
  /** First parts of the readings' ids: `<gateway>/<boot>/<counter>`. */
  readonly gateway: string;
  readonly boot: string;
  readonly templates: readonly TopicTemplate[];
  readonly inbox: Inbox;
  readonly pending: Pending;
}

/** Takes messages in. */
export interface Intake {
  /** Decodes a message, makes it pending and puts its items into the inbox. */
  take(topic: string, payload: Uint8Array, packetId: number, dup: boolean): void;
  /** What a message will count for at least, before its rows are known. */
  bytesOf(topic: string, payload: Uint8Array): number;
}

/** The way of a topic: the flow it goes to, and its fields; null when no template fits. */
interface Way {
  readonly subscription: number;
  readonly fields: Readonly<Record<string, string>> | null;
  /** It came before. A topic that does not come again is not worth what the quick way costs once. */
  again: boolean;
}

/** A message on its way through the intake. */
interface Message {
  readonly arrived: Arrived;
  readonly payload: Uint8Array;
  readonly way: Way;
  readonly id: string;
  readonly moment: Moment;
  /** Sent before, to this process's knowledge or not: a first delivery that this process does not know. */
  readonly redelivered: boolean;
}

/** Makes an {@linkcode Intake}. */
export function createIntake(parts: IntakeParts): Intake {
  const { clock, inbox, pending, normalizer, decodePayload } = parts;
  const idPrefix = `${parts.gateway}/${parts.boot}/`;
  const wayOf = createWays(parts.templates);
  const packed = createPackedMessages(idPrefix);
  let counter = 0;
  let moment: Moment | null = null;
  let mismatchSaid = false;

  function takeMisfit(message: Message, reason: Reason, detail: string): void {
    const bytes = message.payload.length + message.arrived.topic.length + overheadBytes;
    const delivery = pending.begin(message.arrived, bytes, 1);
    const raw = new Uint8Array(message.payload);
    inbox.put(message.way.subscription, misfit(message, delivery, 0, null, message.id, reason, detail, raw));
  }

  function takeRows(message: Message, rows: readonly Row[], writer: PayloadWriter | null): void {
    const { payload, way } = message;
    const arrival = { origin: "real_time", wallMs: message.moment.wallMs, topicFields: way.fields } as const;
    const bytes = payload.length + message.arrived.topic.length + overheadBytes * rows.length;
    const delivery = pending.begin(message.arrived, bytes, rows.length);
    const rowBytes = Math.ceil(payload.length / rows.length);
    // The library's buffer is a window on what the network gave: a letter that is kept needs bytes of its own.
    let copy: Uint8Array | null = null;
    const payloadCopy = () => copy ??= new Uint8Array(payload);
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index];
      if (row === undefined) break;
      const id = rows.length === 1 ? message.id : `${message.id}.${index}`;
      const result = row.kind === "bad"
        ? { kind: "misfit" as const, reason: row.reason, detail: row.detail }
        : normalizer.normalize(row, arrival);
      if (result.kind === "reading") {
        const { fields, value, bytes } = result;
        const { moment: { nowMs: arrivedMs }, redelivered } = message;
        if (rows.length === 1 && row.kind === "object") writer?.learn(row);
        inbox.put(way.subscription, {
          kind: "reading",
          delivery,
          index,
          bytes,
          id,
          fields,
          value,
          row: row.row,
          byte: -1,
          arrivedMs,
          redelivered,
        });
      } else if (result.kind === "filtered") {
        inbox.put(way.subscription, { kind: "filtered", delivery, index, bytes: rowBytes });
      } else {
        // Of an array only the element itself is kept, so that it can be tried again alone.
        const raw = rows.length > 1 && row.kind === "object" ? new TextEncoder().encode(row.text) : payloadCopy();
        inbox.put(way.subscription, misfit(message, delivery, index, row.row, id, result.reason, result.detail, raw));
      }
    }
  }

  function tellMismatch(topic: string): void {
    if (mismatchSaid) return;
    mismatchSaid = true;
    parts.emit(
      "warn",
      "mqtt.topic_mismatched",
      `A message came on topic ${
        quoted(topic)
      }, which fits no --mqtt-topic: it and others like it go to the dead letters. ` +
        "Either a named level of the topic is empty, or the broker still keeps a subscription of an earlier run for this client id",
      { topic: printable(topic) },
    );
  }

  /** One look at the clocks for all messages that one chunk of the network brought. */
  function momentOfTurn(): Moment {
    if (moment === null) {
      moment = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
      queueMicrotask(forgetMoment);
    }
    return moment;
  }

  function forgetMoment(): void {
    moment = null;
  }

  return {
    bytesOf,
    take(topic, payload, packetId, dup) {
      const way = wayOf(topic);
      const now = momentOfTurn();
      const arrived = { topic, packetId, fingerprint: packetId === 0 ? 0 : fingerprint(payload) };
      counter += 1;
      const writer = way.again && way.fields !== null ? normalizer.payloadWriter?.(way.fields) ?? null : null;
      const made = writer === null ? "left" : packed.write(writer, payload, counter, now);
      if (made !== "left") {
        const delivery = pending.begin(arrived, bytesOf(topic, payload), 1);
        return inbox.put(
          way.subscription,
          made === "packed"
            ? packed.reading(delivery, now, dup)
            : { kind: "filtered", delivery, index: 0, bytes: payload.length },
        );
      }
      const message: Message = { arrived, payload, way, id: idPrefix + counter, moment: now, redelivered: dup };
      if (way.fields === null) {
        tellMismatch(topic);
        return takeMisfit(message, "topic_mismatch", `The topic ${quoted(topic)} fits no template`);
      }
      const rows = decodePayload(payload);
      if (rows.length === 0) pending.begin(message.arrived, 0, 0);
      else takeRows(message, rows, writer);
    },
  };
}

function bytesOf(topic: string, payload: Uint8Array): number {
  return payload.length + topic.length + overheadBytes;
}

/** Finds the first template that fits a topic; remembers, because topics come again. */
function createWays(templates: readonly TopicTemplate[]): (topic: string) => Way {
  const firstFit = createTemplateIndex(templates);
  const remembered = new Map<string, Way>();
  let chars = 0;

  function find(topic: string): Way {
    // U+0000 must not be in a topic at all (MQTT 5.0, [MQTT-4.7.3-2]), whatever a wildcard would say to it.
    const fit = topic.includes("\0") ? null : firstFit(topic);
    return { subscription: fit?.place ?? 0, fields: fit?.fields ?? null, again: false };
  }

  return (topic) => {
    const known = remembered.get(topic);
    if (known !== undefined) {
      known.again = true;
      return known;
    }
    const way = find(topic);
    if (chars + topic.length > rememberedTopicCharsMax) {
      remembered.clear();
      chars = 0;
    }
    remembered.set(topic, way);
    chars += topic.length;
    return way;
  };
}

function misfit(
  message: Message,
  delivery: Delivery,
  index: number,
  row: number | null,
  id: string,
  reason: Reason,
  detail: string,
  raw: Uint8Array,
): Item {
  const letter = {
    id,
    reason,
    detail,
    origin: "real_time",
    source: message.arrived.topic,
    row,
    byte: null,
    decoder: "payload",
    header: null,
    raw,
    arrivedAtMs: message.moment.wallMs,
  } as const;
  return { kind: "misfit", delivery, index, bytes: raw.length, letter };
}
