/**
 * The program of one life: the real sources, decoders, rules, scheduler and outbox, on simulated surroundings.
 *
 * @module
 */
import type { Clock } from "../../src/core/clock.ts";
import type { Dice } from "../../src/core/dice.ts";
import type { Emit } from "../../src/core/event.ts";
import type { Sink } from "../../src/core/sink.ts";
import type { Source } from "../../src/core/source.ts";
import type { Ledger } from "../../src/core/store.ts";
import type { Tally } from "../../src/core/tally.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { createOpenDecoder } from "../../src/decode/open_decoder.ts";
import { createPayloadDecoder } from "../../src/decode/payload.ts";
import { storedFields } from "../../src/decode/stored_fields.ts";
import { createPipeline, type Pipeline, type SpoolSettings } from "../../src/pipeline.ts";
import type { FairShareOptions } from "../../src/scheduler/defaults.ts";
import type { Disk } from "../../src/source/files/disk.ts";
import { createFilesSource } from "../../src/source/files/files_source.ts";
import { filesDefaults, type FilesSourceOptions } from "../../src/source/files/options.ts";
import { createLettersSource } from "../../src/source/letters/letters_source.ts";
import type { OpenConnection } from "../../src/source/mqtt/connection.ts";
import { createMqttSource } from "../../src/source/mqtt/mqtt_source.ts";
import type { MqttSourceOptions } from "../../src/source/mqtt/options.ts";
import { parseTopicTemplate } from "../../src/source/mqtt/topic_template.ts";
import { plainFormats, plainRules } from "../support/plain_options.ts";
import { defaultOptions as mqttDefaults } from "../source/mqtt/parts.ts";
import { folders } from "./traffic.ts";

/** What a life of the gateway is put together from. */
export interface GatewayParts {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly tally: Tally;
  readonly disk: Disk;
  readonly open: OpenConnection;
  readonly ledger: Ledger;
  readonly sink: Sink;
  readonly life: number;
}

/** Its settings, as far as a world chooses them. */
export interface GatewaySettings {
  readonly fairShare: FairShareOptions;
  readonly mqtt: Pick<MqttSourceOptions, "receiveMax" | "inboxBytesMax">;
  readonly files: Pick<FilesSourceOptions, "ready" | "after">;
  /** Null: there is none. */
  readonly spool: Pick<SpoolSettings, "bytesMax" | "whenFull"> | null;
}

/** The program. */
export interface Gateway {
  readonly pipeline: Pipeline;
  readonly sources: readonly Source[];
  readonly sink: Sink;
}

const rowBytesMax = 1024 ** 2;
const topics = [{ template: "plant/{device_id}", weight: 1 }, { template: "hall/{device_id}", weight: 2 }];
const templates = topics.map(({ template }) => parseTopicTemplate(template));
// These keep nothing from row to row, and compiling the rules takes longer than a whole life.
const normalizer = createNormalizer({ ...plainRules, filter: "value != 13" });
const openDecoder = createOpenDecoder({
  ...plainFormats,
  rowBytesMax,
  checkHeader: (header) => normalizer.checkHeader(header),
});
const decodePayload = createPayloadDecoder({ payloadBytesMax: rowBytesMax });

/** Puts a program together; it is not started. */
export function createGateway(
  parts: GatewayParts,
  settings: GatewaySettings,
  wrap: (source: Source) => Source,
): Gateway {
  const reading = { ...parts, openDecoder, decodePayload, normalizer, gateway: "gw", store: parts.ledger };
  const { chunks } = parts.sink;
  const { promise: lettersSettled, resolve: settleLetters } = Promise.withResolvers<void>();
  const kept = chunks && { places: () => chunks.places(), letters: parts.ledger, known: settleLetters };
  const sources = [
    createMqttSource({ ...mqttDefaults, ...settings.mqtt, subscriptions: topics }, {
      ...reading,
      boot: `b${parts.life}`,
    }),
    createFilesSource({
      ...filesDefaults,
      ...settings.files,
      folders: folders.map((path, i) => ({ path, weight: 1 + 2 * i, everyMs: null, capRows: null })),
      pollMs: 500,
      quietMs: 300,
      readAheadRows: 2 * settings.fairShare.quantumRows,
    }, { ...reading, ...(kept && { kept }) }),
    createLettersSource({ ...reading, topicFields: topicFieldsOf, ...(kept && { settled: lettersSettled }) }),
  ].map(wrap);
  const { fairShare } = settings;
  const spool = settings.spool && { ...settings.spool, store: parts.ledger, parseFields: storedFields };
  return {
    pipeline: createPipeline({ ...parts, sources, letters: parts.ledger, fairShare, ...(spool && { spool }) }),
    sources,
    sink: parts.sink,
  };
}

function topicFieldsOf(topic: string): Readonly<Record<string, string>> | null {
  for (const template of templates) {
    const fields = template.match(topic);
    if (fields !== null) return fields;
  }
  return null;
}
