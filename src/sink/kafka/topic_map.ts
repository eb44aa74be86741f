/**
 * The topics that transactions write to: how many partitions, who leads them, how large a batch may be. A transaction is begun only when
 * all of its partitions are led, so that none stays open while something is missing.
 *
 * @module
 */
import type { BackoffOptions } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import { quoted } from "../../core/text.ts";
import { verdictOf } from "./classify.ts";
import { PathError } from "./path_error.ts";
import type { Patience } from "./patience.ts";
import type { TopicMetadata } from "./requests.ts";
import type { TransactionCluster } from "./transaction_cluster.ts";

/** A topic. */
export interface MappedTopic {
  readonly name: string;
  /** Node that leads each partition; -1: none at the moment. */
  leaders: readonly number[];
  /** Largest batch that it takes, in bytes; null when we may not know. */
  bytesMax: number | null;
  /** Largest batch that is made for it, in bytes. */
  batchBytesMax: number;
}

/** The topics. */
export interface TopicMap {
  /** Resolves with these, all of whose partitions are led; waits for what is missing. */
  need(names: readonly string[]): Promise<readonly MappedTopic[]>;
  /** Something was not where it should be: the next {@linkcode need} asks Kafka. */
  stale(): void;
}

/** How it works. */
export interface TopicMapOptions {
  readonly batchBytesMax: number;
  readonly metadataMaxAgeMs: number;
  readonly backoff: BackoffOptions;
}

/** What it works with. */
export interface TopicMapDeps {
  readonly cluster: Pick<TransactionCluster, "metadata" | "topicBytesMax">;
  readonly clock: Clock;
  readonly patience: Patience;
}

/** Makes an empty map. */
export function createTopicMap(options: TopicMapOptions, { cluster, clock, patience }: TopicMapDeps): TopicMap {
  const topics = new Map<string, MappedTopic>();
  let askedMs = -Infinity;

  return {
    async need(names) {
      if (clock.nowMs() - askedMs < options.metadataMaxAgeMs && names.every((name) => topics.has(name))) {
        return names.flatMap((name) => topics.get(name) ?? []);
      }
      const wanted = [...new Set([...topics.keys(), ...names])];
      return await patience("topics", async (suffer) => {
        const { topics: found } = await cluster.metadata(wanted);
        for (const one of found) await learn(one);
        for (const name of names) {
          const one = found.find(({ topic }) => topic === name);
          const code = one === undefined ? 3 : one.code !== 0 || one.leaders.every((node) => node >= 0) ? one.code : 5;
          if (code === 0) continue;
          const { what, advice, passing } = verdictOf(code);
          return suffer(`topic ${name} ${code}`, `Kafka topic ${quoted(name)}: ${what}`, advice, passing);
        }
        askedMs = clock.nowMs();
        return names.flatMap((name) => topics.get(name) ?? []);
      });
    },
    stale() {
      askedMs = -Infinity;
    },
  };

  async function learn({ topic: name, code, leaders }: TopicMetadata): Promise<void> {
    // What is gone is not asked for again, unless somebody needs it.
    if (code !== 0) return void topics.delete(name);
    const known = topics.get(name);
    if (known !== undefined) {
      known.leaders = leaders;
      return;
    }
    const bytesMax = await bytesMaxOf(name);
    topics.set(name, {
      name,
      leaders,
      bytesMax,
      batchBytesMax: Math.min(options.batchBytesMax, bytesMax ?? options.batchBytesMax),
    });
  }

  async function bytesMaxOf(name: string): Promise<number | null> {
    try {
      return await cluster.topicBytesMax(name);
    } catch (thrown) {
      // It only spares Kafka a refusal.
      if (!(thrown instanceof PathError)) throw thrown;
      return null;
    }
  }
}
