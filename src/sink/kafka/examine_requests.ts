/**
 * The requests with which `doctor` looks at a cluster: its controllers, which tell the time, and its quotas. Both need a permission of
 * their own.
 *
 * Source: https://kafka.apache.org/protocol#protocol_messages
 *
 * @module
 */
import type { KafkaRequest } from "./requests.ts";
import { wireReader, wireWriter } from "./wire.ts";

/** What the cluster says of its controllers. */
export interface QuorumAnswer {
  /** 0, or why there is nothing about it. */
  readonly code: number;
  /** The clock of the controller that leads, in ms since 1970; null when it is not told. */
  readonly leaderMs: number | null;
}

/**
 * The state of the controllers (Kafka 3.3 to 4.x, KRaft only; DESCRIBE on the cluster). A leader has always caught up with itself: as the
 * time of that it answers its own clock.
 */
export function quorumRequest(): KafkaRequest<QuorumAnswer> {
  const one = 2; // a compact array: the count plus one
  const noTags = 0;
  const writer = wireWriter();
  writer.int8(one);
  writer.shortString("__cluster_metadata");
  writer.int8(one);
  writer.int32(0);
  for (let structure = 0; structure < 3; structure++) writer.int8(noTags);
  return {
    apiKey: 55,
    apiVersion: 1,
    apiName: "DescribeQuorum",
    flexible: true,
    body: writer.parts(),
    read: readQuorumAnswer,
  };
}

function readQuorumAnswer(answer: Uint8Array): QuorumAnswer {
  const reader = wireReader(answer);
  reader.skipTags(); // of the header
  const code = reader.int16();
  const readReplica = () => {
    const node = reader.int32();
    reader.int64(); // end of its log
    reader.int64(); // last fetch
    const caughtUpMs = Number(reader.int64());
    reader.skipTags();
    return { node, caughtUpMs };
  };
  const partitions = reader.compactArray(() => {
    reader.compactString(); // topic: we asked for one
    const ofTopic = reader.compactArray(() => {
      reader.int32(); // partition: we asked for one
      const partitionCode = reader.int16();
      const leader = reader.int32();
      reader.int32(); // epoch
      reader.int64(); // high watermark
      const voters = reader.compactArray(readReplica);
      reader.compactArray(readReplica); // observers
      reader.skipTags();
      const told = voters.find(({ node }) => node === leader)?.caughtUpMs ?? -1;
      return { code: partitionCode, leaderMs: told > 0 ? told : null };
    });
    reader.skipTags();
    return ofTopic;
  }).flat();
  return code === 0 ? partitions[0] ?? { code, leaderMs: null } : { code, leaderMs: null };
}

/** A quota. */
export interface Quota {
  /** Whom it is for, `user`, `client-id` or `ip` to a name; null: all that have no quota of their own. */
  readonly entity: ReadonlyMap<string, string | null>;
  /** `producer_byte_rate` and the like. */
  readonly values: ReadonlyMap<string, number>;
}

/** The quotas that Kafka has. */
export interface QuotasAnswer {
  readonly code: number;
  readonly quotas: readonly Quota[];
}

/** All quotas (Kafka 2.6 to 4.x; DESCRIBE_CONFIGS on the cluster). */
export function quotasRequest(): KafkaRequest<QuotasAnswer> {
  const writer = wireWriter();
  writer.int32(0); // no component that must match
  writer.int8(0); // others may be there
  return {
    apiKey: 48,
    apiVersion: 0,
    apiName: "DescribeClientQuotas",
    body: writer.parts(),
    read(answer) {
      const reader = wireReader(answer);
      reader.int32(); // throttle time
      const code = reader.int16();
      reader.string(); // error message
      const quotas = reader.array(() => ({
        entity: new Map(reader.array(() => [reader.string() ?? "", reader.string()] as const)),
        values: new Map(reader.array(() => [reader.string() ?? "", reader.float64()] as const)),
      }));
      return { code, quotas };
    },
  };
}
