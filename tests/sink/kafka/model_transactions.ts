/**
 * A cluster with one transaction coordinator, in virtual time: logs, sequences, epochs, timeouts, and faults by a script. What it says
 * where was seen at Kafka 4.1.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Clock } from "../../../src/core/clock.ts";
import type { Identity } from "../../../src/sink/kafka/partition.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import type { TransactionCluster } from "../../../src/sink/kafka/transaction_cluster.ts";
import { bitwiseCrc32c, readBatch } from "./batch_reader.ts";

/** A call that can go wrong. */
export type Call = "coordinator" | "init" | "add" | "produce" | "end";
/**
 * How: the answer is this code and nothing is done, or the request never arrives, or its answer never comes back, or it is given up and
 * arrives so much later.
 */
export type Fault = number | "request_lost" | "answer_lost" | { readonly lateMs: number };

interface LoggedBatch {
  readonly producerId: bigint;
  readonly sequence: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Null: its transaction is open. */
  committed: boolean | null;
}

interface Log {
  readonly batches: LoggedBatch[];
  /** The epoch and the next sequence of the producer. */
  epoch: number;
  next: number;
}

/** The model. */
export interface ModelTransactions extends TransactionCluster {
  addTopic(name: string, partitions: number): void;
  /** What happens to the next calls; called for each. */
  fault: (call: Call) => Fault | null;
  /** Largest batch; larger ones are refused with code 10. */
  bytesMax: number;
  tellsBytesMax: boolean;
  /** Somebody else takes the transactional id. */
  takeOver(): void;
  /** The coordinator starts anew: who held the id before is not in its log. */
  restart(): void;
  /** Ids (header `weir.id`), or else values, that a `read_committed` reader sees of a topic. */
  committed(topic: string): readonly string[];
  readonly aborted: number;
  readonly codesSeen: ReadonlySet<number>;
}

/** Makes a model with one node, 0. */
export function createModelTransactions(clock: Clock): ModelTransactions {
  const topics = new Map<string, Log[]>();
  let held: Identity & { readonly former: Identity | null } = { producerId: -1n, producerEpoch: -1, former: null };
  let open: { readonly logs: Set<Log>; readonly untilMs: number } | null = null;
  let lastEnd: "CompleteCommit" | "CompleteAbort" | "Empty" = "Empty";
  let timeoutMs = 0;
  let aborted = 0;
  const codesSeen = new Set<number>();

  const model: ModelTransactions = {
    fault: () => null,
    bytesMax: 1 << 20,
    tellsBytesMax: true,
    connected: true,
    close() {},
    addTopic(name, partitions) {
      topics.set(name, Array.from({ length: partitions }, () => ({ batches: [], epoch: -1, next: 0 })));
    },
    takeOver() {
      endOpen(false);
      held = { producerId: held.producerId, producerEpoch: held.producerEpoch + 1, former: null };
      lastEnd = "Empty";
    },
    restart() {
      timeOut();
      held = { ...held, former: null };
    },
    committed: (topic) => committedOf(topic),
    get aborted() {
      return aborted;
    },
    codesSeen,
    metadata: (names) =>
      Promise.resolve({
        controller: 0,
        nodes: [{ node: 0, host: "model", port: 1 }],
        topics: names.map((topic) => ({
          topic,
          code: topics.has(topic) ? 0 : 3,
          leaders: (topics.get(topic) ?? []).map(() => 0),
        })),
      }),
    topicBytesMax: () => Promise.resolve(model.tellsBytesMax ? model.bytesMax : null),
    cleanupPolicy: () => Promise.resolve("compact"),
    createTopic(_node, topic, partitions) {
      model.addTopic(topic, partitions);
      return Promise.resolve({ code: 0 });
    },
    coordinator: () =>
      answer("coordinator", (code) => ({ code, node: 0, address: { host: "model", port: 1 } }), () => 0),
    init: (_node, ms, former) =>
      answer("init", (code) => ({ code, ...code === 0 ? held : { producerId: -1n, producerEpoch: -1 } }), () => {
        timeOut();
        if (former !== null && !isHeld(former) && !isFormer(former)) return 90;
        if (open !== null) {
          endOpen(false);
          return 51;
        }
        timeoutMs = ms;
        // Asked again after a lost answer: the same epoch.
        if (former !== null && !isHeld(former)) return 0;
        held = {
          producerId: held.producerId < 0n ? 7n : held.producerId,
          producerEpoch: held.producerEpoch + 1,
          former: former ?? null,
        };
        lastEnd = "Empty";
        return 0;
      }),
    state: () => {
      timeOut();
      return Promise.resolve({ code: 0, state: open === null ? lastEnd : "Ongoing", producerId: held.producerId });
    },
    addPartitions: (_node, identity, partitions) =>
      answer("add", (code) => ({ code }), () => {
        timeOut();
        if (!isHeld(identity)) return 47;
        const logs = partitions.map(({ topic, partition }) => topics.get(topic)?.[partition]);
        if (logs.includes(undefined)) return 3;
        open ??= { logs: new Set(), untilMs: clock.nowMs() + timeoutMs };
        for (const log of logs) if (log !== undefined) open.logs.add(log);
        return 0;
      }),
    end: (_node, identity, commit) =>
      answer("end", (code) => ({ code }), () => {
        timeOut();
        if (!isHeld(identity)) return 47;
        if (open !== null) endOpen(commit);
        return 0;
      }),
    async produce(_node, batches) {
      const codes = new Map<unknown, number>();
      const answered = await answer("produce", (code) => ({ code }), () => {
        timeOut();
        for (const batch of batches) {
          const code = append(batch);
          codes.set(batch, code);
          codesSeen.add(code);
        }
        return 0;
      });
      return {
        throttleMs: 0,
        results: batches.map((batch) => ({ ...batch, code: codes.get(batch) ?? answered.code, baseOffset: -1 })),
      };
    },
    offset: (_node, topic, partition, which) =>
      Promise.resolve({ code: 0, offset: which === -2n ? 0n : BigInt(readable(topic, partition).length) }),
    fetch: (_node, topic, partition, offset) => {
      const from = readable(topic, partition)[Number(offset)];
      if (from === undefined) return Promise.resolve({ code: 1, aborted: [], batches: new Uint8Array() });
      // One record a batch here (places), so a batch is an offset.
      assert.equal(from.count, 1);
      const batch = from.bytes.slice();
      new DataView(batch.buffer).setBigInt64(0, offset);
      return Promise.resolve({ code: 0, aborted: [], batches: batch });
    },
  };
  return model;

  function isHeld({ producerId, producerEpoch }: Identity): boolean {
    return producerId === held.producerId && producerEpoch === held.producerEpoch;
  }

  function isFormer({ producerId, producerEpoch }: Identity): boolean {
    return producerId === held.former?.producerId && producerEpoch === held.former.producerEpoch;
  }

  /** The coordinator's own end of a transaction that was open for too long: its holder may come back for a new epoch. */
  function timeOut(): void {
    if (open === null || clock.nowMs() < open.untilMs) return;
    endOpen(false);
    held = { producerId: held.producerId, producerEpoch: held.producerEpoch + 1, former: held };
  }

  function endOpen(commit: boolean): void {
    if (open === null) return;
    for (const { batches } of open.logs) {
      for (const batch of batches) batch.committed ??= commit;
    }
    if (!commit) aborted += 1;
    lastEnd = commit ? "CompleteCommit" : "CompleteAbort";
    open = null;
  }

  function append({ topic, partition, bytes }: { topic: string; partition: number; bytes: Uint8Array }): number {
    const log = topics.get(topic)?.[partition];
    if (log === undefined) return 3;
    const batch = readBatch(withoutTransactionalBit(bytes));
    const identity = { producerId: batch.producerId, producerEpoch: batch.producerEpoch };
    if (!isHeld(identity)) return 47;
    if (open === null || !open.logs.has(log)) return 48;
    if (bytes.length > model.bytesMax) return 10;
    if (batch.producerEpoch > log.epoch) {
      log.epoch = batch.producerEpoch;
      log.next = 0;
    }
    const last = log.batches.at(-1);
    if (last !== undefined && last.committed === null && last.sequence === batch.sequence) return 46;
    if (batch.sequence !== log.next) return 45;
    log.next += batch.records.length;
    log.batches.push({ ...batch, count: batch.records.length, bytes, committed: null });
    return 0;
  }

  function readable(topic: string, partition: number): readonly LoggedBatch[] {
    return (topics.get(topic)?.[partition]?.batches ?? []).filter(({ committed }) => committed === true);
  }

  function committedOf(topic: string): readonly string[] {
    return (topics.get(topic) ?? []).flatMap((_log, partition) => readable(topic, partition)).flatMap(({ bytes }) =>
      readBatch(withoutTransactionalBit(bytes)).records.map(({ headers, value }) =>
        headers.find(([name]) => name === "weir.id")?.[1] ?? value ?? ""
      )
    );
  }

  async function answer<T>(call: Call, make: (code: number) => T, act: () => number): Promise<T> {
    await new Promise<void>((resolve) => clock.after(1, resolve));
    const fault = model.fault(call);
    if (typeof fault === "number") {
      codesSeen.add(fault);
      return make(fault);
    }
    if (typeof fault === "object" && fault !== null) {
      clock.after(fault.lateMs, () => void act());
      throw new PathError("timed_out", "The model is late");
    }
    if (fault === "request_lost") throw new PathError("lost", "The model lost a request");
    const code = act();
    codesSeen.add(code);
    if (fault === "answer_lost") throw new PathError("lost", "The model lost an answer");
    return make(code);
  }
}

/** The plain reader of batches knows none in transactions: checks that this one is, and gives it as one that is not. */
function withoutTransactionalBit(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  assert.equal(view.getInt16(21) & 0x10, 0x10, "the batch is part of a transaction");
  view.setInt16(21, view.getInt16(21) & ~0x10);
  view.setUint32(17, bitwiseCrc32c(copy.subarray(21)));
  return copy;
}
