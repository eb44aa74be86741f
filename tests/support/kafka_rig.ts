/**
 * A Kafka sink at a real Kafka, and all that it reported.
 *
 * @module
 */
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { seededDice } from "../../src/core/dice.ts";
import type { Event } from "../../src/core/event.ts";
import type { Lane } from "../../src/core/flow.ts";
import type { Reading, Reason } from "../../src/core/reading.ts";
import type { Sink } from "../../src/core/sink.ts";
import { createKafkaSink, type KafkaSinkOptions } from "../../src/sink/kafka/sink.ts";
import type { RunningKafka } from "../support/kafka.ts";
import { reading } from "../sink/kafka/readings.ts";

/** A sink, and all that it reported. */
export interface KafkaRig {
  readonly sink: Sink;
  readonly events: readonly Event[];
  /** Ids, in the order of the reports. */
  readonly delivered: readonly string[];
  readonly rejected: readonly { readonly id: string; readonly reason: Reason; readonly detail: string }[];
  open(): Promise<void>;
}

/** Makes a sink that writes to `kafka`, over its admin listener unless told otherwise. */
export function sinkFor(
  kafka: Pick<RunningKafka, "adminBrokers">,
  options: Partial<KafkaSinkOptions> = {},
  clock: Clock = systemClock,
): KafkaRig {
  const events: Event[] = [];
  const delivered: string[] = [];
  const rejected: { readonly id: string; readonly reason: Reason; readonly detail: string }[] = [];
  const sink = createKafkaSink(
    { brokers: kafka.adminBrokers, gateway: "gw", topic: "unset", key: "{key}", requestTimeoutMs: 3000, ...options },
    {
      clock,
      dice: seededDice(1),
      emit: (level, name, message, data = {}) => void events.push({ level, name, message, data }),
    },
  );
  const report = {
    delivered: (_lane: Lane, readings: readonly Reading[]) => void delivered.push(...readings.map(({ id }) => id)),
    rejected: (_lane: Lane, { id }: Reading, reason: Reason, detail: string) =>
      void rejected.push({ id, reason, detail }),
  };
  return { sink, events, delivered, rejected, open: () => sink.open(report) };
}

/** Readings with the ids `from` to `to`, `to` not included, under seven keys. */
export const numbered = (from: number, to: number, value = "{}"): readonly Reading[] =>
  Array.from({ length: to - from }, (_, i) => reading(String(from + i), { key: keyOf(from + i) }, value));
/** The key of such a reading. */
export const keyOf = (n: number): string => `key-${n % 7}`;
/** Their ids, sorted. */
export const idsOf = (readings: readonly Reading[]): readonly string[] => readings.map(({ id }) => id).toSorted();

/** Ids of all records of a topic, sorted. */
export async function idsIn(kafka: RunningKafka, topic: string): Promise<readonly string[]> {
  return (await kafka.read(topic)).map(({ headers }) => headers["weir.id"] ?? "").toSorted();
}
