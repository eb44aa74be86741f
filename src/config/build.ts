/**
 * Checked values become {@linkcode Settings}: paths absolute, files read, defaults that depend on the machine filled in.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Gathered } from "./gather.ts";
import type { NamedFiles } from "./named_files.ts";
import { options } from "./options.ts";
import { standardListen } from "./options_status.ts";
import { secret } from "./secret.ts";
import type {
  FilesSettings,
  KafkaSettings,
  MqttSettings,
  ReadingsSettings,
  Settings,
  SinkSettings,
  StatusSettings,
} from "./settings.ts";
import { defaultGateway, type Surroundings } from "./surroundings.ts";

/**
 * Builds the settings. Where something needed is missing there is a stand-in: whoever calls this looks at the problems first
 * (`checkTogether` tells what is missing).
 */
export function buildSettings(gathered: Gathered, files: NamedFiles, surroundings: Surroundings): Settings {
  const { general, limits, thisRun } = options;
  const { value } = gathered;
  const gateway = value(general.gateway) ?? defaultGateway(surroundings);
  return {
    gateway,
    stateDir: stateDir(files, surroundings),
    log: { level: value(general.logLevel), format: value(general.logFormat) },
    drainTimeoutMs: value(general.drainTimeout),
    mqtt: value(options.mqtt.url) === null ? null : mqttSettings(gathered, files, gateway),
    files: gathered.given(options.files.dirs).length === 0 ? null : filesSettings(gathered),
    readings: readingsSettings(gathered, files),
    sink: sinkSettings(gathered, files),
    limits: {
      inFlightRows: value(limits.inFlight),
      filesInFlightRows: value(limits.filesInFlight),
      inFlightBytes: value(limits.inFlightBytes),
      spoolBytesMax: value(limits.spoolMax),
      spoolWhenFull: value(limits.spoolWhenFull),
      deadLetterBytesMax: value(limits.deadLetterMax),
      deadLetterKeepForMs: unlessNone(value(limits.deadLetterKeepFor)),
    },
    status: statusSettings(gathered, files),
    once: value(thisRun.once),
    dryRun: value(thisRun.dryRun),
    forMs: value(thisRun.forTime),
  };
}

/** The state folder: also what commands that only look at it need. systemd names it in `$STATE_DIRECTORY` (systemd.exec(5)). */
export function stateDir(files: NamedFiles, surroundings: Surroundings): string {
  const [fromSystemd = ""] = (surroundings.environment["STATE_DIRECTORY"] ?? "").split(":");
  return files.path(options.general.stateDir) ?? (fromSystemd === "" ? "/var/lib/weir" : fromSystemd);
}

function mqttSettings({ value }: Gathered, files: NamedFiles, gateway: string): MqttSettings {
  const { mqtt } = options;
  return {
    url: value(mqtt.url) ?? "",
    subscriptions: value(mqtt.topics),
    qos: value(mqtt.qos),
    version: value(mqtt.version),
    clientId: value(mqtt.clientId) ?? `weir-${gateway}`,
    username: value(mqtt.username),
    password: files.secret(mqtt.passwordFile, "mqtt-password"),
    ca: files.certificates(mqtt.caFile),
    identity: value(mqtt.url)?.startsWith("mqtts:") === true
      ? files.identity(mqtt.certFile, mqtt.keyFile, "mqtt-key")
      : null,
    receiveMax: value(mqtt.receiveMax),
    retained: value(mqtt.retained),
    statusTopic: value(mqtt.statusTopic),
    keepaliveMs: value(mqtt.keepalive),
  };
}

function filesSettings(gathered: Gathered): FilesSettings {
  const { files } = options;
  const { value } = gathered;
  const written = gathered.given(files.dirs);
  const columns = value(files.csvColumns);
  const patterns = value(files.pattern);
  const delimiter = value(files.csvDelimiter);
  return {
    folders: value(files.dirs).map((folder, index) => ({
      ...folder,
      path: resolve(written[index]?.place.folder ?? "/", folder.path),
    })),
    patterns: patterns.length === 0 ? null : patterns,
    recursive: value(files.recursive),
    capRowsPerSecond: unlessNone(value(files.cap)),
    capBytesPerSecond: unlessNone(value(files.capBytes)),
    pace: value(files.pace),
    burstRows: value(files.burst),
    minRowsPerSecond: value(files.min),
    ready: value(files.ready),
    quietMs: value(files.quiet),
    pollMs: value(files.poll),
    after: value(files.after),
    keepForMs: unlessNone(value(files.keepFor)),
    archiveBytesMax: unlessNone(value(files.archiveMax)),
    badRowsMax: value(files.badMax),
    format: value(files.format),
    encoding: value(files.encoding),
    csvDelimiter: delimiter === "auto" ? null : delimiter,
    csvComment: unlessNone(value(files.csvComment)),
    csvColumns: columns.length === 0 ? null : columns,
    csvSkipLines: value(files.csvSkip),
  };
}

function readingsSettings({ value }: Gathered, files: NamedFiles): ReadingsSettings {
  const { readings } = options;
  return {
    schema: files.text(readings.schema),
    aliases: Object.fromEntries(
      Map.groupBy(value(readings.alias), (alias) => alias.field)
        .entries().map(([field, aliases]) => [field, aliases.flatMap((alias) => alias.names)]),
    ),
    extra: value(readings.extra),
    set: value(readings.set),
    filter: value(readings.filter),
    timeFormat: value(readings.timeFormat),
    timeZone: value(options.files.timeZone),
  };
}

function sinkSettings(gathered: Gathered, files: NamedFiles): SinkSettings {
  const { sink, thisRun } = options;
  const { value } = gathered;
  const chosen = value(sink.sink);
  const folder = gathered.given(sink.sink)[0]?.place.folder ?? "/";
  if (chosen.kind === "ndjson") return { kind: "ndjson", path: resolve(folder, chosen.path) };
  // A dry run prints: it can be tried before there is a Kafka.
  const hasKafka = gathered.given(sink.brokers).length > 0 && gathered.given(sink.topic).length > 0;
  if (chosen.kind === "stdout" || (value(thisRun.dryRun) && !hasKafka)) return { kind: "stdout" };
  return kafkaSettings(gathered, files);
}

function kafkaSettings({ value }: Gathered, files: NamedFiles): KafkaSettings {
  const { sink } = options;
  const mechanism = value(sink.sasl);
  return {
    kind: "kafka",
    brokers: value(sink.brokers),
    topic: value(sink.topic) ?? "",
    topicAllow: value(sink.topicAllow),
    deadLetterTopic: value(sink.deadLetterTopic),
    filesCheckpointTopic: value(sink.filesExactlyOnce) ? value(sink.filesCheckpointTopic) : null,
    key: value(sink.key),
    compression: value(sink.compression),
    headers: [...new Set(value(sink.headers))],
    tls: value(sink.tls)
      ? {
        ca: files.certificates(sink.caFile),
        identity: files.identity(sink.certFile, sink.keyFile, "kafka-key"),
      }
      : null,
    sasl: mechanism === "none" ? null : {
      mechanism,
      username: value(sink.username) ?? "",
      password: files.secret(sink.passwordFile, "kafka-password") ?? secret(""),
    },
  };
}

function statusSettings({ value }: Gathered, files: NamedFiles): StatusSettings | null {
  const { status, thisRun } = options;
  // A run that ends by itself, or only tries something, would take the port from the gateway that serves.
  const passing = value(thisRun.once) || value(thisRun.dryRun);
  const listen = value(status.listen) ?? (passing ? "none" : standardListen);
  const token = files.secret(status.tokenFile, "status-token");
  return listen === "none" ? null : { ...listen, token };
}

function unlessNone<T>(value: T | "none"): T | null {
  return value === "none" ? null : value;
}
