/**
 * The options of the Kafka sink, and the checks that need no network.
 *
 * @module
 */
import type { BackoffOptions } from "../../core/backoff.ts";
import { readCertificates } from "../../core/certificate.ts";
import { WeirError } from "../../core/error.ts";
import type { Lane } from "../../core/flow.ts";
import { current, type Renewable } from "../../core/renewable.ts";
import { quoted } from "../../core/text.ts";
import type { TlsMaterial } from "../../core/tls.ts";
import type { BrokerAddress, SaslOptions } from "./connection.ts";
import type { Compression } from "./record_batch.ts";
import { parseTemplate, type Template } from "./template.ts";

/** Headers that a record may carry besides `weir.id` (and `weir.redelivered`, where it applies). */
export type OptionalHeader = "source" | "position" | "gateway";

/** Options of the Kafka sink. */
export interface KafkaSinkOptions {
  /** `HOST:PORT` (IPv6 as `[::1]:9092`); the port is 9092 when absent. At least one. */
  readonly brokers: readonly string[];
  /** Name of this gateway: the producers are `<gateway>-stream` and `<gateway>-files`. */
  readonly gateway: string;
  /** Topic, or template of it: `readings`, `plant.{site}`. */
  readonly topic: string;
  /** Topics that a template may give. Needed when `topic` has fields: a payload must not choose just any topic. */
  readonly topicAllow?: readonly string[];
  /** Where dead letters are sent too. Null: nowhere. Default: null. */
  readonly deadLetterTopic?: string | null;
  /**
   * Compacted topic for the checkpoints of files: rows of files go in transactions, together with their checkpoint. Null: they are sent
   * at least once. Default: null.
   */
  readonly filesCheckpointTopic?: string | null;
  /** Template of the key: `{device_id}`. Null or empty: no keys. Default: `{device_id}`. */
  readonly key?: string | null;
  /** Default: `none`. */
  readonly compression?: Compression;
  /** Headers besides `weir.id`. Default: none. */
  readonly headers?: readonly OptionalHeader[];
  /** Null: no TLS. Default: null. */
  readonly tls?: Renewable<TlsMaterial> | null;
  /** Default: null. */
  readonly sasl?: SaslOptions | null;
  /** Longest time that a record gathers company, in ms. Default: stream 5, files 10. */
  readonly lingerMs?: Readonly<Record<Lane, number>>;
  /** Largest batch before compression, in bytes. Default: 256 KiB (a larger one would block the event loop for too long). */
  readonly batchBytesMax?: number;
  /** Largest request, in bytes; a larger record goes alone. Of files no more than 256 KiB, but in transactions. Default: 1 MiB. */
  readonly requestBytesMax?: number;
  /** Largest value that is tried at all, in bytes; a larger one is rejected without asking Kafka. Default: 64 MiB. */
  readonly recordBytesMax?: number;
  /** Requests under way to one leader, for each lane. Default: 5. */
  readonly requestsInFlightMax?: number;
  /** Longest time to connect (TCP, TLS, SASL), in ms. Default: 10,000. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for an answer, in ms. Default: 15,000. */
  readonly requestTimeoutMs?: number;
  /** Metadata is asked for again after this time, in ms: new partitions are found then. Default: 180,000. */
  readonly metadataMaxAgeMs?: number;
  /** Wait between attempts. Default: 100 ms to 2 s. */
  readonly backoff?: BackoffOptions;
}

/** Options with everything filled in and parsed. */
export interface ParsedOptions extends Required<Omit<KafkaSinkOptions, "brokers" | "topic" | "key">> {
  readonly brokers: readonly BrokerAddress[];
  readonly topic: Template;
  readonly key: Template | null;
}

/**
 * Fills in defaults and checks all that can be checked without a network.
 *
 * @throws {WeirError} `configuration`
 */
export function parseOptions(options: KafkaSinkOptions): ParsedOptions {
  const topic = parseTemplate(options.topic, "topic template");
  const key = options.key === null || options.key === ""
    ? null
    : parseTemplate(options.key ?? "{device_id}", "key template");
  const topicAllow = options.topicAllow ?? [];
  if (options.brokers.length === 0) {
    throw new WeirError("configuration", "No Kafka broker is given", {
      advice: "Name at least one with --kafka-brokers",
    });
  }
  if (topic.fields.length > 0 && topicAllow.length === 0) {
    throw new WeirError(
      "configuration",
      `The topic template ${quoted(topic.source)} has fields, and no topics are allowed`,
      {
        advice: "List the topics that it may give",
      },
    );
  }
  const deadLetterTopic = options.deadLetterTopic ?? null;
  const filesCheckpointTopic = options.filesCheckpointTopic ?? null;
  const ownTopics = [deadLetterTopic, filesCheckpointTopic].filter((name) => name !== null);
  for (const name of [...topic.fields.length === 0 ? [topic.source] : topicAllow, ...ownTopics]) {
    if (!isTopicName(name)) {
      throw new WeirError("configuration", `${quoted(name)} cannot be the name of a Kafka topic`, {
        advice: topicNameAdvice,
      });
    }
  }
  const tls = options.tls === undefined || options.tls === null ? null : current(options.tls);
  if (tls !== null && tls.ca !== null) checkCertificates(tls.ca);
  return {
    brokers: options.brokers.map(parseBroker),
    gateway: options.gateway,
    topic,
    topicAllow,
    deadLetterTopic,
    filesCheckpointTopic,
    key,
    compression: options.compression ?? "none",
    headers: options.headers ?? [],
    tls: options.tls ?? null,
    sasl: options.sasl ?? null,
    lingerMs: options.lingerMs ?? { stream: 5, files: 10 },
    batchBytesMax: options.batchBytesMax ?? 256 << 10,
    requestBytesMax: options.requestBytesMax ?? 1 << 20,
    recordBytesMax: options.recordBytesMax ?? 64 << 20,
    requestsInFlightMax: options.requestsInFlightMax ?? 5,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 15_000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 180_000,
    backoff: options.backoff ?? { firstMs: 100, maxMs: 2_000 },
  };
}

const topicNameAdvice = "A topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ - and is neither . nor ..";

/** Whether Kafka allows this name for a topic. */
export function isTopicName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..";
}

/**
 * Parses `HOST:PORT`, `HOST`, `[IPV6]:PORT` or `[IPV6]`.
 *
 * @throws {WeirError} `configuration`
 */
export function parseBroker(text: string): BrokerAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]@]+))(?::([0-9]{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 9092);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new WeirError("configuration", `${quoted(text)} is not the address of a Kafka broker`, {
      advice: "Write HOST:PORT, for example kafka.example.org:9092 or [::1]:9092, without a scheme",
    });
  }
  return { host, port };
}

function checkCertificates(pem: string): void {
  const read = readCertificates(pem);
  if (read.ok) return;
  throw new WeirError(
    "configuration",
    `The CA file for Kafka ${read.trouble.charAt(0).toLowerCase()}${read.trouble.slice(1)}`,
    {
      advice: "Give the CA's certificate in PEM form: text that begins with -----BEGIN CERTIFICATE-----",
    },
  );
}
