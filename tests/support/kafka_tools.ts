/**
 * What a test does with a Kafka, whoever started it: makes topics, asks the admin API, reads what is there with kcat.
 *
 * @module
 */
import { type Admin, Kafka, logLevel } from "kafkajs";
import { output } from "./kafka_jars.ts";
import { eventually } from "./servers.ts";

/** A Kafka that runs. */
export interface RunningKafka {
  /** `host:port` of the client listener. */
  readonly brokers: readonly string[];
  /** `host:port` of the listeners of `tlsBeside`. */
  readonly besideBrokers: readonly string[];
  /** `host:port` of the admin listener: no TLS, no user. */
  readonly adminBrokers: readonly string[];
  /** Port that the client listener really has; null when the server is not ours. */
  readonly ownPort: number | null;
  /** Where its logs and data are; null when it is not ours. */
  readonly dir: string | null;
  createTopic(topic: string, partitions: number, config?: Readonly<Record<string, string>>): Promise<void>;
  /** Anything else that the admin API can do. */
  admin<T>(act: (admin: Admin) => Promise<T>): Promise<T>;
  /** What kcat reads of a topic, from the beginning to the end, checksums checked. Nobody may write to it meanwhile: it might not end. */
  read(topic: string): Promise<readonly ConsumedRecord[]>;
  /** The first record of a partition; waits for it. */
  first(topic: string, partition: number): Promise<ConsumedRecord>;
  /** What Kafka's own DumpLogSegments says of a partition's log, record by record. */
  dumpLog(topic: string, partition: number): Promise<string>;
  /** Stops the server (SIGTERM, or SIGKILL) and keeps its data. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again on the same ports with the same data. */
  start(): Promise<void>;
  /** Has the server stand still (SIGSTOP): its connections stay, and nothing comes of what is sent there. */
  pause(): void;
  /** Has it go on (SIGCONT). */
  resume(): void;
  /** Stops it and removes its directory. */
  close(): Promise<void>;
}

/** A record as kcat shows it. */
export interface ConsumedRecord {
  readonly partition: number;
  readonly offset: number;
  /** Wall-clock ms. */
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A Kafka that is not ours: what needs control over the server fails. */
export function existingKafka(brokers: readonly string[], replication = 1): RunningKafka {
  const refusal = () => new Error("This Kafka was not started by the test: it cannot be stopped or looked into");
  const notOurs = () => Promise.reject(refusal());
  const notOursNow = () => {
    throw refusal();
  };
  const kafka: RunningKafka = {
    brokers,
    besideBrokers: [],
    adminBrokers: brokers,
    ownPort: null,
    dir: null,
    async createTopic(topic, partitions, config = {}) {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      const topics = [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }];
      await kafka.admin(async (admin) => {
        // It would wait for leaders by itself, but gives up when the broker does not know the new topic at once.
        await admin.createTopics({ topics, waitForLeaders: false });
        await eventually(`${topic} has its leaders`, async () => {
          const { topics: [made] } = await admin.fetchTopicMetadata({ topics: [topic] });
          return made?.partitions.length === partitions && made.partitions.every(({ leader }) => leader >= 0);
        });
      });
    },
    async admin(act) {
      const admin = new Kafka({ clientId: "weir-test", brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        return await act(admin);
      } finally {
        await admin.disconnect();
      }
    },
    async read(topic) {
      const lines = await output("kcat", [
        ...["-b", brokers.join(","), "-C", "-t", topic],
        ...["-e", "-q", "-J", "-X", "check.crcs=true"],
      ]);
      return lines.split("\n").filter((line) => line !== "").map(recordOf);
    },
    async first(topic, partition) {
      const line = await output("kcat", [
        ...["-b", brokers.join(","), "-C", "-t", topic, "-p", String(partition)],
        ...["-o", "beginning", "-c", "1", "-q", "-J"],
      ]);
      return recordOf(line);
    },
    dumpLog: notOurs,
    stop: notOurs,
    start: notOurs,
    pause: notOursNow,
    resume: notOursNow,
    close: () => Promise.resolve(),
  };
  return kafka;
}

function recordOf(line: string): ConsumedRecord {
  const json: {
    readonly partition: number;
    readonly offset: number;
    readonly ts: number;
    readonly key: string | null;
    readonly payload: string | null;
    readonly headers?: readonly string[];
  } = JSON.parse(line);
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < (json.headers?.length ?? 0); i += 2) {
    headers[json.headers?.[i] ?? ""] = json.headers?.[i + 1] ?? "";
  }
  return {
    partition: json.partition,
    offset: json.offset,
    timestampMs: json.ts,
    key: json.key,
    value: json.payload,
    headers,
  };
}

/** How many records a topic holds, without reading them. */
export async function countOf({ admin }: Pick<RunningKafka, "admin">, topic: string): Promise<number> {
  const offsets = await admin((client) => client.fetchTopicOffsets(topic));
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}
