/**
 * The compacted topic in which the places of files are kept: made when it is missing, and read back as a `read_committed` reader does.
 *
 * @module
 */
import type { Place } from "../../core/chunk.ts";
import type { Emit } from "../../core/event.ts";
import { quoted } from "../../core/text.ts";
import { verdictOf } from "./classify.ts";
import { readCommitted } from "./committed_records.ts";
import type { NotYet, Patience, Suffer } from "./patience.ts";
import { earliest, latest } from "./read_requests.ts";
import type { TransactionCluster } from "./transaction_cluster.ts";

/** The topic. */
export interface CheckpointTopic {
  readonly name: string;
  /** Makes it when it is missing; waits until it is there. */
  ensure(): Promise<void>;
  /**
   * All places of this gateway, of each key the last of each partition. What is committed before the call is among them: it waits for
   * transactions of other gateways that are open in between.
   */
  places(): Promise<readonly Place[]>;
}

/** What it works with. */
export interface CheckpointTopicParts {
  readonly name: string;
  readonly gateway: string;
  readonly cluster: TransactionCluster;
  readonly patience: Patience;
  readonly emit: Emit;
}

/** The settings that it is made with. */
export const checkpointTopicSettings = { "cleanup.policy": "compact" } as const;
/** A fleet of gateways writes a few hundred bytes, five times a second each. */
export const checkpointPartitions = 1;

/** What to do where it is not permitted. */
export const checkpointTopicAdvice =
  "Make it with cleanup.policy=compact, and allow Describe, Read and Write on it for this user (kafka-acls)";

const missing = 3;
const alreadyThere = 36;
const outOfRange = 1;

/** Makes a {@linkcode CheckpointTopic}. */
export function createCheckpointTopic(
  { name, gateway, cluster, patience, emit }: CheckpointTopicParts,
): CheckpointTopic {
  const keyStart = `${gateway}/`;

  return {
    name,
    async ensure() {
      await patience("checkpoint topic", async (suffer) => {
        const { topics, controller } = await cluster.metadata([name]);
        const code = topics[0]?.code ?? missing;
        if (code === 0) return true;
        if (code !== missing) return sufferFrom(suffer, code, "");
        const made = await cluster.createTopic(controller, name, checkpointPartitions, checkpointTopicSettings);
        if (made.code === 0) {
          const message = `Kafka topic ${quoted(name)} was made: checkpoints of files are kept there`;
          emit("info", "kafka.checkpoint_topic_made", message, { topic: name });
        }
        if (made.code === 0 || made.code === alreadyThere) return suffer("new topic", "", "", true);
        return sufferFrom(suffer, made.code, " cannot be made");
      });
      await tellUnlessCompacted();
    },
    places: () =>
      patience("checkpoints", async (suffer) => {
        const { topics: [topic] } = await cluster.metadata([name]);
        const code = topic?.code ?? missing;
        if (topic === undefined || code !== 0) return sufferFrom(suffer, code, "");
        const places: Place[] = [];
        for (const [partition, leader] of topic.leaders.entries()) {
          const ofPartition = await placesOf(partition, leader, suffer);
          if (!(ofPartition instanceof Map)) return ofPartition;
          for (const [key, value] of ofPartition) places.push({ key, value });
        }
        return places;
      }),
  };

  async function placesOf(
    partition: number,
    leader: number,
    suffer: Suffer,
  ): Promise<Map<string, string> | NotYet> {
    const places = new Map<string, string>();
    const end = await cluster.offset(leader, name, partition, latest);
    if (end.code !== 0) return sufferFrom(suffer, end.code, "");
    const begin = await cluster.offset(leader, name, partition, earliest);
    if (begin.code !== 0) return sufferFrom(suffer, begin.code, "");
    for (let at = begin.offset; at < end.offset;) {
      const answer = await cluster.fetch(leader, name, partition, at);
      if (answer.code !== 0 && answer.code !== outOfRange) return sufferFrom(suffer, answer.code, "");
      // Compaction may take what we stand on away: begin anew.
      if (answer.code === outOfRange) return suffer("moved", "", "", true);
      // Nothing new: somebody's transaction is open there. The broker waits a moment for us before it says so.
      at = readCommitted(answer, at, (key, value) => {
        if (key === null || !key.startsWith(keyStart) || key.includes("/", keyStart.length)) return;
        if (value === null) places.delete(key);
        else places.set(key, value);
      });
    }
    return places;
  }

  function sufferFrom(suffer: Suffer, code: number, how: string): NotYet {
    const { what, advice, passing } = verdictOf(code);
    const forTopic = code === 29 ? checkpointTopicAdvice : advice;
    return suffer(`topic ${name} ${code}`, `Kafka topic ${quoted(name)}${how}: ${what}`, forTopic, passing);
  }

  /** With another policy checkpoints go after a while, and a file whose ledger is lost too is sent again. */
  async function tellUnlessCompacted(): Promise<void> {
    const policy = await patience("checkpoint topic", () => cluster.cleanupPolicy(name));
    if (policy === null || policy === "compact") return;
    const message =
      `Kafka topic ${quoted(name)} has cleanup.policy=${policy}: checkpoints of files will be deleted by age; ` +
      "set it to compact";
    emit("warn", "kafka.checkpoint_topic_not_compacted", message, { topic: name, policy });
  }
}
