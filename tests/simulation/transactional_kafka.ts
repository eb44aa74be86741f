/**
 * Kafka as transactions see it, in virtual time: one transactional id with its coordinator, and topics with their logs, epochs and
 * sequences. It outlives the gateway: requests of a life that is over, or that were given up, may still come. What a `read_committed`
 * reader sees is told when its transaction ends.
 *
 * @module
 */
import type { Clock } from "../../src/core/clock.ts";
import type { Dice } from "../../src/core/dice.ts";
import { readCommitted } from "../../src/sink/kafka/committed_records.ts";
import type { Identity } from "../../src/sink/kafka/partition.ts";
import { PathError } from "../../src/sink/kafka/path_error.ts";
import type { OutgoingBatch } from "../../src/sink/kafka/requests.ts";
import type { TransactionCluster } from "../../src/sink/kafka/transaction_cluster.ts";
import type { Life } from "./life.ts";
import type { SinkMoods } from "./simulated_sink.ts";
import type { Shares } from "./traffic.ts";

/** A record as a reader has it. */
export interface LoggedRecord {
  readonly key: string | null;
  readonly value: string | null;
}

/** What it is told, and asks. */
export interface KafkaWatch {
  /** A transaction was committed: these are its records of one topic; those of the rows come first. */
  committed(topic: string, records: readonly LoggedRecord[]): void;
  /** Whether this record is refused for good. */
  refuses(record: LoggedRecord): boolean;
  /** Out of reach: requests are lost. */
  isDown(): boolean;
}

/** How it behaves. */
export interface KafkaNature {
  readonly moods: SinkMoods;
  readonly shares: Shares;
  /** An open transaction is aborted after so long, whatever the producer asks for. */
  readonly timeoutMsMax: number;
  /** Chance that the coordinator has moved, at each request to it. */
  readonly moves: number;
}

/** Kafka. */
export interface TransactionalKafka {
  forLife(life: Life, dice: Dice): TransactionCluster;
  /** Another instance takes the transactional id, and is gone again. */
  takeOver(): void;
  /** How often each of these happened: `aborted`, `timed out`, `fenced`. */
  readonly happened: ReadonlyMap<string, number>;
}

interface Batch {
  readonly base: bigint;
  readonly records: readonly LoggedRecord[];
  readonly bytes: Uint8Array;
}

interface Log {
  readonly topic: string;
  epoch: number;
  next: number;
  end: bigint;
  open: Batch[];
  committed: Batch[];
}

/** The topic of the rows; others are made when they are asked for. */
export const rowsTopic = "rows";
const rowPartitions = 2;
const answerWithinMs = 400;
const endingMsMax = 30;

/** Makes one whose logs are empty. */
export function transactionalKafka(clock: Clock, nature: KafkaNature, watch: KafkaWatch): TransactionalKafka {
  const topics = new Map([[rowsTopic, Array.from({ length: rowPartitions }, () => newLog(rowsTopic))]]);
  const happened = new Map<string, number>();
  const count = (what: string) => void happened.set(what, (happened.get(what) ?? 0) + 1);
  let held: Identity = { producerId: 7n, producerEpoch: -1 };
  /** Who held the id before, and may come back for the present epoch: after a timeout, or an answer that was lost. */
  let former: Identity | null = null;
  let open: { readonly logs: Set<Log>; readonly untilMs: number } | null = null;
  let lastEnd: "committed" | "aborted" | null = null;
  let timeoutMs = 0;
  let endingUntilMs = -Infinity;

  function endOpen(commit: boolean): void {
    if (open === null) return;
    const logs = [...open.logs].sort((a, b) => Number(a.topic !== rowsTopic) - Number(b.topic !== rowsTopic));
    open = null;
    lastEnd = commit ? "committed" : "aborted";
    if (!commit) count("aborted");
    for (const log of logs) {
      const batches = log.open;
      log.open = [];
      if (!commit) continue;
      log.committed.push(...batches);
      watch.committed(log.topic, batches.flatMap(({ records }) => records));
    }
  }

  /** Whoever had the id may come back for this epoch. */
  function renew(): void {
    former = held;
    held = { ...held, producerEpoch: held.producerEpoch + 1 };
  }

  function timeOut(): void {
    if (open === null || clock.nowMs() < open.untilMs) return;
    count("timed out");
    endOpen(false);
    renew();
  }

  function init(asked: Identity | null, ms: number): number {
    timeOut();
    if (asked !== null && !same(asked, held) && !same(asked, former)) return fenced(90);
    if (open !== null) {
      endOpen(false);
      renew();
      return 51;
    }
    timeoutMs = Math.min(ms, nature.timeoutMsMax);
    if (asked === null || same(asked, held)) {
      renew();
      // Who asks without an id may be anybody.
      if (asked === null) former = null;
    }
    lastEnd = null;
    return 0;
  }

  function fenced(code: number): number {
    count("fenced");
    return code;
  }

  function add(
    identity: Identity,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): number {
    timeOut();
    if (!same(identity, held)) return fenced(47);
    const logs = partitions.map(({ topic, partition }) => topics.get(topic)?.[partition]);
    if (logs.includes(undefined)) return 3;
    open ??= { logs: new Set(), untilMs: clock.nowMs() + timeoutMs };
    for (const log of logs) if (log !== undefined) open.logs.add(log);
    return 0;
  }

  function append(identity: Identity, { topic, partition, bytes }: OutgoingBatch): number {
    timeOut();
    const log = topics.get(topic)?.[partition];
    if (log === undefined) return 3;
    if (!same(identity, held)) return fenced(47);
    if (open === null || !open.logs.has(log)) return 48;
    const records: LoggedRecord[] = [];
    readCommitted({ batches: bytes, aborted: [] }, 0n, (key, value) => records.push({ key, value }));
    if (records.some(watch.refuses)) return 87;
    if (identity.producerEpoch > log.epoch) {
      log.epoch = identity.producerEpoch;
      log.next = 0;
    }
    const sequence = viewOf(bytes).getInt32(53);
    if (sequence < log.next) return 46;
    if (sequence > log.next) return 45;
    log.next += records.length;
    const placed = bytes.slice();
    viewOf(placed).setBigInt64(0, log.end);
    log.open.push({ base: log.end, records, bytes: placed });
    log.end += BigInt(records.length);
    return 0;
  }

  function end(identity: Identity, commit: boolean): number {
    timeOut();
    if (!same(identity, held)) return fenced(47);
    if (open === null) return lastEnd === (commit ? "committed" : "aborted") ? 0 : 48;
    endOpen(commit);
    return 0;
  }

  function fetch(topic: string, partition: number, from: bigint): Uint8Array {
    const log = topics.get(topic)?.[partition];
    const rest = (log?.committed ?? []).filter(({ base, records }) => base + BigInt(records.length) > from);
    const all = new Uint8Array(rest.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const { bytes } of rest) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }

  return {
    happened,
    takeOver() {
      endOpen(false);
      renew();
      former = null;
      lastEnd = null;
    },
    forLife(life, dice) {
      /** A request on its way: it may get lost, be late, or come when nobody waits for its answer any more. */
      function request<T>(site: string | null, act: () => T): Promise<T> {
        if (!life.alive || site !== null && !life.passes(`${site}: before`)) return new Promise(() => {});
        const { lateShare, lateMaxMs } = nature.moods;
        // To find a record that is refused takes several rounds, and a round without an answer has all of them begin anew.
        const lostShare = Math.min(nature.moods.lostShare, nature.shares.refused > 0 ? 0.02 : 1);
        return new Promise((resolve, reject) => {
          const patience = life.clock.after(answerWithinMs, () => {
            reject(new PathError("timed_out", "The simulated Kafka does not answer"));
          });
          if (watch.isDown() || dice() < lostShare) return;
          clock.after(1 + dice() * 4 + (dice() < lateShare ? dice() * lateMaxMs : 0), () => {
            const answer = act();
            if (site !== null && !life.passes(`${site}: after`) || dice() < lostShare) return;
            patience.cancel();
            resolve(answer);
          });
        });
      }

      /** A request to the coordinator, which may have moved, or be busy with the end of the last transaction. */
      function coordinated(site: string, act: () => number): Promise<{ readonly code: number } & Identity> {
        return request(site, () => {
          const code = dice() < nature.moves ? 16 : clock.nowMs() < endingUntilMs ? 51 : act();
          return { code, ...held };
        });
      }

      return {
        connected: true,
        close() {},
        metadata: (names) =>
          request(null, () => ({
            controller: 0,
            nodes: [{ node: 0, host: "simulated", port: 1 }],
            topics: names.map((topic) => ({
              topic,
              code: topics.has(topic) ? 0 : 3,
              leaders: (topics.get(topic) ?? []).map(() => 0),
            })),
          })),
        topicBytesMax: () => Promise.resolve(null),
        cleanupPolicy: () => Promise.resolve("compact"),
        createTopic: (_node, topic, partitions) =>
          request(null, () => {
            if (topics.has(topic)) return { code: 36 };
            topics.set(topic, Array.from({ length: partitions }, () => newLog(topic)));
            return { code: 0 };
          }),
        coordinator: () =>
          request(null, () => ({
            code: dice() < nature.moves ? 15 : 0,
            node: 0,
            address: { host: "simulated", port: 1 },
          })),
        init: (_node, ms, asked) => coordinated("transaction, begun", () => init(asked, ms)),
        state: () =>
          request(null, () => {
            timeOut();
            const ended = lastEnd === null ? "Empty" : lastEnd === "committed" ? "CompleteCommit" : "CompleteAbort";
            return { code: 0, state: open === null ? ended : "Ongoing", producerId: held.producerId };
          }),
        addPartitions: (_node, identity, partitions) =>
          coordinated("transaction, opened", () => add(identity, partitions)),
        async produce(_node, batches) {
          const codes = await request(
            "transaction, produced",
            () => batches.map((batch) => append(identityIn(batch.bytes), batch)),
          );
          const results = batches.map(({ topic, partition }, i) => ({
            topic,
            partition,
            code: codes[i] ?? -1,
            baseOffset: -1,
          }));
          return { throttleMs: 0, results };
        },
        end: (_node, identity, commit) =>
          coordinated("transaction, ended", () => {
            const code = end(identity, commit);
            if (code === 0) endingUntilMs = clock.nowMs() + dice() * endingMsMax;
            return code;
          }),
        offset: (_node, topic, partition, which) =>
          request(null, () => {
            const last = topics.get(topic)?.[partition]?.committed.at(-1);
            const behind = last === undefined ? 0n : last.base + BigInt(last.records.length);
            return { code: 0, offset: which === -2n ? 0n : behind };
          }),
        fetch: (_node, topic, partition, from) =>
          request(null, () => ({ code: 0, aborted: [], batches: fetch(topic, partition, from) })),
      };
    },
  };
}

function newLog(topic: string): Log {
  return { topic, epoch: -1, next: 0, end: 0n, open: [], committed: [] };
}

function same(a: Identity, b: Identity | null): boolean {
  return b !== null && a.producerId === b.producerId && a.producerEpoch === b.producerEpoch;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function identityIn(bytes: Uint8Array): Identity {
  const view = viewOf(bytes);
  return { producerId: view.getBigInt64(43), producerEpoch: view.getInt16(51) };
}
