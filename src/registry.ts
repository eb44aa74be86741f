/**
 * Every source, decoder and sink, and how settings become their options. A new one is a folder and a line here.
 *
 * @module
 */
import { createRenewal, type Renewal } from "./config/renewal.ts";
import type { Settings, TextFile } from "./config/settings.ts";
import { readTextFile } from "./config/surroundings.ts";
import type { Clock, Timer } from "./core/clock.ts";
import type { Forecast } from "./core/deadline.ts";
import type { DecodePayload, Normalizer, OpenDecoder } from "./core/decoder.ts";
import type { Dice } from "./core/dice.ts";
import { WeirError } from "./core/error.ts";
import type { Emit } from "./core/event.ts";
import type { FlowTerms } from "./core/flow.ts";
import { brokenJsonPlace } from "./core/json_place.ts";
import type { Sink } from "./core/sink.ts";
import type { Source } from "./core/source.ts";
import type { Ledger } from "./core/store.ts";
import type { Tally } from "./core/tally.ts";
import { quoted } from "./core/text.ts";
import { createNormalizer } from "./decode/normalizer.ts";
import { createOpenDecoder } from "./decode/open_decoder.ts";
import { createPayloadDecoder } from "./decode/payload.ts";
import { fairShareDefaults, type FairShareOptions } from "./scheduler/defaults.ts";
import { chunkDefaults } from "./sink/chunks.ts";
import { createKafkaSink } from "./sink/kafka/sink.ts";
import { createNdjsonSink } from "./sink/ndjson/ndjson_sink.ts";
import { createStdoutSink } from "./sink/stdout/stdout_sink.ts";
import { createFilesSource } from "./source/files/files_source.ts";
import { filesDefaults, type FolderOptions, readAheadBytesMaxOf, readAheadRowsOf } from "./source/files/options.ts";
import { createLettersSource } from "./source/letters/letters_source.ts";
import type { OpenConnection } from "./source/mqtt/connection.ts";
import { createMqttSource } from "./source/mqtt/mqtt_source.ts";
import { parseTopicTemplate } from "./source/mqtt/topic_template.ts";
import { filterFile } from "./store/filter_file.ts";

/** What the parts work with. */
export interface PartsDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** Rows to readings; the owner may change its rules while it is in use. Default: as the settings say. */
  readonly normalizer?: Normalizer;
  /** Judges the deadlines of files. */
  readonly forecast: Forecast;
  /** What is in force of the folder at this path. Default: as the settings say. */
  readonly folderInForce?: (path: string) => FolderOptions | undefined;
  /** Opens MQTT connections. Default: with npm:mqtt. */
  readonly open?: OpenConnection;
  /** A name for this life of the process. */
  readonly boot: string;
  readonly stdout: { write(bytes: Uint8Array): Promise<number> };
  /** The reader of stdout is gone. */
  readonly onStdoutClosed: () => void;
}

/** The parts that the settings ask for. */
export interface Parts {
  readonly sources: readonly Source[];
  readonly sink: Sink;
  /** Looks at the dates of certificates, daily, until it is cancelled. */
  readonly watchCertificates: () => Timer;
}

/** A row or payload longer than this is a dead letter. */
const rowBytesMax = 1024 ** 2;

const mqttVersions = { auto: "auto", 4: "3.1.1", 5: "5" } as const;
const sessionExpirySeconds = 24 * 3600;

/**
 * Builds the sources and the sink. Nothing is opened yet.
 *
 * @throws {WeirError} `configuration` when a template, the schema, a rule, an address or a certificate is wrong.
 */
export function buildParts(settings: Settings, deps: PartsDeps): Parts {
  const { normalizer = normalizerOf(settings) } = deps;
  const renewal = createRenewal({ ...deps, readTextFile });
  const sink = settings.dryRun ? stdoutSink(deps) : sinkOf(settings, renewal, deps);
  const { promise: lettersSettled, resolve: settleLetters } = Promise.withResolvers<void>();
  if (settings.files === null || sink.chunks === undefined) settleLetters();
  return {
    sources: [
      ...(settings.mqtt === null ? [] : [mqttSource(settings, settings.mqtt, normalizer, renewal, deps)]),
      ...(settings.files === null
        ? []
        : [filesSource(settings, settings.files, normalizer, sink, settleLetters, deps)]),
      // A dry run has no ledger that anybody could write a request into.
      ...(settings.dryRun ? [] : [lettersSource(settings, normalizer, lettersSettled, deps)]),
    ],
    sink,
    watchCertificates: renewal.watch,
  };
}

/**
 * The numbers of the scheduler.
 *
 * @throws {WeirError} `configuration` when they are impossible together.
 */
export function schedulingOf({ files, limits, sink }: Settings): FairShareOptions {
  const capRows = files?.capRowsPerSecond ?? null;
  const inChunks = sink.kind === "kafka" && sink.filesCheckpointTopic !== null;
  return fairShareDefaults({
    capRows,
    capBytes: files?.capBytesPerSecond ?? null,
    inFlightBytes: limits.inFlightBytes,
    ...given("floorRows", files?.minRowsPerSecond),
    ...given("burstRows", files?.burstRows),
    ...given("inFlightRows", limits.inFlightRows),
    ...given("filesInFlightRows", limits.filesInFlightRows),
    // Half of them gather (200 ms at the cap) while the other half is committed.
    ...given("filesRoundTripMs", inChunks && capRows !== null ? 2 * chunkDefaults.gatherMs : null),
  });
}

/** What the flows get, by their names. */
export function termsOf(settings: Settings): ReadonlyMap<string, FlowTerms> {
  const subscriptions = settings.mqtt?.subscriptions ?? [];
  return new Map<string, FlowTerms>([
    ...subscriptions.map(({ template, weight }) => [`mqtt ${template}`, { weight, capRows: null }] as const),
    ...foldersOf(settings).map((folder) => [folder.path, folder] as const),
  ]);
}

/** The drop folders. */
export function foldersOf({ files }: Pick<Settings, "files">): readonly FolderOptions[] {
  return (files?.folders ?? []).map(({ path, weight, periodMs, capRowsPerSecond }) => ({
    path,
    weight,
    everyMs: periodMs,
    capRows: capRowsPerSecond,
  }));
}

function sinkOf({ sink, gateway }: Settings, renewal: Renewal, deps: PartsDeps): Sink {
  switch (sink.kind) {
    case "stdout":
      return stdoutSink(deps);
    case "ndjson":
      return createNdjsonSink({ path: sink.path }, deps);
    case "kafka":
      return createKafkaSink({
        ...sink,
        gateway,
        key: sink.key === "" ? null : sink.key,
        tls: sink.tls === null ? null : renewal.tls(sink.tls),
        sasl: sink.sasl === null ? null : { ...sink.sasl, password: renewal.secret(sink.sasl.password) },
      }, deps);
  }
}

function stdoutSink(deps: PartsDeps): Sink {
  return createStdoutSink(
    { write: (bytes) => deps.stdout.write(bytes) },
    { ...deps, onClosed: deps.onStdoutClosed },
  );
}

function mqttSource(
  settings: Settings,
  mqtt: NonNullable<Settings["mqtt"]>,
  normalizer: Normalizer,
  renewal: Renewal,
  deps: PartsDeps,
): Source {
  const decodePayload: DecodePayload = createPayloadDecoder({ payloadBytesMax: rowBytesMax });
  return createMqttSource({
    ...mqtt,
    version: mqttVersions[mqtt.version],
    password: mqtt.password === null ? null : renewal.secret(mqtt.password),
    tls: mqtt.url.startsWith("mqtts:") ? renewal.tls(mqtt) : null,
    inboxBytesMax: settings.limits.inFlightBytes,
    keepaliveSeconds: Math.ceil(mqtt.keepaliveMs / 1000),
    sessionExpirySeconds,
    // A dry run touches nothing: neither the gateway's own session nor a status that others look at.
    ...(settings.dryRun ? { cleanSession: true, clientId: `${mqtt.clientId}-dry-run`, statusTopic: null } : {}),
  }, {
    ...deps,
    decodePayload,
    normalizer,
    gateway: settings.gateway,
    ...(settings.dryRun ? {} : { filterMemory: filterFile(settings.stateDir, mqtt.clientId) }),
    dropped(count) {
      deps.tally.read("real_time", count);
      deps.tally.settled("real_time", "dropped", count);
    },
  });
}

function filesSource(
  settings: Settings,
  files: NonNullable<Settings["files"]>,
  normalizer: Normalizer,
  { chunks }: Sink,
  known: () => void,
  deps: PartsDeps,
): Source {
  const openDecoder = openDecoderOf(files, (header) => normalizer.checkHeader(header));
  return createFilesSource({
    ...filesDefaults,
    ...files,
    folders: foldersOf(settings),
    pattern: files.patterns ?? filesDefaults.pattern,
    badMax: files.badRowsMax,
    after: settings.dryRun ? "keep" : files.after,
    readAheadRows: readAheadRowsOf(schedulingOf(settings).quantumRows, files.folders.length),
    readAheadBytesMax: readAheadBytesMaxOf(files.folders.length),
    rowBytesMax,
    once: settings.once,
    readOnly: settings.dryRun,
  }, {
    ...deps,
    store: deps.ledger,
    openDecoder,
    normalizer,
    gateway: settings.gateway,
    ...(chunks === undefined ? {} : { kept: { places: () => chunks.places(), letters: deps.ledger, known } }),
  });
}

function lettersSource(
  settings: Settings,
  normalizer: Normalizer,
  settled: Promise<void>,
  deps: PartsDeps,
): Source {
  const templates = (settings.mqtt?.subscriptions ?? []).map(({ template }) => parseTopicTemplate(template));
  return createLettersSource({
    ...deps,
    store: deps.ledger,
    settled,
    // The rows of a letter bring their header, their delimiter and their format along.
    openDecoder: createOpenDecoder({
      format: null,
      delimiter: null,
      comment: null,
      skipLines: 0,
      columns: null,
      rowBytesMax,
      checkHeader: () => {},
    }),
    decodePayload: createPayloadDecoder({ payloadBytesMax: rowBytesMax }),
    normalizer,
    topicFields(topic) {
      for (const template of templates) {
        const fields = template.match(topic);
        if (fields !== null) return fields;
      }
      return null;
    },
  });
}

/** How files are decoded. `checkHeader` throws when no row under a CSV header can be good. */
export function openDecoderOf(
  files: Pick<NonNullable<Settings["files"]>, "format" | "csvDelimiter" | "csvComment" | "csvSkipLines" | "csvColumns">,
  checkHeader: (header: readonly string[]) => void,
): OpenDecoder {
  return createOpenDecoder({
    format: files.format === "auto" ? null : files.format,
    delimiter: files.csvDelimiter,
    comment: files.csvComment,
    skipLines: files.csvSkipLines,
    columns: files.csvColumns,
    rowBytesMax,
    checkHeader,
  });
}

/**
 * The normalizer that the settings ask for.
 *
 * @throws {WeirError} `configuration` when the schema, an alias or a rule is wrong.
 */
export function normalizerOf({ readings }: Pick<Settings, "readings">): Normalizer {
  return createNormalizer({
    schema: readings.schema === null ? null : parseSchema(readings.schema),
    aliases: readings.aliases,
    extra: readings.extra,
    sets: readings.set,
    filter: readings.filter,
    timeZone: readings.timeZone,
    timeFormat: readings.timeFormat === "ms" ? "epoch" : "iso",
  });
}

function parseSchema({ path, text }: TextFile): unknown {
  // Not a word of it is told: the file may be a secret that was given by mistake.
  const place = brokenJsonPlace(text);
  if (place === null) return JSON.parse(text);
  const { line, column } = place;
  throw new WeirError("configuration", `The schema ${quoted(path)} is not JSON at line ${line}, column ${column}`, {
    advice: "Give a JSON Schema (2020-12) of an object",
  });
}

/** A setting that is there, under the name that the part knows it by; nothing where it is not. */
function given<K extends string>(name: K, value: number | null | undefined): { readonly [key in K]?: number } {
  return value === null || value === undefined ? {} : { [name]: value } as { readonly [key in K]: number };
}
