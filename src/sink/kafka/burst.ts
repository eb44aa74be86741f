/**
 * The batches of one transaction on their way: each partition's in order, one under way at a time, all partitions of a leader in one
 * request, each batch again unchanged until Kafka has said what became of it.
 *
 * @module
 */
import { type BackoffOptions, createBackoff } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { quoted } from "../../core/text.ts";
import { tooLarge } from "./batch_maker.ts";
import { batchesOf, type CargoBatch, type CargoStamp, nextSequence } from "./cargo.ts";
import { isPassing, pathAdviceOf, troubleOf, type Verdict, verdictOf } from "./classify.ts";
import { PathError } from "./path_error.ts";
import type { Timers } from "./timers.ts";
import type { MappedTopic, TopicMap } from "./topic_map.ts";
import type { TransactionCluster } from "./transaction_cluster.ts";
import type { Troubles } from "./troubles.ts";

/** How a burst ended. */
export type BurstEnd =
  | { readonly kind: "done" }
  /** A record is refused, or several: without them it may be tried again. */
  | { readonly kind: "refused" }
  /** The transaction cannot go on. */
  | { readonly kind: "again"; readonly code: number };

/** Sends bursts. */
export interface Burst {
  /** Resolves when there is a definite answer to each batch, or the transaction cannot go on. */
  send(batches: readonly CargoBatch[], stamp: CargoStamp): Promise<BurstEnd>;
  readonly retries: number;
  readonly throttledMs: number;
}

/** How. */
export interface BurstOptions {
  readonly transactionalId: string;
  readonly requestBytesMax: number;
  readonly backoff: BackoffOptions;
}

/** What it works with. */
export interface BurstDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly cluster: Pick<TransactionCluster, "produce">;
  readonly timers: Timers;
  readonly troubles: Troubles;
  readonly topics: TopicMap;
}

/** A learnt batch size does not go below this. */
const learntBatchBytesMin = 1024;

/** Codes that say something of the transaction, not of the batch. */
const transactionCodes: ReadonlySet<number> = new Set([45, 47, 48, 49, 59, 90, 120]);

/** Makes a {@linkcode Burst}. */
export function createBurst(options: BurstOptions, deps: BurstDeps): Burst {
  const { clock, cluster, timers, troubles, topics } = deps;
  const place = `${options.transactionalId} burst`;
  const throttledUntilMs = new Map<number, number>();
  let retries = 0;
  let throttledMs = 0;

  return {
    async send(batches, stamp) {
      const queues = [...Map.groupBy(batches, ({ cargo }) => `${cargo.topic} ${cargo.partition}`).values()];
      const backoff = createBackoff(options.backoff, deps.dice);
      let refused = false;
      while (true) {
        const heads = queues.flatMap(([head]) => head ?? []);
        if (heads.length === 0) break;
        const leaders = await leadersOf(heads);
        if (leaders === null) return { kind: "again", code: 3 };
        const requests = requestsOf(heads, leaders);
        const codes = new Map((await Promise.all(requests.map(produce))).flat());
        let again = false;
        for (const queue of queues) {
          const [batch] = queue;
          const code = batch === undefined ? undefined : codes.get(batch);
          if (batch === undefined || code === undefined) continue;
          const verdict = verdictOf(code ?? -1);
          if (code === null) again = batch.inDoubt = true;
          else if (transactionCodes.has(code) || verdict.action === "restamp") return { kind: "again", code };
          else if (verdict.action === "done") queue.shift();
          else if (verdict.action === "split") {
            // An earlier attempt may hold the sequence of this one: only a new transaction is safe.
            if (batch.inDoubt && batch.count > 1) {
              if (code === 10) learnSize(batch);
              return { kind: "again", code };
            }
            // Its sequence is never used: what is behind it would not be taken.
            refused ||= batch.count === 1;
            queue.splice(0, 1, ...split(batch, stamp, verdict, code));
          } else {
            again = true;
            batch.inDoubt ||= verdict.inDoubt;
            if (!verdict.passing || backoff.failures > 0) {
              const what = `Kafka topic ${quoted(batch.cargo.topic)}: ${verdict.what}`;
              troubles.suffer(`topic ${batch.cargo.topic} ${code}`, place, what, verdict.advice);
            }
          }
        }
        if (refused) return { kind: "refused" };
        if (!again) continue;
        retries += 1;
        topics.stale();
        await pause(backoff.nextMs());
      }
      troubles.recover(place);
      return { kind: "done" };
    },
    get retries() {
      return retries;
    },
    get throttledMs() {
      return throttledMs;
    },
  };

  /** The topics as they are now; null when a partition is gone. */
  async function leadersOf(heads: readonly CargoBatch[]): Promise<ReadonlyMap<string, MappedTopic> | null> {
    const found = await topics.need([...new Set(heads.map(({ cargo }) => cargo.topic))]);
    const byName = new Map(found.map((topic) => [topic.name, topic]));
    const isThere = ({ cargo }: CargoBatch) => cargo.partition < (byName.get(cargo.topic)?.leaders.length ?? 0);
    return heads.every(isThere) ? byName : null;
  }

  /** One request for each leader, within the size of a request; what does not fit waits for the next round. */
  function requestsOf(heads: readonly CargoBatch[], named: ReadonlyMap<string, MappedTopic>): readonly Request[] {
    const requests = new Map<number, { readonly batches: CargoBatch[]; bytes: number }>();
    for (const batch of heads) {
      const node = named.get(batch.cargo.topic)?.leaders[batch.cargo.partition] ?? -1;
      const request = requests.get(node) ?? { batches: [], bytes: 0 };
      requests.set(node, request);
      if (request.bytes > 0 && request.bytes + batch.bytes.length > options.requestBytesMax) continue;
      request.batches.push(batch);
      request.bytes += batch.bytes.length;
    }
    return [...requests].map(([node, { batches }]) => ({ node, batches }));
  }

  /** The code of each batch of a request; null: no answer came. */
  async function produce({ node, batches }: Request): Promise<readonly (readonly [CargoBatch, number | null])[]> {
    const waitMs = (throttledUntilMs.get(node) ?? 0) - clock.nowMs();
    if (waitMs > 0) await pause(waitMs);
    try {
      const { results, throttleMs } = await cluster.produce(
        node,
        batches.map(({ cargo: { topic, partition }, bytes }) => ({ topic, partition, bytes })),
      );
      if (throttleMs > 0) {
        throttledMs += throttleMs;
        throttledUntilMs.set(node, clock.nowMs() + throttleMs);
      }
      return batches.map((batch) => {
        const { topic, partition } = batch.cargo;
        // No word about a batch is as good as an unexpected error.
        return [batch, results.find((r) => r.topic === topic && r.partition === partition)?.code ?? -1];
      });
    } catch (thrown) {
      if (!(thrown instanceof PathError)) throw thrown;
      if (thrown.failure === "closed") return await new Promise<never>(() => {});
      if (!isPassing(thrown.failure)) {
        troubles.suffer(troubleOf(thrown.failure), place, thrown.message, pathAdviceOf(thrown));
      }
      return batches.map((batch) => [batch, null]);
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => timers.after(ms, resolve));
  }
}

interface Request {
  readonly node: number;
  readonly batches: readonly CargoBatch[];
}

/** Something in the batch is refused: its halves, or nothing when the one record that is left is refused. */
function split(batch: CargoBatch, stamp: CargoStamp, verdict: Verdict, code: number): readonly CargoBatch[] {
  const { cargo, from, count, sequence, bytes } = batch;
  if (count > 1) {
    if (code === 10) learnSize(batch);
    const half = count >> 1;
    return [
      ...batchesOf(cargo, stamp, sequence, from, from + half),
      ...batchesOf(cargo, stamp, nextSequence(sequence, half), from + half, from + count),
    ];
  }
  if (code === 10) cargo.refuse(from, "too_large", tooLarge(cargo.to, bytes.length));
  else {
    const why = `${verdict.what} (error code ${code}). ${verdict.advice}`;
    cargo.refuse(from, "rejected", `Kafka topic ${quoted(cargo.topic)}: ${why}`);
  }
  return [];
}

/** Batches for this topic are to be smaller. */
function learnSize({ cargo: { to }, bytes }: CargoBatch): void {
  to.batchBytesMax = Math.max(learntBatchBytesMin, Math.min(to.batchBytesMax, bytes.length >> 1));
}
