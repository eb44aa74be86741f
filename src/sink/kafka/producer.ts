/**
 * An idempotent producer: readings in, one report for each acknowledged batch out; nothing lost, nothing doubled, each key in order.
 *
 *     send -> topic -> partition queue -> batch (encoded and stamped once) -> request to the leader -> answer -> report
 *
 * - One batch of a partition is under way at a time, and is sent again unchanged until Kafka has it: Kafka knows it by producer id and
 *   sequence, and drops what it has already. So order holds through every retry, and a lost answer doubles nothing.
 * - A batch that Kafka refuses for what is in it is halved until the one record stands alone, which is rejected.
 * - All partitions of a leader that have something go into one request. It leaves at once when none is under way to that leader;
 *   otherwise records gather for `lingerMs`, until a batch is full, or until the answer is there.
 *
 * @module
 */
import type { Reading, Reason } from "../../core/reading.ts";
import { formatBytes, quoted } from "../../core/text.ts";
import { isPassing, pathAdviceOf, troubleOf, type Verdict, verdictOf } from "./classify.ts";
import { batchMaker, tooLarge } from "./batch_maker.ts";
import { createFlushes } from "./flushes.ts";
import { logEndWatch } from "./log_end.ts";
import { type Leader, newLeader, waitOf } from "./leader.ts";
import type { Batch, Identity, Partition } from "./partition.ts";
import { tellMaybeDoubled } from "./maybe_doubled.ts";
import { PathError } from "./path_error.ts";
import type { Producer, ProducerDeps, ProducerOptions } from "./producer_contract.ts";
import { producerIdAsker } from "./producer_ids.ts";
import { createRecordBatchEncoder } from "./record_batch.ts";
import type { ProduceAnswer } from "./requests.ts";
import { createTimers } from "./timers.ts";
import { createTopics } from "./topics.ts";

export type { Producer, ProducerDeps, ProducerOptions, ProducerStatus } from "./producer_contract.ts";

/** Sequence numbers wrap here (Kafka's are non-negative int32). */
const sequenceMask = 0x7fffffff;
/** A learnt batch size does not go below this. */
const learntBatchBytesMin = 1024;

/** Makes a {@linkcode Producer}. */
export function createProducer(options: ProducerOptions, deps: ProducerDeps): Producer {
  const { clock, dice, cluster, troubles } = deps;
  const timers = createTimers(clock);
  const encoder = createRecordBatchEncoder(deps.shape, options.compression);
  const makeBatch = batchMaker({ clock, encoder, rejectAll });
  const leaders = new Map<number, Leader>();
  const flushes = createFlushes();
  const acquireIdentity = producerIdAsker(options.backoff, { cluster, timers, dice, troubles });
  const topics = createTopics(options, { cluster, timers, dice, troubles, onReady: makeReady, onReturned: beginAnew });
  const followLogEnd = logEndWatch(deps);
  const identityPlace = `${options.clientId} producer id`;
  let identity: Identity | null = null;
  let identityAsked = false;
  let inFlightReadings = 0;
  let retries = 0;
  let throttledMs = 0;
  let maybeDoubled = 0;
  let closed = false;

  return {
    warm(names) {
      for (const name of names) topics.named(name);
      askIdentity();
    },
    send(reading, topic, key) {
      if (closed) return;
      inFlightReadings += 1;
      if (reading.bytes > options.recordBytesMax) {
        const most = formatBytes(options.recordBytesMax);
        return reject(reading, "too_large", `The record has ${formatBytes(reading.bytes)}; the most is ${most}`);
      }
      topics.place(topics.named(topic), reading, key);
    },
    takeBack(readings) {
      const given = topics.takeBack(readings);
      gone([...given.keys()]);
      return given;
    },
    flush() {
      if (closed) return Promise.resolve();
      const flushed = flushes.begin(new Set(topics.openReadings()));
      for (const leader of leaders.values()) planPump(leader);
      return flushed;
    },
    close() {
      closed = true;
      timers.cancelAll();
      cluster.close();
      flushes.endAll();
    },
    status: () => ({ inFlightReadings, retries, throttledMs, maybeDoubled }),
  };

  // --- What can be sent, and when

  function makeReady(partition: Partition): void {
    if (partition.readyAt !== partition.leader) leaders.get(partition.readyAt)?.ready.delete(partition);
    partition.readyAt = -1;
    if (partition.onWire || partition.waiting || partition.leader < 0) return;
    if (partition.batch === null && partition.queue.length === 0) return;
    const leader = leaderOf(partition.leader);
    if (leader.ready.size === 0) leader.gatheringSinceMs = clock.nowMs();
    leader.ready.add(partition);
    partition.readyAt = leader.node;
    if (partition.batch !== null || partition.queue.bytes >= options.batchBytesMax) leader.urgent = true;
    planPump(leader);
  }

  function leaderOf(node: number): Leader {
    const known = leaders.get(node);
    if (known !== undefined) return known;
    const leader = newLeader(node);
    leaders.set(node, leader);
    return leader;
  }

  /** After the present burst of calls, so that what is sent in one go leaves in one batch. */
  function planPump(leader: Leader): void {
    if (leader.pumpPlanned) return;
    leader.pumpPlanned = true;
    queueMicrotask(() => pump(leader));
  }

  function pump(leader: Leader): void {
    leader.pumpPlanned = false;
    leader.timer?.cancel();
    leader.timer = null;
    if (closed || leader.ready.size === 0) return;
    if (identity === null) return askIdentity();
    if (leader.requestsInFlight >= options.requestsInFlightMax) return;
    const waitMs = waitOf(leader, clock.nowMs(), flushes.active ? 0 : options.lingerMs);
    if (waitMs > 0) {
      leader.timer = timers.after(waitMs, () => planPump(leader));
      return;
    }
    sendRequest(leader, identity);
    // The rest in another turn: encoding a request takes a few milliseconds.
    if (leader.ready.size > 0) leader.timer = timers.after(0, () => planPump(leader));
  }

  function sendRequest(leader: Leader, stamp: Identity): void {
    const partitions: Partition[] = [];
    const batches: { topic: string; partition: number; bytes: Uint8Array }[] = [];
    let bytes = 0;
    leader.urgent = false;
    leader.gatheringSinceMs = clock.nowMs();
    for (const partition of leader.ready) {
      const nextBytes = partition.batch?.bytes.length ?? Math.min(partition.queue.bytes, options.batchBytesMax);
      if (bytes > 0 && bytes + nextBytes > options.requestBytesMax) {
        leader.urgent = true;
        break;
      }
      leader.ready.delete(partition);
      partition.readyAt = -1;
      const batch = partition.batch ?? nextBatch(partition, stamp);
      if (batch === null) continue;
      if (batch.attempts > 0) retries += 1;
      batch.attempts += 1;
      partition.onWire = true;
      partitions.push(partition);
      batches.push({ topic: partition.topic, partition: partition.index, bytes: batch.bytes });
      bytes += batch.bytes.length;
    }
    if (batches.length === 0) return;
    leader.requestsInFlight += 1;
    cluster.produce(leader.node, batches).then(
      (answer) => onAnswer(leader, partitions, answer),
      (thrown: unknown) => onPathFailed(leader, partitions, thrown),
    );
  }

  /** The next batch of a partition; null when all that it had is rejected. */
  function nextBatch(partition: Partition, stamp: Identity): Batch | null {
    const topic = topics.named(partition.topic);
    partition.batch = makeBatch(partition, topic, partition.identity ?? stamp);
    if (partition.batch === null) topics.settled(topic);
    else topics.rotate(topic, partition);
    return partition.batch;
  }

  // --- What came of it

  function onAnswer(leader: Leader, partitions: readonly Partition[], answer: ProduceAnswer): void {
    if (closed) return;
    leader.requestsInFlight -= 1;
    if (answer.throttleMs > 0) {
      throttledMs += answer.throttleMs;
      leader.throttledUntilMs = clock.nowMs() + answer.throttleMs;
    }
    for (const partition of partitions) {
      const result = answer.results.find((r) => r.partition === partition.index && r.topic === partition.topic);
      partition.onWire = false;
      // No word about a batch is as good as an unexpected error.
      settle(partition, verdictOf(result?.code ?? -1), result?.code ?? -1, result?.baseOffset ?? -1);
    }
    planPump(leader);
  }

  function settle(partition: Partition, verdict: Verdict, code: number, baseOffset: number): void {
    const { batch } = partition;
    if (batch === null) throw new Error(`Partition ${partition.place} has an answer and no batch`);
    if (verdict.action === "done") {
      partition.batch = null;
      // After a failed attempt a socket on its way out may still read them.
      if (batch.attempts === 1) encoder.release(batch.bytes);
      partition.backoff.reset();
      partition.sequence = (partition.sequence + batch.readings.length) & sequenceMask;
      troubles.recover(partition.place);
      followLogEnd(partition, baseOffset, batch.readings.length);
      deliver(batch.readings);
      makeReady(partition);
    } else {
      batch.inDoubt ||= verdict.inDoubt;
      const delayMs = partition.backoff.nextMs();
      if (!verdict.passing || partition.backoff.failures > 1) {
        const what = `Kafka topic ${quoted(partition.topic)}: ${verdict.what}`;
        troubles.suffer(`topic ${partition.topic} ${code}`, partition.place, what, verdict.advice);
      }
      mend(partition, batch, verdict, code, delayMs);
    }
    topics.settled(topics.named(partition.topic));
  }

  function mend(partition: Partition, batch: Batch, verdict: Verdict, code: number, delayMs: number): void {
    switch (verdict.action) {
      case "again":
        topics.refresh(partition.topic);
        return pause([partition], delayMs);
      case "split":
        return splitBatch(partition, batch, verdict, code);
      case "restamp":
        partition.batch = null;
        partition.queue.putBack(batch);
        // An attempt that may be in the log holds the sequence; new bytes must not take the same one.
        return batch.inDoubt ? renew(partition, batch, delayMs) : pause([partition], delayMs);
      case "new_id":
        partition.batch = null;
        partition.queue.putBack(batch);
        return renew(partition, batch, delayMs);
    }
  }

  /** Something in the batch is refused: halves it, or rejects the one record that is left. */
  function splitBatch(partition: Partition, batch: Batch, verdict: Verdict, code: number): void {
    const { readings, keys } = batch;
    const topic = topics.named(partition.topic);
    const half = readings.length >> 1;
    partition.batch = null;
    // A refusal of records is no trouble of the partition: it goes on.
    partition.backoff.reset();
    troubles.recover(partition.place);
    if (half > 0) {
      partition.queue.putBack({ readings: readings.slice(half), keys: keys.slice(half) });
      partition.queue.putBack({ readings: readings.slice(0, half), keys: keys.slice(0, half) });
      if (code === 10) {
        topic.batchBytesMax = Math.max(learntBatchBytesMin, Math.min(topic.batchBytesMax, batch.bytes.length >> 1));
      }
    } else if (code === 10) {
      rejectAll(readings, "too_large", tooLarge(topic, batch.bytes.length));
    } else {
      const why = `${verdict.what} (error code ${code}). ${verdict.advice}`;
      rejectAll(readings, "rejected", `Kafka topic ${quoted(topic.name)}: ${why}`);
    }
    if (batch.inDoubt) renew(partition, batch, 0);
    else makeReady(partition);
  }

  /** Gives a partition a producer id of its own, and sends its records under new sequences after `delayMs`. */
  function renew(partition: Partition, batch: Batch, delayMs: number): void {
    if (batch.inDoubt) maybeDoubled += tellMaybeDoubled(deps.emit, partition, batch.readings.length);
    beginAnew(partition, delayMs);
  }

  function beginAnew(partition: Partition, delayMs = 0): void {
    partition.waiting = true;
    void acquireIdentity(partition.place).then((fresh) => {
      partition.identity = fresh;
      partition.sequence = 0;
      pause([partition], delayMs);
    });
  }

  /** Lets partitions wait, together, so that they go into one request again. */
  function pause(partitions: readonly Partition[], delayMs: number): void {
    for (const partition of partitions) partition.waiting = true;
    timers.after(delayMs, () => {
      for (const partition of partitions) {
        partition.waiting = false;
        makeReady(partition);
      }
    });
  }

  function onPathFailed(leader: Leader, partitions: readonly Partition[], thrown: unknown): void {
    if (!(thrown instanceof PathError)) throw thrown;
    if (closed) return;
    leader.requestsInFlight -= 1;
    let delayMs = 0;
    for (const partition of partitions) {
      partition.onWire = false;
      delayMs = Math.max(delayMs, partition.backoff.nextMs());
      if (partition.batch !== null) partition.batch.inDoubt = true;
      if (!isPassing(thrown.failure) || partition.backoff.failures > 1) {
        troubles.suffer(troubleOf(thrown.failure), partition.place, thrown.message, pathAdviceOf(thrown));
      }
      topics.refresh(partition.topic);
      topics.settled(topics.named(partition.topic));
    }
    pause(partitions, delayMs);
    planPump(leader);
  }

  function askIdentity(): void {
    if (identityAsked) return;
    identityAsked = true;
    void acquireIdentity(identityPlace).then((fresh) => {
      identity = fresh;
      for (const leader of leaders.values()) planPump(leader);
    });
  }

  // --- Reports

  function deliver(readings: readonly Reading[]): void {
    deps.onDelivered(readings);
    gone(readings);
  }

  function gone(readings: readonly Reading[]): void {
    inFlightReadings -= readings.length;
    if (flushes.active) flushes.reported(readings);
  }

  function reject(reading: Reading, reason: Reason, detail: string): void {
    deps.onRejected(reading, reason, detail);
    gone([reading]);
  }

  function rejectAll(readings: readonly Reading[], reason: Reason, detail: string): void {
    for (const reading of readings) reject(reading, reason, detail);
  }
}
