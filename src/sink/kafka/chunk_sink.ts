/**
 * Rows of files in transactions: a chunk's records, its dead letters (where they have a topic) and the places of its files arrive together
 * or not at all, for whoever reads `read_committed`.
 *
 * @module
 */
import type { Chunk, ChunkSink, Place, Refusal } from "../../core/chunk.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { WeirError } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { DeadLetter, Reading, Reason } from "../../core/reading.ts";
import { formatBytes, printable, quoted } from "../../core/text.ts";
import { type Cargo, cargoOf } from "./cargo.ts";
import { createCheckpointTopic } from "./checkpoint_topic.ts";
import type { KeyOf } from "./key_of.ts";
import { letterShape } from "./letter_shape.ts";
import type { ParsedOptions } from "./options.ts";
import { createPartitioner } from "./partitioner.ts";
import { createPatience } from "./patience.ts";
import { createRecordBatchEncoder, type RecordBatchEncoder, type RecordShape } from "./record_batch.ts";
import { createTimers } from "./timers.ts";
import type { TopicOf } from "./topic_of.ts";
import { createTopicMap, type MappedTopic } from "./topic_map.ts";
import type { TransactionCluster } from "./transaction_cluster.ts";
import { createTransactions, type Job } from "./transactions.ts";
import type { Troubles } from "./troubles.ts";

/** What it works with. */
export interface ChunkSinkDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly cluster: TransactionCluster;
  readonly troubles: Troubles;
  readonly shape: RecordShape<Reading>;
  readonly topicOf: TopicOf;
  readonly keyOf: KeyOf;
}

/** A {@linkcode ChunkSink} at Kafka. */
export interface KafkaChunks extends ChunkSink {
  /** Gives up: what is under way never ends. */
  close(): void;
  status(): { readonly inFlightReadings: number; readonly retries: number; readonly throttledMs: number };
}

/** Under which transactional id the files of a gateway go. */
export function transactionalIdOf(gateway: string): string {
  return `${gateway}-files`;
}

/** A place as a record: no headers. */
const placeShape: RecordShape<Place> = {
  value: (place) => place.value,
  valueBytes: (place) => new TextEncoder().encode(place.value).length,
  headers: [],
};

/** Makes a {@linkcode KafkaChunks}. */
export function createChunkSink(options: ParsedOptions, topic: string, deps: ChunkSinkDeps): KafkaChunks {
  const { clock, dice, emit, cluster, troubles, topicOf, keyOf } = deps;
  const transactionalId = transactionalIdOf(options.gateway);
  const timers = createTimers(clock);
  const patience = createPatience(transactionalId, options.backoff, { timers, dice, troubles });
  const topics = createTopicMap(options, { cluster, clock, patience });
  const transactions = createTransactions({ ...options, transactionalId }, { ...deps, timers, patience, topics });
  const checkpoints = createCheckpointTopic({ ...options, ...deps, name: topic, patience });
  const partitionOf = createPartitioner();
  const readings = createRecordBatchEncoder(deps.shape, options.compression);
  const letters = createRecordBatchEncoder(letterShape, options.compression);
  const places = createRecordBatchEncoder(placeShape, "none");
  const fenced = Promise.withResolvers<WeirError>();
  let begun: Promise<readonly Place[]> | null = null;
  let inFlightReadings = 0;

  return {
    fenced: fenced.promise,
    places: begin,
    async commit(chunk) {
      await begin();
      inFlightReadings = chunk.readings.length;
      try {
        return await told(() => commit(chunk));
      } finally {
        inFlightReadings = 0;
      }
    },
    close() {
      timers.cancelAll();
      cluster.close();
    },
    status: () => ({ inFlightReadings, retries: transactions.retries, throttledMs: transactions.throttledMs }),
  };

  function begin(): Promise<readonly Place[]> {
    begun ??= told(async () => {
      await transactions.begin();
      await checkpoints.ensure();
      const found = await checkpoints.places();
      const message =
        `Rows of files go in transactions of ${quoted(transactionalId)}; checkpoints of ${found.length} files are ` +
        `in Kafka topic ${quoted(topic)}`;
      emit("info", "kafka.transactions_begun", message, { transactional_id: transactionalId, places: found.length });
      return found;
    });
    return begun;
  }

  async function told<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (thrown) {
      if (thrown instanceof WeirError && thrown.code === "fenced") fenced.resolve(thrown);
      throw thrown;
    }
  }

  async function commit(chunk: Chunk): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    const refuse = (reading: Reading, reason: Reason, detail: string) => {
      refusals.push({ reading, reason, detail });
    };
    const wanted = new Map<string, Reading[]>();
    for (const reading of chunk.readings) {
      const to = topicOf(reading);
      if (!to.ok) refuse(reading, "bad_topic", to.detail);
      else if (reading.bytes > options.recordBytesMax) refuse(reading, "too_large", tooLongOf(reading));
      else byName(wanted, to.name).push(reading);
    }
    if (refusals.length > 0) return refusals;
    const letterTopic = options.deadLetterTopic;
    const unsent = new Set<DeadLetter>();
    let stuck: string | null = null;
    const job: Job = {
      async load() {
        refusals.length = 0;
        const sent = letterTopic === null ? [] : chunk.letters.filter((letter) => !unsent.has(letter));
        const named = new Set([...wanted.keys(), topic, ...letterTopic === null ? [] : [letterTopic]]);
        const found = new Map((await topics.need([...named])).map((one) => [one.name, one]));
        const loaded = <T>(name: string, items: readonly T[], how: Loading<T>) => {
          const to = found.get(name);
          if (to === undefined) throw new Error(`Topic ${name} was needed and is not there`);
          return cargoesOf(to, items, how);
        };
        return [
          ...[...wanted].flatMap(([name, list]) => loaded(name, list, { key: keyOf, encoder: readings, refuse })),
          ...(letterTopic === null ? [] : loaded(letterTopic, sent, {
            key: ({ id }) => id,
            encoder: letters,
            refuse: (letter, reason, detail) => {
              unsent.add(letter);
              tellUnsent(letterTopic, letter, reason, detail);
            },
          })),
          ...loaded(topic, chunk.places, {
            key: ({ key }) => key,
            encoder: places,
            refuse: (_place, _reason, detail) => {
              stuck = detail;
            },
          }),
        ];
      },
      async isHome() {
        const [ours] = chunk.places;
        if (ours === undefined) return false;
        return (await checkpoints.places()).some(({ key, value }) => key === ours.key && value === ours.value);
      },
    };
    await patience("chunk", async (suffer) => {
      stuck = null;
      if (await transactions.commit(job) || refusals.length > 0) return true;
      // Only dead letters, or the checkpoint itself, are refused: again without the former, or when somebody has helped the latter.
      return suffer("checkpoint", `A checkpoint is not taken: ${stuck ?? ""}`, checkpointAdvice, stuck === null);
    });
    return refusals;
  }

  function tooLongOf(reading: Reading): string {
    return `The record has ${formatBytes(reading.bytes)}; the most is ${formatBytes(options.recordBytesMax)}`;
  }

  function tellUnsent(name: string, letter: DeadLetter, reason: Reason, detail: string): void {
    const message = `Kafka topic ${quoted(name)} does not take the dead letter ${quoted(letter.id)}: ${reason}: ${
      printable(detail)
    }; it stays in the ledger`;
    emit("warn", "letters.not_forwarded", message, { letter: letter.id, reason });
  }

  /** Items by the partition of their key; those without one go to one partition, another one each time. */
  function cargoesOf<T>(
    to: MappedTopic,
    items: readonly T[],
    { key: keyOfItem, encoder, refuse }: Loading<T>,
  ): Cargo[] {
    const count = to.leaders.length;
    const keyless = Math.floor(dice() * count);
    const parts = new Map<number, { readonly items: T[]; readonly keys: (string | null)[] }>();
    for (const item of items) {
      const key = keyOfItem(item);
      const partition = key === null ? keyless : partitionOf(key, count);
      const part = parts.get(partition) ?? { items: [], keys: [] };
      parts.set(partition, part);
      part.items.push(item);
      part.keys.push(key);
    }
    return [...parts].map(([partition, part]) => cargoOf(to, partition, part, encoder, refuse));
  }
}

/** How items become cargoes. */
interface Loading<T> {
  readonly key: (item: T) => string | null;
  readonly encoder: RecordBatchEncoder<T>;
  readonly refuse: (item: T, reason: Reason, detail: string) => void;
}

const checkpointAdvice = "Raise max.message.bytes of the checkpoint topic";

function byName(lists: Map<string, Reading[]>, name: string): Reading[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}
