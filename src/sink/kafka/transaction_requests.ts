/**
 * The requests of transactions: who coordinates them, begin anew as one producer, which partitions belong to the one under way, end it.
 * Versions are fixed: all of them are spoken by every Kafka from 2.7 to 4.x, the state of a
 * transaction from 3.0 on.
 *
 * Source: https://kafka.apache.org/protocol#protocol_messages
 *
 * @module
 */
import type { BrokerAddress } from "./connection.ts";
import type { Identity } from "./partition.ts";
import type { KafkaRequest, ProducerIdAnswer } from "./requests.ts";
import { wireReader, wireWriter } from "./wire.ts";

/** Who coordinates a transactional id. */
export interface CoordinatorAnswer {
  readonly code: number;
  readonly node: number;
  readonly address: BrokerAddress;
}

/** A partition that a transaction writes to. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** How the last transaction of a transactional id stands. */
export interface TransactionState {
  readonly code: number;
  /** `Empty` (somebody has the id and has begun nothing yet), `Ongoing`, `PrepareCommit`, `CompleteCommit`, `PrepareAbort`, `CompleteAbort`. */
  readonly state: string;
  readonly producerId: bigint;
}

/** What Kafka said to a request that is about one thing. */
export interface CodeAnswer {
  readonly code: number;
}

const transactionKind = 1;

/** The node that coordinates a transactional id. */
export function coordinatorRequest(transactionalId: string): KafkaRequest<CoordinatorAnswer> {
  const writer = wireWriter();
  writer.string(transactionalId);
  writer.int8(transactionKind);
  return {
    apiKey: 10,
    apiVersion: 1,
    apiName: "FindCoordinator",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      const code = reader.int16();
      reader.string(); // error message
      return { code, node: reader.int32(), address: { host: reader.string() ?? "", port: reader.int32() } };
    },
  };
}

/**
 * A producer id for a transactional id; everybody who had it before is fenced, and a transaction under way is aborted. With `former`, only
 * whoever holds that id still gets a new epoch of it: who was fenced is told so.
 */
export function initTransactionsRequest(
  transactionalId: string,
  timeoutMs: number,
  former: Identity | null,
): KafkaRequest<ProducerIdAnswer> {
  const writer = wireWriter();
  writer.shortString(transactionalId);
  writer.int32(timeoutMs);
  writer.int64(former?.producerId ?? -1n);
  writer.int16(former?.producerEpoch ?? -1);
  writer.int8(0); // no tagged fields
  return {
    apiKey: 22,
    apiVersion: 4,
    apiName: "InitProducerId",
    flexible: true,
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int8(); // tagged fields of the header: none
      reader.int32(); // throttle time
      return { code: reader.int16(), producerId: reader.int64(), producerEpoch: reader.int16() };
    },
  };
}

/** How the last transaction of a transactional id stands (Kafka 3.0 to 4.x; DESCRIBE on the id, which WRITE includes). */
export function transactionStateRequest(transactionalId: string): KafkaRequest<TransactionState> {
  const one = 2; // a compact array: the count plus one
  const writer = wireWriter();
  writer.int8(one);
  writer.shortString(transactionalId);
  writer.int8(0); // no tagged fields
  return {
    apiKey: 65,
    apiVersion: 0,
    apiName: "DescribeTransactions",
    flexible: true,
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.skipTags(); // of the header
      reader.int32(); // throttle time
      const states = reader.compactArray(() => {
        const code = reader.int16();
        reader.compactString(); // the id: we asked for one
        const state = reader.compactString() ?? "";
        reader.int32(); // timeout
        reader.int64(); // start
        const producerId = reader.int64();
        reader.int16(); // epoch
        reader.compactArray(() => {
          reader.compactString(); // topic
          reader.compactArray(() => reader.int32()); // partitions
          reader.skipTags();
        });
        reader.skipTags();
        return { code, state, producerId };
      });
      return states[0] ?? unknownState;
    },
  };
}

/** Kafka does not tell. */
export const unknownState: TransactionState = { code: 35, state: "", producerId: -1n };

/** Makes partitions part of the transaction under way, or of a new one. The code is the first that is not 0. */
export function addPartitionsRequest(
  transactionalId: string,
  { producerId, producerEpoch }: Identity,
  partitions: readonly TopicPartition[],
): KafkaRequest<CodeAnswer> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  const writer = wireWriter();
  writer.string(transactionalId);
  writer.int64(producerId);
  writer.int16(producerEpoch);
  writer.int32(byTopic.size);
  for (const [topic, ofTopic] of byTopic) {
    writer.string(topic);
    writer.int32(ofTopic.length);
    for (const { partition } of ofTopic) writer.int32(partition);
  }
  return {
    apiKey: 24,
    apiVersion: 1,
    apiName: "AddPartitionsToTxn",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      const codes = reader.array(() => {
        reader.string(); // topic
        return reader.array(() => {
          reader.int32(); // partition
          return reader.int16();
        });
      }).flat();
      // Where one partition is refused, the others are answered with "not attempted".
      const code = codes.find((one) => one !== 0 && one !== notAttempted) ?? codes.find((one) => one !== 0);
      return { code: code ?? 0 };
    },
  };
}

const notAttempted = 55;

/** Ends the transaction under way. */
export function endTransactionRequest(
  transactionalId: string,
  { producerId, producerEpoch }: Identity,
  commit: boolean,
): KafkaRequest<CodeAnswer> {
  const writer = wireWriter();
  writer.string(transactionalId);
  writer.int64(producerId);
  writer.int16(producerEpoch);
  writer.int8(commit ? 1 : 0);
  return {
    apiKey: 26,
    apiVersion: 1,
    apiName: "EndTxn",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      return { code: reader.int16() };
    },
  };
}
