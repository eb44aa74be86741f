/**
 * The quick way from an MQTT payload to the JSON text of its reading: a flat object that is laid out as one before it, as a line of NDJSON,
 * with the fields that the topic gives in their places. These are the same for all messages of a topic, so they are made JSON once.
 *
 * @module
 */
import type { LineWriter, PayloadWriter } from "../core/decoder.ts";
import { bytesOf } from "./bytes.ts";
import type { MemberWriter, PlannedField, TopicValues } from "./member_writer.ts";
import { createObjectWriter } from "./object_writer.ts";
import type { Rules } from "./rules.ts";

type TopicFields = Readonly<Record<string, string>>;

/** What the writers work with. */
export interface PayloadWritersOptions {
  readonly members: MemberWriter;
  /** The fields that leave, in order, of an object with these names that came by a topic that gives those; null where there is no quick way. */
  readonly plan: (names: readonly string[], topicNames: readonly string[]) => readonly PlannedField[] | null;
  /** A field of a topic as JSON; null where there is no quick way. */
  readonly render: (name: string, text: string) => string | null;
  readonly rules: Rules | null;
}

/** Longer payloads have no quick way. Whether they are too long is for the decoder to say, whose limit is not below this. */
const payloadBytesMax = 4096;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Gives the writer of a topic, by the fields that it gives; null where there can be none. A writer lives as long as this object of fields.
 * Layouts are learned for all topics together.
 */
export function createPayloadWriters(
  { members, plan, render, rules }: PayloadWritersOptions,
): (topicFields: TopicFields) => PayloadWriter | null {
  /** By the names of the topic's fields: as many as there are templates. */
  const objects = new Map<string, LineWriter>();
  const known = new WeakMap<TopicFields, PayloadWriter | null>();

  function writerOf(topicFields: TopicFields): PayloadWriter | null {
    const names = Object.keys(topicFields);
    const texts = names.map((name) => render(name, topicFields[name] ?? ""));
    const whole = texts.filter((text) => text !== null);
    if (whole.length < texts.length) return null;
    const key = JSON.stringify(names);
    const writer = objects.get(key) ?? createObjectWriter({ members, plan: (own) => plan(own, names), rules });
    objects.set(key, writer);
    const values = valuesOf(whole);
    return {
      extraBytes: () => writer.extraBytes + values.bytes.length,
      write(payload, wallMs, into, at) {
        if (payload.length > payloadBytesMax) return -1;
        members.arrive({ origin: "real_time", wallMs }, values);
        return writer.write(payload, 0, stopOf(payload), into, at);
      },
      learn: (row) => writer.learn?.(row),
    };
  }

  return (topicFields) => {
    const writer = known.get(topicFields);
    if (writer !== undefined) return writer;
    const made = writerOf(topicFields);
    known.set(topicFields, made);
    return made;
  };
}

/** Layouts are learned without a line ending. */
function stopOf(payload: Uint8Array): number {
  const last = payload.length - 1;
  if (payload[last] !== lineFeed) return payload.length;
  return payload[last - 1] === carriageReturn ? last - 1 : last;
}

function valuesOf(texts: readonly string[]): TopicValues {
  const ends: number[] = [];
  let end = 0;
  for (const text of texts) ends.push(end += bytesOf(text).length);
  return { bytes: bytesOf(texts.join("")), ends };
}
