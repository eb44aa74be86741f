/**
 * The sink of rows of files in transactions, of one life: the program's own, at the simulated Kafka.
 *
 * @module
 */
import type { Dice } from "../../src/core/dice.ts";
import { createChunkSink, type KafkaChunks } from "../../src/sink/kafka/chunk_sink.ts";
import { createKeyOf } from "../../src/sink/kafka/key_of.ts";
import { parseOptions } from "../../src/sink/kafka/options.ts";
import { createTopicOf } from "../../src/sink/kafka/topic_of.ts";
import type { TransactionCluster } from "../../src/sink/kafka/transaction_cluster.ts";
import { createTroubles } from "../../src/sink/kafka/troubles.ts";
import type { Life } from "./life.ts";
import { rowsTopic } from "./transactional_kafka.ts";

/** Where the places are kept. */
export const placesTopic = "places";

const options = parseOptions({ brokers: ["simulated"], gateway: "gw", topic: rowsTopic, key: "{device_id}" });
const emit = () => {};

/** Makes it. */
export function simulatedChunks(life: Life, dice: Dice, cluster: TransactionCluster): KafkaChunks {
  return createChunkSink(options, placesTopic, {
    clock: life.clock,
    dice,
    emit,
    cluster,
    troubles: createTroubles(life.clock, emit),
    shape: {
      value: ({ value }) => value,
      valueBytes: ({ bytes }) => bytes,
      packed: ({ packed }) => packed,
      headers: [{ name: "weir.id", text: ({ id }) => id }],
    },
    topicOf: createTopicOf(options),
    keyOf: createKeyOf(options.key),
  });
}
