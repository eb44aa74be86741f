/**
 * Where each reading goes: topics, their partitions and leaders, learnt from Kafka's metadata and asked for again when something changed
 * and every few minutes.
 *
 * A topic that Kafka does not know holds its own readings only. When the number of partitions of a topic changes, keys move between
 * partitions; so that the readings of a key stay in order, new ones are held until all that is under way in the topic is acknowledged,
 * and only then placed by the new number. Should partitions have gone (the topic was made anew with fewer), what waited for them is
 * placed anew first.
 *
 * What is held here is bounded by the credits of the scheduler, and the number of topics by the allow-list.
 *
 * @module
 */
import { type Backoff, type BackoffOptions, createBackoff } from "../../core/backoff.ts";
import type { Dice } from "../../core/dice.ts";
import type { Reading } from "../../core/reading.ts";
import { quoted } from "../../core/text.ts";
import { pathAdviceOf, troubleOf, verdictOf } from "./classify.ts";
import type { Cluster } from "./cluster.ts";
import { createRecordQueue, type Partition, type RecordQueue } from "./partition.ts";
import { createPartitioner } from "./partitioner.ts";
import { PathError } from "./path_error.ts";
import type { TopicMetadata } from "./requests.ts";
import type { Timers } from "./timers.ts";
import type { Troubles } from "./troubles.ts";

/** A topic, as one producer sees it. */
export interface Topic {
  readonly name: string;
  partitions: Partition[];
  /** Readings that wait for metadata or for a change of the number of partitions. */
  readonly held: RecordQueue;
  /** Largest batch that Kafka takes, in bytes; null when it did not tell. */
  bytesMax: number | null;
  /** Largest batch that we make, in bytes: smaller than the setting once Kafka refused one. */
  batchBytesMax: number;
}

/** Limits of {@linkcode Topics}. */
export interface TopicsOptions {
  readonly clientId: string;
  readonly batchBytesMax: number;
  /** Metadata is asked for again after this time, in ms. */
  readonly metadataMaxAgeMs: number;
  readonly backoff: BackoffOptions;
}

/** What {@linkcode Topics} works with. */
export interface TopicsDeps {
  readonly cluster: Cluster;
  readonly timers: Timers;
  readonly dice: Dice;
  readonly troubles: Troubles;
  /** This partition has something to send, or another leader than before. */
  readonly onReady: (partition: Partition) => void;
  /** This partition was there before and went for a while: Kafka may know sequences of ours in it that we have forgotten. */
  readonly onReturned: (partition: Partition) => void;
}

/** The topics of a producer. */
export interface Topics {
  /** The topic of this name; a new one is asked for. */
  named(name: string): Topic;
  /** Puts a reading behind the others of its key. */
  place(topic: Topic, reading: Reading, key: string | null): void;
  /** A batch of this partition is made: readings without a key that went to it go to the next one from now on. */
  rotate(topic: Topic, partition: Partition): void;
  /** Asks for the metadata of a topic, soon. */
  refresh(name: string): void;
  /** Something of this topic was acknowledged or failed: a change of partitions may go on. */
  settled(topic: Topic): void;
  /** As `Sink.takeBack`. */
  takeBack(wanted: ReadonlySet<Reading>): ReadonlyMap<Reading, Reading>;
  /** All readings that are in here: held, queued, or in a batch. */
  openReadings(): IterableIterator<Reading>;
}

interface TopicState extends Topic {
  known: boolean;
  /** Most partitions that it ever had. */
  partitionsMost: number;
  /** Number of partitions that the topic is to have; null: the one it has. */
  resizeTo: number | null;
  /** Where readings without a key go. */
  keyless: number;
  asking: boolean;
  /** The largest batch is to be asked for with the next metadata. */
  bytesMaxWanted: boolean;
  readonly backoff: Backoff;
}

/** Makes an empty {@linkcode Topics}. */
export function createTopics(options: TopicsOptions, deps: TopicsDeps): Topics {
  const { cluster, timers, dice, troubles } = deps;
  const topics = new Map<string, TopicState>();
  const partitionOf = createPartitioner();
  const wanted = new Set<string>();
  const pathBackoff = createBackoff(options.backoff, dice);
  const clusterPlace = `${options.clientId} metadata`;
  let asking = false;
  timers.after(options.metadataMaxAgeMs, refreshAll);

  return {
    named(name) {
      const known = topics.get(name);
      if (known !== undefined) return known;
      const topic: TopicState = {
        name,
        partitions: [],
        held: createRecordQueue(),
        bytesMax: null,
        batchBytesMax: options.batchBytesMax,
        known: false,
        partitionsMost: 0,
        resizeTo: null,
        keyless: 0,
        asking: false,
        bytesMaxWanted: true,
        backoff: createBackoff(options.backoff, dice),
      };
      topics.set(name, topic);
      refresh(name);
      return topic;
    },
    place: (topic, reading, key) => place(stateOf(topic), reading, key),
    rotate(topic, { index: made }) {
      const state = stateOf(topic);
      if (state.keyless !== made) return;
      const count = state.partitions.length;
      // A partition that is in trouble is passed over: readings without a key may go anywhere.
      for (let step = 1; step <= count; step++) {
        const index = (state.keyless + step) % count;
        const partition = state.partitions[index];
        if (partition === undefined || partition.leader < 0 || partition.backoff.failures > 0) continue;
        state.keyless = index;
        return;
      }
    },
    refresh,
    settled: (topic) => resize(stateOf(topic)),
    takeBack(wanted) {
      const given = [...topics.values()].flatMap((topic) => [
        ...topic.held.takeBack(wanted, null),
        ...topic.partitions.flatMap(({ batch, queue }) => [...queue.takeBack(wanted, batch?.readings[0] ?? null)]),
      ]);
      return new Map(given);
    },
    *openReadings() {
      for (const topic of topics.values()) {
        yield* topic.held.values();
        for (const { batch, queue } of topic.partitions) {
          if (batch !== null) yield* batch.readings;
          yield* queue.values();
        }
      }
    },
  };

  function stateOf(topic: Topic): TopicState {
    const state = topics.get(topic.name);
    if (state === undefined) throw new Error(`Topic ${quoted(topic.name)} is not of this producer`);
    return state;
  }

  function place(topic: TopicState, reading: Reading, key: string | null): void {
    if (!topic.known || topic.resizeTo !== null) return topic.held.push(reading, key);
    const index = key === null ? topic.keyless : partitionOf(key, topic.partitions.length);
    const partition = topic.partitions[index];
    if (partition === undefined) throw new Error(`Topic ${quoted(topic.name)} has no partition ${index}`);
    partition.queue.push(reading, key);
    deps.onReady(partition);
  }

  function refresh(name: string): void {
    wanted.add(name);
    if (asking) return;
    asking = true;
    queueMicrotask(() => void ask());
  }

  function refreshAll(): void {
    for (const topic of topics.values()) {
      topic.bytesMaxWanted = true;
      refresh(topic.name);
    }
    timers.after(options.metadataMaxAgeMs, refreshAll);
  }

  /** Asks until nothing more is wanted. One request at a time. */
  async function ask(): Promise<void> {
    while (wanted.size > 0) {
      const names = [...wanted];
      wanted.clear();
      try {
        const metadata = await cluster.metadata(names);
        pathBackoff.reset();
        troubles.recover(clusterPlace);
        for (const found of metadata.topics) learn(found);
      } catch (thrown) {
        if (!(thrown instanceof PathError)) throw thrown;
        if (thrown.failure === "closed") return;
        troubles.suffer(troubleOf(thrown.failure), clusterPlace, thrown.message, pathAdviceOf(thrown));
        for (const name of names) wanted.add(name);
        await new Promise<void>((resolve) => timers.after(pathBackoff.nextMs(), resolve));
      }
    }
    asking = false;
  }

  function learn(found: TopicMetadata): void {
    const topic = topics.get(found.topic);
    if (topic === undefined) return;
    const place = `${options.clientId} topic ${found.topic}`;
    if (found.code !== 0 || found.leaders.length === 0) {
      const { what, advice, passing } = verdictOf(found.code === 0 ? 5 : found.code);
      if (!passing || topic.backoff.failures > 0) {
        troubles.suffer(
          `topic ${found.topic} ${found.code}`,
          place,
          `Kafka topic ${quoted(found.topic)}: ${what}`,
          advice,
        );
      }
      return askLater(topic);
    }
    troubles.recover(place);
    if (!topic.known) become(topic, found.leaders.length);
    else if (found.leaders.length !== (topic.resizeTo ?? topic.partitions.length)) {
      topic.resizeTo = found.leaders.length === topic.partitions.length ? null : found.leaders.length;
      if (topic.resizeTo === null) releaseHeld(topic);
    }
    lead(topic, found.leaders);
    if (topic.bytesMaxWanted) void learnBytesMax(topic);
    resize(topic);
    if (topic.partitions.some((partition) => partition.leader < 0)) askLater(topic);
    else topic.backoff.reset();
  }

  function lead(topic: TopicState, leaders: readonly number[]): void {
    for (const partition of topic.partitions) {
      partition.leader = leaders[partition.index] ?? -1;
      deps.onReady(partition);
    }
  }

  function askLater(topic: TopicState): void {
    if (topic.asking) return;
    topic.asking = true;
    timers.after(topic.backoff.nextMs(), () => {
      topic.asking = false;
      refresh(topic.name);
    });
  }

  /** Gives the topic this many partitions and places what was held. */
  function become(topic: TopicState, count: number): void {
    const before = topic.partitions.length;
    topic.partitions = Array.from(
      { length: count },
      (_, index) =>
        topic.partitions[index] ??
          newPartition(topic.name, index, options.clientId, createBackoff(options.backoff, dice)),
    );
    for (const partition of topic.partitions.slice(before, topic.partitionsMost)) deps.onReturned(partition);
    topic.partitionsMost = Math.max(topic.partitionsMost, count);
    topic.known = true;
    topic.resizeTo = null;
    // Gateways that start together do not all begin with the same partition.
    topic.keyless = Math.floor(dice() * count);
    releaseHeld(topic);
  }

  function releaseHeld(topic: TopicState): void {
    const { readings, keys } = topic.held.drain();
    for (let i = 0; i < readings.length; i++) {
      const reading = readings[i];
      if (reading !== undefined) place(topic, reading, keys[i] ?? null);
    }
  }

  function resize(topic: TopicState): void {
    const count = topic.resizeTo;
    if (count === null) return;
    for (const partition of topic.partitions) {
      const stays = partition.index < count;
      if (stays && (partition.batch !== null || partition.queue.length > 0)) return;
      if (partition.onWire) return;
    }
    const newcomers = topic.held.drain();
    for (const partition of topic.partitions.slice(count)) {
      if (partition.batch !== null) partition.queue.putBack(partition.batch);
      partition.batch = null;
      partition.leader = -1;
      troubles.recover(partition.place);
      appendTo(topic.held, partition.queue.drain());
    }
    appendTo(topic.held, newcomers);
    become(topic, count);
    refresh(topic.name);
  }

  async function learnBytesMax(topic: TopicState): Promise<void> {
    topic.bytesMaxWanted = false;
    try {
      topic.bytesMax = await cluster.topicBytesMax(topic.name);
      topic.batchBytesMax = Math.min(options.batchBytesMax, topic.bytesMax ?? options.batchBytesMax);
    } catch (thrown) {
      // It only spares Kafka a refusal: the next refresh asks again.
      if (!(thrown instanceof PathError)) throw thrown;
    }
  }
}

function appendTo(
  queue: RecordQueue,
  records: { readonly readings: Reading[]; readonly keys: (string | null)[] },
): void {
  records.readings.forEach((reading, i) => queue.push(reading, records.keys[i] ?? null));
}

function newPartition(topic: string, index: number, clientId: string, backoff: Backoff): Partition {
  return {
    topic,
    index,
    place: `${clientId} partition ${topic}-${index}`,
    leader: -1,
    batch: null,
    readyAt: -1,
    onWire: false,
    waiting: false,
    identity: null,
    sequence: 0,
    logEnd: -1,
    backoff,
    queue: createRecordQueue(),
  };
}
