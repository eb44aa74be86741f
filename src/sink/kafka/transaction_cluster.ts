/**
 * The cluster as transactions see it: what the producer of streams asks for, and the coordinator, and a topic to be read back.
 *
 * @module
 */
import type { Dice } from "../../core/dice.ts";
import { ackTimeoutOf, type Cluster, type ClusterOptions, createCluster } from "./cluster.ts";
import type { OpenConnection } from "./connection.ts";
import type { Identity } from "./partition.ts";
import { PathError } from "./path_error.ts";
import {
  createTopicRequest,
  type FetchAnswer,
  fetchRequest,
  type OffsetAnswer,
  offsetRequest,
} from "./read_requests.ts";
import {
  type OutgoingBatch,
  type ProduceAnswer,
  produceRequest,
  type ProducerIdAnswer,
  topicSettingRequest,
} from "./requests.ts";
import {
  addPartitionsRequest,
  type CodeAnswer,
  type CoordinatorAnswer,
  coordinatorRequest,
  endTransactionRequest,
  initTransactionsRequest,
  type TopicPartition,
  type TransactionState,
  transactionStateRequest,
  unknownState,
} from "./transaction_requests.ts";

/** A cluster for one transactional id. As with {@linkcode Cluster}, no answer is a `PathError` and a refusal is a code. */
export interface TransactionCluster extends Pick<Cluster, "metadata" | "topicBytesMax" | "connected" | "close"> {
  /** `cleanup.policy` of a topic; null when this user may not know. */
  cleanupPolicy(topic: string): Promise<string | null>;
  coordinator(): Promise<CoordinatorAnswer>;
  init(node: number, timeoutMs: number, former: Identity | null): Promise<ProducerIdAnswer>;
  /** `unknownState` where Kafka is too old to tell. */
  state(node: number): Promise<TransactionState>;
  addPartitions(node: number, identity: Identity, partitions: readonly TopicPartition[]): Promise<CodeAnswer>;
  end(node: number, identity: Identity, commit: boolean): Promise<CodeAnswer>;
  produce(node: number, batches: readonly OutgoingBatch[]): Promise<ProduceAnswer>;
  createTopic(
    node: number,
    topic: string,
    partitions: number,
    settings: Readonly<Record<string, string>>,
  ): Promise<CodeAnswer>;
  offset(node: number, topic: string, partition: number, which: -1n | -2n): Promise<OffsetAnswer>;
  fetch(node: number, topic: string, partition: number, offset: bigint): Promise<FetchAnswer>;
}

/** How long a broker waits for something to read. */
const fetchWaitMs = 250;

/** Makes a {@linkcode TransactionCluster}. */
export function createTransactionCluster(
  transactionalId: string,
  options: ClusterOptions,
  open: OpenConnection,
  dice: Dice,
): TransactionCluster {
  const cluster = createCluster(options, open, dice);
  const ackTimeoutMs = ackTimeoutOf(options.requestTimeoutMs);
  return {
    metadata: cluster.metadata,
    topicBytesMax: cluster.topicBytesMax,
    cleanupPolicy: (topic) => cluster.askAny(() => topicSettingRequest(topic, "cleanup.policy")),
    get connected() {
      return cluster.connected;
    },
    close: cluster.close,
    async coordinator() {
      const answer = await cluster.askAny(() => coordinatorRequest(transactionalId));
      if (answer.code === 0) cluster.learnAddress(answer.node, answer.address);
      return answer;
    },
    init: (node, timeoutMs, former) => cluster.ask(node, initTransactionsRequest(transactionalId, timeoutMs, former)),
    async state(node) {
      try {
        return await cluster.ask(node, transactionStateRequest(transactionalId));
      } catch (thrown) {
        if (thrown instanceof PathError && thrown.failure === "unsupported") return unknownState;
        throw thrown;
      }
    },
    addPartitions: (node, identity, partitions) =>
      cluster.ask(node, addPartitionsRequest(transactionalId, identity, partitions)),
    end: (node, identity, commit) => cluster.ask(node, endTransactionRequest(transactionalId, identity, commit)),
    produce: (node, batches) => cluster.ask(node, produceRequest(batches, ackTimeoutMs, transactionalId)),
    createTopic: (node, topic, partitions, settings) =>
      cluster.ask(node, createTopicRequest(topic, partitions, settings, ackTimeoutMs)),
    offset: (node, topic, partition, which) => cluster.ask(node, offsetRequest(topic, partition, which)),
    fetch: (node, topic, partition, offset) => cluster.ask(node, fetchRequest(topic, partition, offset, fetchWaitMs)),
  };
}
