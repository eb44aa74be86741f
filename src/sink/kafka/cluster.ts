/**
 * The cluster as a producer sees it: a few requests, sent to the right broker over connections that are opened when they are needed and
 * replaced when they broke. This interface is all that the producer knows of the network.
 *
 * @module
 */
import type { Dice } from "../../core/dice.ts";
import type { BrokerAddress, Connection, OpenConnection } from "./connection.ts";
import { PathError } from "./path_error.ts";
import {
  type KafkaRequest,
  type Metadata,
  metadataRequest,
  type OutgoingBatch,
  type ProduceAnswer,
  produceRequest,
  type ProducerIdAnswer,
  producerIdRequest,
  topicBytesMaxRequest,
} from "./requests.ts";

/** A cluster. Every method throws {@linkcode PathError} when there was no answer; Kafka's own refusals are codes in the answer. */
export interface Cluster {
  /** Where these topics are, from any broker that answers. */
  metadata(topics: readonly string[]): Promise<Metadata>;
  /** Largest batch that a topic takes, in bytes; null when this user may not know. */
  topicBytesMax(topic: string): Promise<number | null>;
  /** Sends batches to the node that leads their partitions. */
  produce(node: number, batches: readonly OutgoingBatch[]): Promise<ProduceAnswer>;
  initProducerId(): Promise<ProducerIdAnswer>;
  /** Whether a connection is up. */
  readonly connected: boolean;
  /** Destroys all connections. Requests under way and later ones fail with `closed`. */
  close(): void;
}

/** A cluster that takes any request. */
export interface OpenCluster extends Cluster {
  /** Asks one node. */
  ask<T>(node: number, request: KafkaRequest<T>): Promise<T>;
  /** Asks whichever node answers first. */
  askAny<T>(request: () => KafkaRequest<T>): Promise<T>;
  /** Where a node is that the metadata may not know of yet. */
  learnAddress(node: number, address: BrokerAddress): void;
}

/** Limits of a {@linkcode Cluster}. */
export interface ClusterOptions {
  readonly brokers: readonly BrokerAddress[];
  /** Longest wait for an answer, in ms. */
  readonly requestTimeoutMs: number;
}

/** How long a leader may wait for its followers, as a part of our own patience: its answer must come before we give up. */
export function ackTimeoutOf(requestTimeoutMs: number): number {
  return Math.floor(requestTimeoutMs * 2 / 3);
}

/** Makes a {@linkcode Cluster} that connects when it is asked for something. */
export function createCluster(options: ClusterOptions, open: OpenConnection, dice: Dice): OpenCluster {
  const closing = new AbortController();
  const addresses = new Map<number, BrokerAddress>();
  const connections = new Map<string, Promise<Connection>>();
  const live = new Map<string, Connection>();
  // Gateways that start together do not all ask the same broker first.
  let nextBroker = Math.floor(dice() * options.brokers.length);

  return {
    async metadata(topics) {
      const metadata = await askAny(() => metadataRequest(topics));
      learn(metadata);
      return metadata;
    },
    topicBytesMax: (topic) => askAny(() => topicBytesMaxRequest(topic)),
    initProducerId: () => askAny(() => producerIdRequest()),
    produce: (node, batches) => ask(node, produceRequest(batches, ackTimeoutOf(options.requestTimeoutMs))),
    ask,
    askAny,
    learnAddress: (node, address) => void addresses.set(node, address),
    get connected() {
      for (const connection of live.values()) if (connection.live) return true;
      return false;
    },
    close() {
      closing.abort();
      for (const connection of live.values()) connection.close();
      live.clear();
      connections.clear();
    },
  };

  async function ask<T>(node: number, request: KafkaRequest<T>): Promise<T> {
    const address = addresses.get(node);
    if (address === undefined) throw new PathError("unknown_node", `Kafka's metadata has no address of node ${node}`);
    const connection = await connectionTo(address);
    return await connection.request(request, options.requestTimeoutMs);
  }

  /** Asks a broker that is connected, or else each one that is known, in turn, until one answers. */
  async function askAny<T>(request: () => KafkaRequest<T>): Promise<T> {
    for (const connection of live.values()) {
      if (connection.live) return await connection.request(request(), options.requestTimeoutMs);
    }
    let worst: PathError | null = null;
    for (const address of candidates()) {
      try {
        const connection = await connectionTo(address);
        return await connection.request(request(), options.requestTimeoutMs);
      } catch (thrown) {
        if (!(thrown instanceof PathError) || thrown.failure === "closed") throw thrown;
        // A refused password says more than a broker that is down.
        if (worst === null || rank(thrown) >= rank(worst)) worst = thrown;
      }
    }
    throw worst ?? new PathError("unknown_node", "No broker is known");
  }

  /** The configured brokers, beginning with another one each time, then those that the metadata named. */
  function candidates(): readonly BrokerAddress[] {
    const all = new Map<string, BrokerAddress>();
    for (let i = 0; i < options.brokers.length; i++) {
      const address = options.brokers[(nextBroker + i) % options.brokers.length];
      if (address !== undefined) all.set(keyOf(address), address);
    }
    nextBroker += 1;
    for (const address of addresses.values()) all.set(keyOf(address), address);
    return [...all.values()];
  }

  function connectionTo(address: BrokerAddress): Promise<Connection> {
    const key = keyOf(address);
    const known = live.get(key);
    if (known?.live) return Promise.resolve(known);
    if (known !== undefined) {
      live.delete(key);
      connections.delete(key);
      known.retire();
    }
    const opening = connections.get(key) ?? connect(address, key);
    connections.set(key, opening);
    return opening;
  }

  async function connect(address: BrokerAddress, key: string): Promise<Connection> {
    try {
      const connection = await open(address, closing.signal);
      if (closing.signal.aborted) {
        connection.close();
        throw new PathError("closed", "The cluster was left");
      }
      live.set(key, connection);
      return connection;
    } catch (thrown) {
      connections.delete(key);
      throw thrown;
    }
  }

  /** Takes over the nodes' addresses, and leaves brokers that are neither a node nor configured. */
  function learn(metadata: Metadata): void {
    addresses.clear();
    for (const { node, host, port } of metadata.nodes) addresses.set(node, { host, port });
    const wanted = new Set([...addresses.values(), ...options.brokers].map(keyOf));
    for (const [key, connection] of live) {
      if (wanted.has(key)) continue;
      live.delete(key);
      connections.delete(key);
      connection.retire();
    }
  }
}

function keyOf(address: BrokerAddress): string {
  return `${address.host}:${address.port}`;
}

function rank(error: PathError): number {
  const telling: readonly string[] = ["authentication", "mechanism", "tls", "unsupported"];
  return telling.includes(error.failure) ? 1 : 0;
}
