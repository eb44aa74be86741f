/**
 * A model of a Kafka cluster on a virtual clock: logs that drop duplicates by producer id and sequence as Kafka's do, leaders that move,
 * and a hook that decides how each request goes wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Clock } from "../../../src/core/clock.ts";
import type { Cluster } from "../../../src/sink/kafka/cluster.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import type { OutgoingBatch, ProduceAnswer } from "../../../src/sink/kafka/requests.ts";
import { type ReadBatch, readBatch, type ReadRecord } from "./batch_reader.ts";

/** How a produce request goes. */
export type Course =
  /** As it should. */
  | { readonly kind: "well" }
  /** The request never arrives; the connection breaks. */
  | { readonly kind: "request_lost" }
  /** It is written; the connection breaks before the answer. */
  | { readonly kind: "answer_lost" }
  /** No answer in time; it is written `lateMs` after we gave up. */
  | { readonly kind: "late"; readonly lateMs: number }
  /** This code for every batch of the request; `written`: and yet they are in the log. */
  | { readonly kind: "code"; readonly code: number; readonly written: boolean };

/** What can be looked at and steered. */
export interface ModelCluster extends Cluster {
  /** Records of a partition, in order. */
  log(topic: string, partition: number): readonly ReadRecord[];
  /** Every produce request that reached the model, in order. */
  readonly requests: readonly {
    readonly atMs: number;
    readonly node: number;
    readonly batches: readonly OutgoingBatch[];
  }[];
  addTopic(topic: string, partitions: number): void;
  removeTopic(topic: string): void;
  setPartitions(topic: string, partitions: number): void;
  /** Node -1: none. */
  setLeader(topic: string, partition: number, node: number): void;
  /** Course of the next requests; `well` by default. */
  course: (node: number, batches: readonly OutgoingBatch[]) => Course;
  /** Error that metadata and producer id requests meet, or null. */
  pathError: PathError | null;
  /** Code of producer id requests. */
  producerIdCode: number;
  throttleMs: number;
  /** What `topicBytesMax` tells; the limit holds whether it tells or not. */
  bytesMax: number;
  tellsBytesMax: boolean;
  /** A record with this in its value is invalid (code 87). */
  poison: string | null;
  /** Forgets all producers, as a broker does after a long time. */
  forgetProducers(): void;
  readonly metadataRequests: number;
  readonly closed: boolean;
}

interface Log {
  readonly records: ReadRecord[];
  readonly producers: Map<bigint, { next: number; readonly last: { sequence: number; count: number }[] }>;
  leader: number;
}

/** Makes a cluster of three nodes without topics. An answer takes `answerMs`. */
export function createModelCluster(clock: Clock, answerMs = 2): ModelCluster {
  const topics = new Map<string, Log[]>();
  const requests: { atMs: number; node: number; batches: readonly OutgoingBatch[] }[] = [];
  const timeoutMs = 1000;
  let nextProducerId = 100n;
  let metadataRequests = 0;
  let closed = false;

  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const newLog = (_: unknown, index: number): Log => ({ records: [], producers: new Map(), leader: index % 3 });
  const logOf = (topic: string, partition: number) => topics.get(topic)?.[partition];

  const cluster: ModelCluster = {
    requests,
    course: () => ({ kind: "well" }),
    pathError: null,
    producerIdCode: 0,
    throttleMs: 0,
    bytesMax: 1 << 20,
    tellsBytesMax: true,
    poison: null,
    connected: true,
    get metadataRequests() {
      return metadataRequests;
    },
    get closed() {
      return closed;
    },
    log: (topic, partition) => logOf(topic, partition)?.records ?? [],
    addTopic: (topic, partitions) => void topics.set(topic, Array.from({ length: partitions }, newLog)),
    removeTopic: (topic) => void topics.delete(topic),
    setPartitions(topic, partitions) {
      const logs = topics.get(topic) ?? [];
      topics.set(topic, Array.from({ length: partitions }, (_, index) => logs[index] ?? newLog(null, index)));
    },
    setLeader(topic, partition, node) {
      const log = logOf(topic, partition);
      assert.ok(log !== undefined);
      log.leader = node;
    },
    forgetProducers() {
      for (const log of [...topics.values()].flat()) log.producers.clear();
    },
    async metadata(names) {
      metadataRequests += 1;
      await wait(answerMs);
      if (cluster.pathError !== null) throw cluster.pathError;
      return {
        controller: 0,
        nodes: [0, 1, 2].map((node) => ({ node, host: "model", port: node })),
        topics: names.map((topic) => ({
          topic,
          code: topics.has(topic) ? 0 : 3,
          leaders: (topics.get(topic) ?? []).map(({ leader }) => leader),
        })),
      };
    },
    async topicBytesMax() {
      await wait(answerMs);
      return cluster.tellsBytesMax ? cluster.bytesMax : null;
    },
    async initProducerId() {
      await wait(answerMs);
      if (cluster.pathError !== null) throw cluster.pathError;
      const code = cluster.producerIdCode;
      return { code, producerId: code === 0 ? nextProducerId++ : -1n, producerEpoch: 0 };
    },
    async produce(node, batches): Promise<ProduceAnswer> {
      assert.ok(batches.length > 0, "a request without batches");
      requests.push({ atMs: clock.nowMs(), node, batches });
      // Requests are read when they are made: what the producer changes later must not matter.
      const copies = batches.map((batch) => ({ ...batch, bytes: batch.bytes.slice() }));
      const course = cluster.course(node, copies);
      await wait(answerMs / 2);
      if (closed) throw new PathError("closed", "closed");
      switch (course.kind) {
        case "request_lost":
          throw new PathError("lost", "the request was lost");
        case "answer_lost":
          for (const batch of copies) append(node, batch);
          throw new PathError("lost", "the answer was lost");
        case "late":
          clock.after(timeoutMs + course.lateMs, () => copies.forEach((batch) => append(node, batch)));
          await wait(timeoutMs);
          throw new PathError("timed_out", "no answer in time");
        case "code":
        case "well": {
          const results = copies.map((batch) => {
            const { topic, partition } = batch;
            if (course.kind === "well") {
              const baseOffset = logOf(topic, partition)?.records.length ?? -1;
              const code = append(node, batch);
              // Of a duplicate Kafka tells where the first one lies; the model does not know any more.
              const written = code === 0 && (logOf(topic, partition)?.records.length ?? 0) > baseOffset;
              return { topic, partition, code, baseOffset: written ? baseOffset : -1 };
            }
            if (course.written) append(node, batch);
            return { topic, partition, code: course.code, baseOffset: -1 };
          });
          await wait(answerMs / 2);
          return { results, throttleMs: cluster.throttleMs };
        }
      }
    },
    close() {
      closed = true;
    },
  };
  return cluster;

  /** Appends as Kafka does: size, then content, then the producer's sequence. */
  function append(node: number, { topic, partition, bytes }: OutgoingBatch): number {
    const log = logOf(topic, partition);
    if (log === undefined) return 3;
    if (log.leader !== node) return 6;
    if (bytes.length > cluster.bytesMax) return 10;
    const batch = readBatch(bytes);
    const { poison } = cluster;
    if (poison !== null && batch.records.some(({ value }) => value?.includes(poison))) return 87;
    assert.ok(batch.producerId >= 0n, "a batch without a producer id is never looked at for duplicates");
    return appendOnce(log, batch);
  }

  function appendOnce(log: Log, batch: ReadBatch): number {
    const known = log.producers.get(batch.producerId);
    const count = batch.records.length;
    if (known?.last.some((earlier) => earlier.sequence === batch.sequence && earlier.count === count)) return 0;
    // Of a producer that it does not know Kafka takes any sequence.
    if (known !== undefined && known.next !== batch.sequence) return 45;
    const producer = known ?? { next: 0, last: [] };
    producer.next = (batch.sequence + count) & 0x7fffffff;
    producer.last.push({ sequence: batch.sequence, count });
    if (producer.last.length > 5) producer.last.shift();
    log.producers.set(batch.producerId, producer);
    log.records.push(...batch.records);
    return 0;
  }
}
