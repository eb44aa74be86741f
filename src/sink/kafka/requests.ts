/**
 * The requests that a producer needs, as bodies to send and answers to read: produce, metadata, producer id, a topic's settings.
 * Versions are fixed: all of them are spoken by every Kafka from 2.1 to 4.x.
 *
 * Source: https://kafka.apache.org/protocol#protocol_messages
 *
 * @module
 */
import { wireReader, wireWriter } from "./wire.ts";

/** A request: which API in which version, the body, and how its answer is read. */
export interface KafkaRequest<T> {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  /** One of the newer versions with tagged fields; its answer is read from the tagged fields of the header on. Default: false. */
  readonly flexible?: boolean;
  /** In pieces, which are not to change before the answer is there. */
  readonly body: readonly Uint8Array[];
  /** @throws {PathError} `garbled` */
  read(answer: Uint8Array): T;
}

/** A batch on its way to a partition. */
export interface OutgoingBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
}

/** What Kafka said to a produce request. */
export interface ProduceAnswer {
  readonly results: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly code: number;
    /** Where the first record lies in the log; -1: not told. */
    readonly baseOffset: number;
  }[];
  /** How long the broker asks to be left alone, in ms. */
  readonly throttleMs: number;
}

/** What Kafka said of a topic. */
export interface TopicMetadata {
  readonly topic: string;
  /** 0, or why there is nothing about it. */
  readonly code: number;
  /** Node that leads each partition, by index; -1: none at the moment. */
  readonly leaders: readonly number[];
}

/** What Kafka said of itself. */
export interface Metadata {
  /** Node that makes topics; -1: none known. */
  readonly controller: number;
  readonly nodes: readonly { readonly node: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly TopicMetadata[];
}

/** A producer id, or why there is none. */
export interface ProducerIdAnswer {
  readonly code: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/**
 * Batches for partitions led by one node, at `acks=all`. `ackTimeoutMs`: how long the leader waits for its followers.
 * `transactionalId`: whose transaction they are part of; null: of none.
 */
export function produceRequest(
  batches: readonly OutgoingBatch[],
  ackTimeoutMs: number,
  transactionalId: string | null = null,
): KafkaRequest<ProduceAnswer> {
  const byTopic = Map.groupBy(batches, ({ topic }) => topic);
  const writer = wireWriter();
  writer.string(transactionalId);
  writer.int16(-1);
  writer.int32(ackTimeoutMs);
  writer.int32(byTopic.size);
  for (const [topic, ofTopic] of byTopic) {
    writer.string(topic);
    writer.int32(ofTopic.length);
    for (const { partition, bytes } of ofTopic) {
      writer.int32(partition);
      writer.blob(bytes);
    }
  }
  return { apiKey: 0, apiVersion: 7, apiName: "Produce", body: writer.parts(), read: readProduceAnswer };
}

function readProduceAnswer(answer: Uint8Array): ProduceAnswer {
  const reader = wireReader(answer);
  const results = reader.array(() => {
    const topic = reader.string() ?? "";
    return reader.array(() => {
      const partition = reader.int32();
      const code = reader.int16();
      const baseOffset = Number(reader.int64());
      reader.int64(); // log append time
      reader.int64(); // log start offset
      return { topic, partition, code, baseOffset };
    });
  }).flat();
  return { results, throttleMs: reader.int32() };
}

/** Where the partitions of these topics are. Never makes a topic. */
export function metadataRequest(topics: readonly string[]): KafkaRequest<Metadata> {
  const writer = wireWriter();
  writer.int32(topics.length);
  for (const topic of topics) writer.string(topic);
  writer.int8(0);
  return { apiKey: 3, apiVersion: 6, apiName: "Metadata", body: writer.parts(), read: readMetadata };
}

function readMetadata(answer: Uint8Array): Metadata {
  const reader = wireReader(answer);
  reader.int32(); // throttle time: metadata is asked for too seldom to matter
  const nodes = reader.array(() => {
    const broker = { node: reader.int32(), host: reader.string() ?? "", port: reader.int32() };
    reader.string(); // rack
    return broker;
  });
  reader.string(); // cluster id
  const controller = reader.int32();
  const topics = reader.array(() => {
    const code = reader.int16();
    const topic = reader.string() ?? "";
    reader.int8(); // internal
    const partitions = reader.array(() => {
      reader.int16(); // error code: told by the leader being -1
      const partition = reader.int32();
      const leader = reader.int32();
      for (let list = 0; list < 3; list++) reader.array(reader.int32); // replicas, in-sync replicas, offline replicas
      return { partition, leader };
    });
    const leaders: number[] = Array.from({ length: partitions.length }, () => -1);
    for (const { partition, leader } of partitions) if (partition < leaders.length) leaders[partition] = leader;
    return { topic, code, leaders };
  });
  return { controller, nodes, topics };
}

/** A producer id for an idempotent producer. */
export function producerIdRequest(): KafkaRequest<ProducerIdAnswer> {
  const writer = wireWriter();
  writer.string(null);
  writer.int32(60_000); // transaction timeout: needed, unused
  return {
    apiKey: 22,
    apiVersion: 1,
    apiName: "InitProducerId",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      return { code: reader.int16(), producerId: reader.int64(), producerEpoch: reader.int16() };
    },
  };
}

/** The `max.message.bytes` of a topic: the largest batch that it takes. Null when we may not know. */
export function topicBytesMaxRequest(topic: string): KafkaRequest<number | null> {
  const request = topicSettingRequest(topic, "max.message.bytes");
  return {
    ...request,
    read(answer) {
      const bytes = Number(request.read(answer) ?? NaN);
      return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
    },
  };
}

/** A setting of a topic, by its name. Null when we may not know. */
export function topicSettingRequest(topic: string, settingName: string): KafkaRequest<string | null> {
  const topicResource = 2;
  const writer = wireWriter();
  writer.int32(1);
  writer.int8(topicResource);
  writer.string(topic);
  writer.int32(1);
  writer.string(settingName);
  writer.int8(0); // no synonyms
  return {
    apiKey: 32,
    apiVersion: 2,
    apiName: "DescribeConfigs",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      const values = reader.array(() => {
        reader.int16(); // error code: an error comes without settings
        reader.string(); // error message
        reader.int8(); // kind of resource
        reader.string(); // its name
        return reader.array(() => {
          reader.string(); // name of the setting: we asked for one
          const value = reader.string();
          reader.int8(); // read only
          reader.int8(); // where it comes from
          reader.int8(); // sensitive
          reader.array(() => [reader.string(), reader.string(), reader.int8()]); // synonyms
          return value;
        });
      }).flat();
      return values[0] ?? null;
    },
  };
}
