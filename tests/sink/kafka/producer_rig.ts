/**
 * A producer on a model cluster, in virtual time, and all that comes of it.
 *
 * @module
 */
import { type Dice, seededDice } from "../../../src/core/dice.ts";
import type { Reading, Reason } from "../../../src/core/reading.ts";
import { createProducer, type ProducerOptions } from "../../../src/sink/kafka/producer.ts";
import { createTroubles } from "../../../src/sink/kafka/troubles.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { readBatch } from "./batch_reader.ts";
import { type Course, createModelCluster } from "./model_cluster.ts";
import { reading } from "./readings.ts";

const defaults: ProducerOptions = {
  clientId: "gw-stream",
  compression: "none",
  lingerMs: 5,
  batchBytesMax: 16 << 10,
  requestBytesMax: 64 << 10,
  recordBytesMax: 1 << 20,
  requestsInFlightMax: 5,
  metadataMaxAgeMs: 60_000,
  backoff: { firstMs: 100, maxMs: 2000 },
};

/** A producer on a model cluster with a topic `t` of `partitions`, and all that it reported and said. */
// Its type is what it gives.
// deno-lint-ignore explicit-module-boundary-types
export function setUp(options: Partial<ProducerOptions> & { readonly partitions?: number; readonly dice?: Dice } = {}) {
  const clock = virtualClock();
  const cluster = createModelCluster(clock);
  cluster.addTopic("t", options.partitions ?? 1);
  const delivered: string[] = [];
  const reports: string[][] = [];
  const rejected: { readonly id: string; readonly reason: Reason; readonly detail: string }[] = [];
  const events: { readonly level: string; readonly name: string; readonly message: string }[] = [];
  const emit = (level: string, name: string, message: string) => void events.push({ level, name, message });
  const dice = options.dice ?? seededDice(1);
  const troubles = createTroubles(clock, emit);
  const producer = createProducer({ ...defaults, ...options }, {
    clock,
    dice,
    emit,
    cluster,
    troubles,
    shape: {
      value: ({ value }: Reading) => value,
      valueBytes: ({ bytes }: Reading) => bytes,
      headers: [{ name: "weir.id", text: ({ id }: Reading) => id }],
    },
    onDelivered(readings) {
      const ids = readings.map(({ id }) => id);
      reports.push(ids);
      delivered.push(...ids);
    },
    onRejected: ({ id }, reason, detail) => void rejected.push({ id, reason, detail }),
  });
  const send = (
    id: string,
    ...[key = "k", value, topic = "t"]: [key?: string | null, value?: string, topic?: string]
  ) => producer.send(reading(id, {}, value), topic, key);
  /** Ids in the log of a partition. */
  const log = (partition = 0, topic = "t") => cluster.log(topic, partition).map(({ headers }) => headers[0]?.[1] ?? "");
  const allLogs = (topic = "t", partitions = 64) => Array.from({ length: partitions }, (_, p) => log(p, topic)).flat();
  /** Sequences of every batch that was sent, in order. */
  const sequences = () =>
    cluster.requests.flatMap(({ batches }) => batches.map(({ bytes }) => readBatch(bytes).sequence));
  /** Waits until metadata and a producer id are there. */
  const ready = async () => {
    producer.warm(["t"]);
    await clock.advance(50);
  };
  return {
    clock,
    cluster,
    producer,
    delivered,
    reports,
    rejected,
    events,
    troubles,
    send,
    log,
    allLogs,
    sequences,
    ready,
  };
}

/** Ids `from` to `to`, `to` not included. */
export const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

/** The first requests go these ways, the others well. */
export function once(...courses: readonly Course[]): () => Course {
  const left = [...courses];
  return () => left.shift() ?? { kind: "well" };
}
