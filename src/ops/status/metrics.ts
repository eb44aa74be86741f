/**
 * The one table of metrics: what `/metrics` gives and what `docs/metrics.md` says come from here. Names follow the conventions of Prometheus
 * (base units; `_total` for what only grows). Labels have few values, fixed by the settings: no file name, no topic and no device
 * is ever one.
 *
 * @module
 */
import type { Origin } from "../../core/delivery.ts";
import type { DeadlineVerdict, FilesStatus, FileStatus, MqttStatus, SpoolStatus } from "../../core/status.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the process itself costs, and the server. */
export interface ProcessFigures {
  /** Seconds since 1970, wall clock. */
  readonly startedAtSeconds: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly watchers: number;
  readonly connections: number;
  readonly turnedAway: number;
}

/** All that metrics are made of. */
export interface Measured {
  readonly snapshot: Snapshot;
  readonly process: ProcessFigures;
}

/** One value. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric. */
export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  /** Begins big, no full stop. */
  readonly help: string;
  /** Names of its labels. */
  readonly labels: readonly string[];
  /** Empty: it does not apply now, and is left out. */
  read(measured: Measured): readonly Sample[];
}

const origins: readonly Origin[] = ["real_time", "batch"];
const verdicts: readonly DeadlineVerdict[] = ["on_time", "at_risk", "late", "none"];
const settledAs = ["delivered", "filtered", "dead_lettered", "dropped"] as const;

/** All metrics, in the order of the page. */
export const metrics: readonly Metric[] = [
  gauge("weir_info", "Always 1; what runs, as labels", ["gateway", "version"], ({ snapshot }) => [
    { labels: { gateway: snapshot.gateway, version: snapshot.program }, value: 1 },
  ]),
  single("gauge", "weir_uptime_seconds", "Time since the start", (s) => s.upMs / 1000),

  counter(
    "weir_readings_read_total",
    "Readings that left their source, good and bad",
    ["origin"],
    ({ snapshot }) => origins.map((origin) => ({ labels: { origin }, value: snapshot.sums[origin].read })),
  ),
  counter(
    "weir_readings_settled_total",
    "Readings whose end is known, by how they ended: delivered, filtered, dead_lettered, dropped",
    ["origin", "verdict"],
    ({ snapshot }) =>
      origins.flatMap((origin) =>
        settledAs.map((verdict) => ({ labels: { origin, verdict }, value: snapshot.sums[origin][verdict] }))
      ),
  ),
  gauge(
    "weir_readings_open",
    "Readings that were read and have no end yet",
    ["origin"],
    ({ snapshot }) => origins.map((origin) => ({ labels: { origin }, value: snapshot.sums[origin].open })),
  ),

  delay("p50", "Half of the stream's readings of the last ten seconds were delivered within this time", (s) => s.p50Ms),
  delay("p99", "All but a hundredth of them were delivered within this time", (s) => s.p99Ms),
  delay("max", "All of them were delivered within this time", (s) => s.maxMs),

  gauge(
    "weir_files_cap_rows_per_second",
    "Cap of all files together; absent when there is none",
    [],
    ({ snapshot }) => snapshot.capRows === null ? [] : [{ value: snapshot.capRows }],
  ),
  single(
    "gauge",
    "weir_files_floor_rows_per_second",
    "Share that is promised to files even when streams overload the sink",
    (s) => s.floorRows,
  ),
  files("gauge", "weir_files_waiting", "Complete files that wait for their turn", (f) => f.waitingFiles),
  files("gauge", "weir_files_waiting_bytes", "Their size", (f) => f.waitingBytes),
  files("counter", "weir_files_done_total", "Files finished by this process", (f) => f.doneFiles),
  files(
    "counter",
    "weir_files_quarantined_total",
    "Files that this process put into the error folder",
    (f) => f.quarantinedFiles,
  ),
  file(
    "weir_file_size_bytes",
    "Size on disk of the file that is being read; of several, of the most urgent one",
    (f) => f.sizeBytes,
  ),
  file("weir_file_read_bytes", "Bytes of it that are read", (f) => f.readBytes),
  file("weir_file_rows_read", "Rows of it that are read", (f) => f.rowsRead),
  file("weir_file_bad_rows", "Rows of it that went to the dead letters", (f) => f.badRows),
  file(
    "weir_file_eta_seconds",
    "Time until it is read; absent while nobody knows",
    (f) => f.etaMs === null ? null : f.etaMs / 1000,
  ),
  gauge(
    "weir_file_verdict",
    "1 for the verdict in force on that file: on_time, at_risk, late, or none without a deadline",
    ["folder", "verdict"],
    (measured) =>
      activeFiles(measured).flatMap((one) =>
        verdicts.map((verdict) => ({
          labels: { folder: one.folder, verdict },
          value: one.verdict === verdict ? 1 : 0,
        }))
      ),
  ),

  mqtt("gauge", "weir_mqtt_connected", "1 while there is a connection to the broker", (m) => m.connected ? 1 : 0),
  mqtt("counter", "weir_mqtt_reconnects_total", "Connections after the first", (m) => m.reconnects),
  mqtt("gauge", "weir_mqtt_pending_messages", "Messages taken in and not yet acknowledged", (m) => m.pendingMessages),
  mqtt("gauge", "weir_mqtt_pending_bytes", "Their size", (m) => m.pendingBytes),
  mqtt("gauge", "weir_mqtt_inbox_readings", "Readings that wait for the scheduler", (m) => m.inboxReadings),

  sink("gauge", "weir_sink_connected", "1 while there is a connection to the sink", (s) => s.connected ? 1 : 0),
  sink(
    "gauge",
    "weir_sink_trouble",
    "1 while something keeps the sink from sending",
    (s) => s.trouble === null ? 0 : 1,
  ),
  sink("gauge", "weir_sink_in_flight_readings", "Readings sent and not yet answered", (s) => s.inFlightReadings),
  sink("counter", "weir_sink_retries_total", "Batches sent again", (s) => s.retries),
  sink(
    "counter",
    "weir_sink_throttled_seconds_total",
    "Time that the sink asked to wait (quotas of Kafka)",
    (s) => s.throttledMs / 1000,
  ),

  spool("gauge", "weir_spool_readings", "Readings of streams that wait on disk for the sink", (s) => s.readings),
  spool("gauge", "weir_spool_bytes", "Their size", (s) => s.bytes),
  spool("gauge", "weir_spool_max_bytes", "Most that may be there; 0: there is no spool", (s) => s.bytesMax),
  spool(
    "gauge",
    "weir_spool_oldest_seconds",
    "Time since the first of them came in; 0 when there is none",
    (s) => (s.oldestAgeMs ?? 0) / 1000,
  ),
  spool(
    "counter",
    "weir_spool_dropped_total",
    "Readings of streams that were dropped because the spool was full",
    (s) => s.droppedReadings,
  ),
  spool(
    "gauge",
    "weir_spool_still_topics",
    "Topics that stand still because the sink does not get on with them",
    (s) => s.stillTopics,
  ),
  spool(
    "gauge",
    "weir_spool_stuck",
    "1 while nothing can be written: full, or the disk fails",
    (s) => s.stuck === null ? 0 : 1,
  ),

  single("gauge", "weir_dead_letters", "Dead letters in the state folder", (s) => s.deadLetters.stored),
  single("gauge", "weir_dead_letters_bytes", "Their size", (s) => s.deadLetters.storedBytes),

  ofProcess("gauge", "weir_status_watchers", "Pages that watch now", (p) => p.watchers),
  ofProcess("gauge", "weir_status_connections", "Open connections to the status server", (p) => p.connections),
  ofProcess(
    "counter",
    "weir_status_connections_turned_away_total",
    "Connections to the status server that were too many",
    (p) => p.turnedAway,
  ),
  ofProcess(
    "gauge",
    "process_start_time_seconds",
    "Start of the process, seconds since 1970",
    (p) => p.startedAtSeconds,
  ),
  ofProcess("counter", "process_cpu_seconds_total", "Processor time of the process", (p) => p.cpuSeconds),
  ofProcess("gauge", "process_resident_memory_bytes", "Memory of the process", (p) => p.residentBytes),
  ofProcess("gauge", "process_heap_bytes", "Of this, JavaScript's heap in use", (p) => p.heapBytes),
];

function gauge(name: string, help: string, labels: readonly string[], read: Metric["read"]): Metric {
  return { name, type: "gauge", help, labels, read };
}

function counter(name: string, help: string, labels: readonly string[], read: Metric["read"]): Metric {
  return { name, type: "counter", help, labels, read };
}

function single(type: Metric["type"], name: string, help: string, value: (snapshot: Snapshot) => number): Metric {
  return { name, type, help, labels: [], read: ({ snapshot }) => [{ value: value(snapshot) }] };
}

function delay(which: string, help: string, valueMs: (delay: Snapshot["streamDelay"]) => number): Metric {
  return gauge(
    `weir_stream_delay_${which}_seconds`,
    `${help}; absent when there were none`,
    [],
    ({ snapshot: { streamDelay } }) => streamDelay.count === 0 ? [] : [{ value: valueMs(streamDelay) / 1000 }],
  );
}

function files(type: Metric["type"], name: string, help: string, value: (files: FilesStatus) => number): Metric {
  return {
    ...{ name, type, help, labels: [] },
    read: ({ snapshot }) =>
      snapshot.sources.flatMap((source) => source.kind === "files" ? [{ value: value(source) }] : []),
  };
}

function file(name: string, help: string, value: (file: FileStatus) => number | null): Metric {
  return gauge(name, help, ["folder"], (measured) =>
    activeFiles(measured).flatMap((one) => {
      const known = value(one);
      return known === null ? [] : [{ labels: { folder: one.folder }, value: known }];
    }));
}

/** The files that are being read, one of a folder: its name is the label. */
function activeFiles({ snapshot }: Measured): readonly FileStatus[] {
  const active = snapshot.sources.flatMap((source) => source.kind === "files" ? source.active : []);
  return [...new Map(active.toReversed().map((one) => [one.folder, one])).values()];
}

function mqtt(type: Metric["type"], name: string, help: string, value: (mqtt: MqttStatus) => number): Metric {
  return {
    ...{ name, type, help, labels: [] },
    read: ({ snapshot }) =>
      snapshot.sources.flatMap((source) => source.kind === "mqtt" ? [{ value: value(source) }] : []),
  };
}

function sink(type: Metric["type"], name: string, help: string, value: (sink: Snapshot["sink"]) => number): Metric {
  return {
    ...{ name, type, help, labels: ["sink"] },
    read: ({ snapshot }) => [{ labels: { sink: snapshot.sink.kind }, value: value(snapshot.sink) }],
  };
}

function spool(type: Metric["type"], name: string, help: string, value: (spool: SpoolStatus) => number): Metric {
  return {
    ...{ name, type, help, labels: [] },
    read: ({ snapshot: { spool } }) => spool === undefined ? [] : [{ value: value(spool) }],
  };
}

function ofProcess(
  type: Metric["type"],
  name: string,
  help: string,
  value: (process: ProcessFigures) => number,
): Metric {
  return { name, type, help, labels: [], read: ({ process }) => [{ value: value(process) }] };
}
