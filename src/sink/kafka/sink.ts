/**
 * The Kafka sink: two producers behind one contract, so that a file's batch never queues before a stream's reading and quotas can be set
 * on `<gateway>-files` alone.
 *
 * The time of a record is the time of sending; the event's own time stays in its value. Kafka forgets producers by record time: with old
 * event times it would take a batch a second time, and retention would delete it within minutes.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import type { Emit } from "../../core/event.ts";
import type { Finding } from "../../core/finding.ts";
import type { Lane } from "../../core/flow.ts";
import type { Reading } from "../../core/reading.ts";
import type { Sink, SinkReport } from "../../core/sink.ts";
import type { SinkStatus } from "../../core/status.ts";
import { printable } from "../../core/text.ts";
import { checkKafka } from "./check.ts";
import { createChunkSink, transactionalIdOf } from "./chunk_sink.ts";
import { type Cluster, createCluster } from "./cluster.ts";
import { connectionOpener, loadLibrary, type OpenConnection } from "./connection.ts";
import { createKeyOf } from "./key_of.ts";
import { followToTopic } from "./letter_topic.ts";
import { type KafkaSinkOptions, type OptionalHeader, type ParsedOptions, parseOptions } from "./options.ts";
import { createProducer, type Producer } from "./producer.ts";
import type { RecordShape } from "./record_batch.ts";
import { createTopicOf } from "./topic_of.ts";
import { examineKafka } from "./examine.ts";
import { createTransactionCluster } from "./transaction_cluster.ts";
import { createTroubles } from "./troubles.ts";

export type { KafkaSinkOptions } from "./options.ts";

/** What the sink works with. */
export interface KafkaSinkDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** How connections are opened, by client id. Default: over the network. */
  readonly openConnection?: (clientId: string) => OpenConnection;
}

const lanes: readonly Lane[] = ["stream", "files"];

/** Of files a batch is a request: encoding it holds the loop for a millisecond, then a stream's reading has its turn. */
const filesRequestBytesMax = 256 * 1024;

/**
 * Makes the Kafka sink.
 *
 * @throws {WeirError} `configuration` for what no retry can mend: a bad address, template, topic name or certificate
 */
export function createKafkaSink(options: KafkaSinkOptions, deps: KafkaSinkDeps): Sink {
  const parsed = parseOptions(options);
  const { clock, dice, emit } = deps;
  const troubles = createTroubles(clock, emit);
  const shape = recordShape(parsed);
  const topicOf = createTopicOf(parsed);
  const keyOf = createKeyOf(parsed.key);
  const opener = deps.openConnection ??
    ((clientId) =>
      connectionOpener(
        { clientId, tls: parsed.tls, sasl: parsed.sasl, connectTimeoutMs: parsed.connectTimeoutMs },
        clock,
      ));
  const chunks = parsed.filesCheckpointTopic === null ? null : createChunkSink(parsed, parsed.filesCheckpointTopic, {
    clock,
    dice,
    emit,
    troubles,
    shape,
    topicOf,
    keyOf,
    cluster: createTransactionCluster(
      transactionalIdOf(parsed.gateway),
      parsed,
      opener(`${parsed.gateway}-files`),
      dice,
    ),
  });
  let running: {
    readonly report: SinkReport;
    readonly producers: Readonly<Record<Lane, Producer>>;
    readonly clusters: Cluster[];
  } | null = null;

  return {
    name: "kafka",
    ...(chunks === null ? {} : { chunks }),
    async load() {
      await loadLibrary();
    },
    open(report) {
      const clusters: Cluster[] = [];
      const producerOf = (lane: Lane): Producer => {
        const clientId = `${parsed.gateway}-${lane}`;
        const cluster = createCluster(parsed, opener(clientId), dice);
        clusters.push(cluster);
        return createProducer({
          ...parsed,
          clientId,
          lingerMs: parsed.lingerMs[lane],
          requestBytesMax: lane === "files"
            ? Math.min(parsed.requestBytesMax, filesRequestBytesMax)
            : parsed.requestBytesMax,
        }, {
          clock,
          dice,
          emit,
          cluster,
          troubles,
          shape,
          onDelivered: (readings) => report.delivered(lane, readings),
          onRejected: (reading, reason, detail) => report.rejected(lane, reading, reason, detail),
        });
      };
      running = { report, producers: { stream: producerOf("stream"), files: producerOf("files") }, clusters };
      const known = parsed.topic.fields.length === 0 ? [parsed.topic.source] : parsed.topicAllow;
      // Rows of files go in chunks then, by a producer of their own.
      for (const lane of lanes) if (lane === "stream" || chunks === null) running.producers[lane].warm(known);
      chunks?.places().catch(() => {}); // who waits for them is told
      return Promise.resolve();
    },
    send(lane, readings) {
      if (running === null) throw new Error("The Kafka sink was sent readings before it was opened");
      const producer = running.producers[lane];
      for (const reading of readings) {
        const topic = topicOf(reading);
        if (topic.ok) {
          producer.send(reading, topic.name, keyOf(reading));
        } else running.report.rejected(lane, reading, "bad_topic", topic.detail);
      }
    },
    async flush() {
      if (running !== null) await Promise.all(lanes.map((lane) => running?.producers[lane].flush()));
    },
    close() {
      if (running !== null) { for (const lane of lanes) running.producers[lane].close(); }
      chunks?.close();
      return Promise.resolve();
    },
    takeBack: (readings) => running?.producers.stream.takeBack(readings) ?? new Map(),
    status(): SinkStatus {
      const states = [
        ...running === null ? [] : lanes.map((lane) => running?.producers[lane].status()),
        chunks?.status(),
      ];
      const sum = (of: "inFlightReadings" | "retries" | "throttledMs") =>
        states.reduce((total, state) => total + (state?.[of] ?? 0), 0);
      return {
        kind: "kafka",
        connected: running?.clusters.some((cluster) => cluster.connected) ?? false,
        trouble: troubles.text(),
        inFlightReadings: sum("inFlightReadings"),
        retries: sum("retries"),
        throttledMs: sum("throttledMs"),
      };
    },
    followLetters(letters) {
      const topic = parsed.deadLetterTopic;
      if (topic === null) return null;
      const clientId = `${parsed.gateway}-letters`;
      const cluster = createCluster(parsed, opener(clientId), dice);
      return followToTopic({
        topic,
        // Those of files go in the transactions of their rows.
        filter: chunks === null ? {} : { origin: "real_time" },
        letters,
        clock,
        dice,
        emit,
        createProducer: (how) =>
          createProducer({ ...parsed, clientId, lingerMs: 0 }, {
            clock,
            dice,
            emit,
            cluster,
            troubles,
            ...how,
          }),
      });
    },
    check: (): Promise<readonly Finding[]> => checkKafka(parsed, opener(`${parsed.gateway}-check`)),
    examine: () => examineKafka(parsed, opener(`${parsed.gateway}-check`), clock),
  };
}

/** Value and headers of a record. */
function recordShape(options: ParsedOptions): RecordShape<Reading> {
  const optional: Readonly<Record<OptionalHeader, RecordShape<Reading>["headers"][number]>> = {
    source: { name: "weir.source", text: (reading) => reading.delivery.source },
    position: {
      name: "weir.position",
      text: ({ row, byte }) => byte < 0 ? `row ${row}` : `row ${row}, byte ${byte}`,
    },
    gateway: { name: "weir.gateway", text: () => printable(options.gateway) },
  };
  return {
    value: (reading) => reading.value,
    valueBytes: (reading) => reading.bytes,
    packed: (reading) => reading.packed,
    // The id comes first: a packed reading has it as bytes.
    headers: [
      { name: "weir.id", text: (reading) => reading.id },
      { name: "weir.redelivered", text: (reading) => reading.redelivered ? "true" : null },
      ...options.headers.map((header) => optional[header]),
    ],
  };
}
