/**
 * The requests that read a topic back, and the one that makes it: the checkpoints of files are kept there. Versions are fixed: all of them
 * are spoken by every Kafka from 2.4 to 4.x.
 *
 * Source: https://kafka.apache.org/protocol#protocol_messages
 *
 * @module
 */
import type { CodeAnswer } from "./transaction_requests.ts";
import type { KafkaRequest } from "./requests.ts";
import { wireReader, wireWriter } from "./wire.ts";

/** Where a partition begins or ends. */
export interface OffsetAnswer {
  readonly code: number;
  readonly offset: bigint;
}

/** A transaction that was aborted: skip the records of this producer from `firstOffset` on, until its end marker. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** What was read of a partition. */
export interface FetchAnswer {
  readonly code: number;
  /** In order of `firstOffset`. */
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches; the last may be cut. */
  readonly batches: Uint8Array;
}

/** The first offset of a partition, and the one behind the last record, of a transaction that is open or not. */
export const earliest = -2n;
export const latest = -1n;

/** An offset of one partition, asked of the node that leads it. */
export function offsetRequest(
  topic: string,
  partition: number,
  which: typeof earliest | typeof latest,
): KafkaRequest<OffsetAnswer> {
  const writer = wireWriter();
  writer.int32(-1); // we are no replica
  writer.int8(0); // read uncommitted
  writer.int32(1);
  writer.string(topic);
  writer.int32(1);
  writer.int32(partition);
  writer.int64(which);
  return {
    apiKey: 2,
    apiVersion: 2,
    apiName: "ListOffsets",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      const [found] = reader.array(() => {
        reader.string(); // topic
        return reader.array(() => {
          reader.int32(); // partition
          const code = reader.int16();
          reader.int64(); // timestamp
          return { code, offset: reader.int64() };
        });
      }).flat();
      return found ?? { code: -1, offset: -1n };
    },
  };
}

/** What one request reads, at most; a larger batch comes alone. */
const fetchBytesMax = 1 << 20;

/** Records of one partition from `offset` on, of ended transactions only; waits up to `waitMs` for some. */
export function fetchRequest(
  topic: string,
  partition: number,
  offset: bigint,
  waitMs: number,
): KafkaRequest<FetchAnswer> {
  const writer = wireWriter();
  writer.int32(-1); // we are no replica
  writer.int32(waitMs);
  writer.int32(1); // least bytes
  writer.int32(fetchBytesMax);
  writer.int8(1); // read committed
  writer.int32(0); // no session
  writer.int32(-1);
  writer.int32(1);
  writer.string(topic);
  writer.int32(1);
  writer.int32(partition);
  writer.int32(-1); // leader epoch: any
  writer.int64(offset);
  writer.int64(-1n); // log start offset: for replicas
  writer.int32(fetchBytesMax);
  writer.int32(0); // nothing to leave out of the session
  return {
    apiKey: 1,
    apiVersion: 10,
    apiName: "Fetch",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      const code = reader.int16();
      reader.int32(); // session
      const [found] = reader.array(() => {
        reader.string(); // topic
        return reader.array(() => {
          reader.int32(); // partition
          const ofPartition = reader.int16();
          reader.int64(); // high watermark
          reader.int64(); // last stable offset
          reader.int64(); // log start offset
          const aborted = reader.array(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }));
          return { code: ofPartition, aborted, batches: reader.blob() };
        });
      }).flat();
      return found ?? { code: code === 0 ? -1 : code, aborted: [], batches: new Uint8Array() };
    },
  };
}

/** Makes a topic, with as many replicas as the cluster makes by default. */
export function createTopicRequest(
  topic: string,
  partitions: number,
  settings: Readonly<Record<string, string>>,
  timeoutMs: number,
  validateOnly = false,
): KafkaRequest<CodeAnswer> {
  const writer = wireWriter();
  writer.int32(1);
  writer.string(topic);
  writer.int32(partitions);
  writer.int16(-1);
  writer.int32(0); // no assignment by hand
  writer.int32(Object.keys(settings).length);
  for (const [name, value] of Object.entries(settings)) {
    writer.string(name);
    writer.string(value);
  }
  writer.int32(timeoutMs);
  writer.int8(validateOnly ? 1 : 0);
  return {
    apiKey: 19,
    apiVersion: 4,
    apiName: "CreateTopics",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      const [made] = reader.array(() => {
        reader.string(); // topic
        const code = reader.int16();
        reader.string(); // error message
        return { code };
      });
      return made ?? { code: -1 };
    },
  };
}
