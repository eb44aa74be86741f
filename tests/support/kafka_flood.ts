/**
 * Many readings into a Kafka sink, all the time: numbered from 0 under seven keys, with a limit to what is in flight, as the scheduler's
 * credits are one; and what a test asks about them afterwards.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../src/core/clock.ts";
import type { Lane } from "../../src/core/flow.ts";
import { createPartitioner } from "../../src/sink/kafka/partitioner.ts";
import type { KafkaSinkOptions } from "../../src/sink/kafka/sink.ts";
import type { ConsumedRecord, RunningKafka } from "./kafka.ts";
import { type Home, lossesTold } from "./kafka_losses.ts";
import { type KafkaRig, keyOf, numbered, sinkFor } from "./kafka_rig.ts";
import { eventually } from "./servers.ts";

/** The flood. */
export interface KafkaFlood {
  /** Readings sent so far: their ids are the numbers below this. */
  readonly sent: number;
  /** Longest time without an acknowledgement so far, in ms. */
  readonly longestSilenceMs: number;
  /** Waits until all that was sent so far is acknowledged. */
  caughtUp(what: string): Promise<void>;
  /** Sends no more. */
  halt(): Promise<void>;
  /** Sends no more, and waits until everything is acknowledged. */
  stop(): Promise<void>;
}

const partitions = 6;
const atOnce = 20;
const everyMs = 10;
/** As the credits of the scheduler. */
const inFlightMax = 4_000;

/** Starts to send, about 2,000 readings a second; `from`: all below it were sent, and acknowledged, before. */
export function startFlood({ sink, delivered }: KafkaRig, from = 0): KafkaFlood {
  const stopping = new AbortController();
  let sent = from;
  let seen = from;
  let seenAtMs = systemClock.nowMs();
  let longestSilenceMs = 0;
  const running = (async () => {
    while (!stopping.signal.aborted) {
      if (delivered.length > seen) {
        seen = delivered.length;
        seenAtMs = systemClock.nowMs();
      } else longestSilenceMs = Math.max(longestSilenceMs, systemClock.nowMs() - seenAtMs);
      if (sent - delivered.length < inFlightMax) {
        sink.send(laneOf(sent), numbered(sent, sent + atOnce));
        sent += atOnce;
      }
      await sleep(systemClock, everyMs, stopping.signal);
    }
  })();
  async function halt(): Promise<void> {
    stopping.abort();
    await running;
  }

  const acknowledged = new Set<number>();
  let looked = 0;
  let below = 0;

  /** All ids below this are acknowledged. */
  function acknowledgedBelow(): number {
    for (; looked < delivered.length; looked++) acknowledged.add(Number(delivered[looked]));
    while (acknowledged.has(below)) below += 1;
    return below;
  }

  return {
    get sent() {
      return sent;
    },
    get longestSilenceMs() {
      return longestSilenceMs;
    },
    async caughtUp(what) {
      const ids = sent;
      await eventually(`${what}: all of the first ${ids} are acknowledged`, () => acknowledgedBelow() >= ids);
    },
    halt,
    async stop() {
      await halt();
      await sink.flush();
      assert.equal(delivered.length, sent, "each is reported once");
    },
  };
}

/**
 * Sends into a new topic while `act` does its harm; then everything has to be in Kafka, once, in order.
 *
 * @returns what it was like, for people
 */
export async function whileSending(
  kafka: Pick<RunningKafka, "adminBrokers" | "createTopic" | "read">,
  topic: string,
  act: (flood: KafkaFlood) => Promise<void>,
  options: Partial<KafkaSinkOptions> = {},
): Promise<string> {
  await kafka.createTopic(topic, partitions);
  const rig = sinkFor(kafka, { topic, ...options });
  await rig.open();
  const flood = startFlood(rig);
  try {
    await flood.caughtUp("at first");
    await act(flood);
    await flood.stop();
  } finally {
    await flood.halt();
    await rig.sink.close();
  }
  const records = await kafka.read(topic);
  assertInOrderOnce(records);
  const lost = lossesTold(records, flood.sent, numberOf, homeIn(partitions));
  const told = rig.events.map((event) => JSON.stringify(event)).join("\n");
  assert.equal(lost, "", `Of ${flood.sent}, all acknowledged, are lost:\n${lost}\nWhat the sink told:\n${told}`);
  assert.equal(records.length, flood.sent, "nothing is doubled");
  assert.deepEqual(rig.rejected, []);
  return `${flood.sent} readings, 0 lost, 0 doubled, ${rig.sink.status().retries} batches sent again, ` +
    `${(flood.longestSilenceMs / 1000).toFixed(1)} s without an acknowledgement at the longest`;
}

/** Fails unless the records of each key and lane stand in the order of sending, all in one partition, and none is there twice. */
export function assertInOrderOnce(records: readonly ConsumedRecord[]): void {
  const last = new Map<string, { readonly n: number; readonly partition: number }>();
  for (const record of records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)) {
    const n = numberOf(record);
    const line = `${laneOf(n)} ${record.key}`;
    const before = last.get(line) ?? { n: -1, partition: record.partition };
    assert.ok(n > before.n, `${line}: ${n} stands behind ${before.n}`);
    assert.equal(record.partition, before.partition, `${line} has one partition`);
    last.set(line, { n, partition: record.partition });
  }
}

/** Where each number lies in a topic of `count` partitions. */
function homeIn(count: number): (n: number) => Home {
  const partitionOf = createPartitioner();
  return (n) => {
    const key = keyOf(n);
    return { partition: partitionOf(key, count), line: `${laneOf(n)} ${key}` };
  };
}

/** The partitions of `count` that the flood's keys lie in. */
export function partitionsFlooded(count: number): ReadonlySet<number> {
  const partitionOf = createPartitioner();
  return new Set(Array.from({ length: atOnce }, (_, n) => partitionOf(keyOf(n), count)));
}

/** The number of a record. */
export function numberOf({ headers }: ConsumedRecord): number {
  return Number(headers["weir.id"]);
}

function laneOf(n: number): Lane {
  return Math.floor(n / atOnce) % 3 === 0 ? "files" : "stream";
}
