/**
 * Transactions, one after the other, under one transactional id:
 *
 *     begin (fences whoever had the id) -> [ partitions added -> batches produced -> ended ]* -> ...
 *
 * - A transaction is opened when all of it is encoded and all of its partitions are led, and ended at once: it is open for a few round
 *   trips.
 * - Batches have sequences, and are sent again unchanged until there is a definite answer, as without transactions.
 * - Whatever goes wrong behind its opening ends in the same way: the producer begins anew under its own id and epoch, which aborts what is
 *   open, and what was to be sent is sent again. Kafka accepts that from whoever held the id last: the transaction ran out of time, or was
 *   left by ourselves. If it refuses, somebody else has the id: we are fenced.
 * - A coordinator that has started anew, or has moved, no longer knows who held the id before it aborted a transaction for want of time.
 *   How the last transaction stands tells then: whoever has taken the id has begun anew, and its state is no longer that of an abort.
 * - A commit whose outcome is not known is asked for again. When that cannot tell either, what is in the log does. The first asking may come
 *   later still, so the next transaction has a new epoch.
 *
 * @module
 */
import { type BackoffOptions, createBackoff } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { WeirError } from "../../core/error.ts";
import { quoted } from "../../core/text.ts";
import { batchesOf, type Cargo, type CargoBatch, nextSequence } from "./cargo.ts";
import { tooLarge } from "./batch_maker.ts";
import { verdictOf } from "./classify.ts";
import type { Identity } from "./partition.ts";
import type { NotYet, Patience, Suffer } from "./patience.ts";
import { PathError } from "./path_error.ts";
import { createBurst } from "./burst.ts";
import type { ProducerIdAnswer } from "./requests.ts";
import type { Timers } from "./timers.ts";
import type { TopicMap } from "./topic_map.ts";
import type { TransactionCluster } from "./transaction_cluster.ts";
import type { Troubles } from "./troubles.ts";

/** How transactions are. */
export interface TransactionsOptions {
  readonly transactionalId: string;
  readonly requestBytesMax: number;
  readonly backoff: BackoffOptions;
}

/** What they work with. */
export interface TransactionsDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly cluster: TransactionCluster;
  readonly timers: Timers;
  readonly troubles: Troubles;
  readonly patience: Patience;
  readonly topics: TopicMap;
}

/** What is to be sent in one transaction. */
export interface Job {
  /** The records, placed; waits for their topics. Asked for again for each attempt. */
  load(): Promise<readonly Cargo[]>;
  /** Whether it is in the log: asked when the outcome of a commit is not known. */
  isHome(): Promise<boolean>;
}

/** One producer of transactions. */
export interface Transactions {
  /**
   * Takes the transactional id over. Before it resolves, what a former holder had open is aborted or committed.
   *
   * @throws {WeirError} `fenced`
   */
  begin(): Promise<void>;
  /**
   * Commits a job; one at a time. False: records were refused (their cargoes know), and nothing was committed.
   *
   * @throws {WeirError} `fenced`
   */
  commit(job: Job): Promise<boolean>;
  /** Attempts that had to be made again. */
  readonly retries: number;
  readonly throttledMs: number;
}

/**
 * A transaction that is open for longer is aborted by Kafka: for so long at most do `read_committed` readers wait for a gateway that died
 * in the middle of a burst. It is twice the time after which an answer is given up, so that one lost answer does not end it.
 */
export const transactionTimeoutMs = 30_000;
/** Where Kafka allows less (`transaction.max.timeout.ms`), half of it is asked for, and so on down to this. */
export const transactionTimeoutMsMin = 1000;

/** The producer has to begin anew: sequence lost, epoch old, state not as it should be. */
const renewCodes: ReadonlySet<number> = new Set([45, 47, 48, 49, 59, 90, 120]);
const fencedCodes: ReadonlySet<number> = new Set([47, 90]);
const unknownId = 49;
const timeoutTooLong = 50;
const stillEnding = 51;
/** The end of a transaction takes a few milliseconds: so often is asked, from 1 ms on, before it is a trouble. */
const endingAskedMax = 12;

/** How an attempt ended. */
type Step =
  | { readonly kind: "committed" }
  | { readonly kind: "refused" }
  | { readonly kind: "again"; readonly code: number; readonly renew: boolean; readonly inDoubt: boolean };

/** Makes a {@linkcode Transactions}. */
export function createTransactions(options: TransactionsOptions, deps: TransactionsDeps): Transactions {
  const { clock, cluster, timers, troubles, patience, topics } = deps;
  const { transactionalId } = options;
  const place = `${transactionalId} transaction`;
  const burst = createBurst(options, deps);
  let coordinator: number | null = null;
  let timeoutMs = transactionTimeoutMs;
  /** The id and epoch that we hold, or held last. */
  let former: Identity | null = null;
  let identity: Identity | null = null;
  let sequences = new Map<string, number>();
  let retries = 0;
  /** Requests to the coordinator that were given up: they may still come. */
  let unanswered = 0;

  return {
    begin,
    async commit(job) {
      const backoff = createBackoff(options.backoff, deps.dice);
      let inDoubt = false;
      while (true) {
        if (identity === null) {
          await begin();
          if (inDoubt && await job.isHome()) return true;
          inDoubt = false;
        }
        const step = await attempt(await job.load());
        if (step.kind === "committed") {
          troubles.recover(place);
          return true;
        }
        if (step.kind === "refused") return false;
        retries += 1;
        inDoubt ||= step.inDoubt;
        topics.stale();
        const { what, advice, passing } = verdictOf(step.code);
        if (!step.renew && !passing || backoff.failures > 0) {
          troubles.suffer(`transaction ${step.code}`, place, `Kafka does not take rows of files: ${what}`, advice);
        }
        await pause(backoff.nextMs());
      }
    },
    get retries() {
      return retries + burst.retries;
    },
    get throttledMs() {
      return burst.throttledMs;
    },
  };

  async function begin(): Promise<void> {
    let answer = await takeId();
    if (answer.code !== 0 && await ranOutOfTime()) {
      former = null;
      answer = await takeId();
    }
    if (answer.code !== 0) throw fencedError(transactionalId);
    identity = former = answer;
    sequences = new Map();
  }

  /** As who we were before, if we were somebody; a code that is not 0: somebody else is, or the coordinator has forgotten us. */
  function takeId(): Promise<ProducerIdAnswer> {
    return ask((node) => cluster.init(node, timeoutMs, former), (code) => {
      if (code === timeoutTooLong) timeoutMs = Math.max(transactionTimeoutMsMin, timeoutMs / 2);
      // Forgotten by Kafka, not taken by another: begin as if for the first time.
      if (code === unknownId) former = null;
      return code !== 0 && (former === null || !fencedCodes.has(code));
    });
  }

  /** Whether the last thing that happened to the id is that Kafka aborted a transaction of ours. */
  async function ranOutOfTime(): Promise<boolean> {
    const { state, producerId } = await ask(async (node) => {
      const told = await cluster.state(node);
      return told.code === 0 && told.state.startsWith("Prepare") ? { ...told, code: stillEnding } : told;
    }, isPassingAtCoordinator);
    return state === "CompleteAbort" && producerId === former?.producerId;
  }

  /** One transaction, from its opening to its end. */
  async function attempt(cargoes: readonly Cargo[]): Promise<Step> {
    if (identity === null) throw new Error("A transaction was begun without a producer id");
    const held = identity;
    const stamp = { ...held, timestampMs: clock.wallMs(), transactional: true };
    const ahead = new Map(sequences);
    const batches = cargoes.flatMap((cargo) => {
      const key = keyOf(cargo);
      const sequence = ahead.get(key) ?? 0;
      ahead.set(key, nextSequence(sequence, cargo.length));
      return batchesOf(cargo, stamp, sequence);
    });
    if (refuseTooLarge(batches)) return { kind: "refused" };
    const partitions = [...new Map(cargoes.map((cargo) => [keyOf(cargo), cargo])).values()];
    const added = await ask((node) => cluster.addPartitions(node, held, partitions), isPassingAtCoordinator);
    if (added.code !== 0) return consequence(added.code, renewCodes.has(added.code), false);
    const produced = await burst.send(batches, stamp);
    if (produced.kind !== "done") identity = null;
    if (produced.kind === "refused") return produced;
    if (produced.kind === "again") return consequence(produced.code, true, false);
    const unansweredBefore = unanswered;
    const ended = await ask((node) => cluster.end(node, held, true), isPassingAtCoordinator);
    if (ended.code !== 0) return consequence(ended.code, true, true);
    sequences = ahead;
    // One that was given up would end the next transaction before its time, if it came then: a new epoch keeps it out.
    if (unanswered > unansweredBefore) identity = null;
    return { kind: "committed" };
  }

  function consequence(code: number, renew: boolean, inDoubt: boolean): Step {
    if (renew) identity = null;
    return { kind: "again", code, renew, inDoubt };
  }

  /** Asks the coordinator, wherever it is, until it gives an answer that `isPassing` does not wait out. */
  async function ask<T extends { readonly code: number }>(
    send: (node: number) => Promise<T>,
    isPassing: (code: number) => boolean,
  ): Promise<T> {
    return await patience("coordinator", async (suffer) => {
      const node = coordinator ?? await findCoordinator(suffer);
      if (typeof node !== "number") return node;
      try {
        const answer = await whileEnding(() => send(node));
        const { code } = answer;
        if (code === 15 || code === 16) coordinator = null;
        // An id of -1 comes from a broker that has just started; Kafka would take batches with it unseen.
        const isUnready = "producerId" in answer && code === 0 && Number(answer.producerId) < 0;
        if (!isUnready && !isPassing(code)) return answer;
        return sufferFrom(suffer, isUnready ? 14 : code);
      } catch (thrown) {
        if (thrown instanceof PathError) {
          coordinator = null;
          unanswered += 1;
        }
        throw thrown;
      }
    });
  }

  async function findCoordinator(suffer: Suffer): Promise<number | NotYet> {
    const { code, node } = await cluster.coordinator();
    if (code !== 0) return sufferFrom(suffer, code);
    coordinator = node;
    return node;
  }

  function sufferFrom(suffer: Suffer, code: number): NotYet {
    const { what, advice, passing } = verdictOf(code);
    return suffer(`coordinator ${code}`, `Kafka transactions of ${quoted(transactionalId)}: ${what}`, advice, passing);
  }

  async function whileEnding<T extends { readonly code: number }>(send: () => Promise<T>): Promise<T> {
    let answer = await send();
    for (let asked = 0; answer.code === stillEnding && asked < endingAskedMax; asked++) {
      await pause(Math.min(100, 2 ** asked));
      answer = await send();
    }
    return answer;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => timers.after(ms, resolve));
  }
}

/** The coordinator moves, starts, or has the end of the last transaction still to write; or this user may not use it. */
function isPassingAtCoordinator(code: number): boolean {
  return [14, 15, 16, stillEnding, 53].includes(code);
}

/** Refuses records that are larger than their topic takes; true when there was one. */
function refuseTooLarge(batches: readonly CargoBatch[]): boolean {
  const refused = batches.filter(({ cargo, count, bytes }) =>
    count === 1 && cargo.to.bytesMax !== null && bytes.length > cargo.to.bytesMax
  );
  for (const { cargo, from, bytes } of refused) cargo.refuse(from, "too_large", tooLarge(cargo.to, bytes.length));
  return refused.length > 0;
}

function keyOf({ topic, partition }: Cargo): string {
  return `${topic} ${partition}`;
}

function fencedError(transactionalId: string): WeirError {
  return new WeirError(
    "fenced",
    `Another Weir has taken over the files of this gateway: Kafka fenced the transactional id ${
      quoted(transactionalId)
    }`,
    {
      advice: "Run one Weir for each --gateway name, or give this one another name. " +
        "Nothing is lost: the other one goes on where this one was",
    },
  );
}
