/**
 * The settings of one run, checked and complete: what the table of options makes out of flags, environment and config file. Plain data;
 * who builds the parts picks from it.
 *
 * Units end the names: `Ms` milliseconds, `Bytes` bytes, `Rows` rows or readings, `RowsPerSecond` a rate. `null` means "not set", and then
 * the part that takes it says what it does.
 *
 * @module
 */
import type { Level } from "../core/event.ts";
import type { FileFormat } from "../core/decoder.ts";
import type { Secret } from "./secret.ts";

/** Everything a run is told. */
export interface Settings {
  /** Name of this gateway: part of record ids, client ids and headers. Letters, digits, `.`, `_`, `-`; at most 100 characters. */
  readonly gateway: string;
  /** Absolute path of the folder for the ledger and the lock. */
  readonly stateDir: string;
  readonly log: LogSettings;
  /** How long a stop may wait for what is on its way, in ms. */
  readonly drainTimeoutMs: number;
  /** Null: no streams. At least one of `mqtt` and `files` is there. */
  readonly mqtt: MqttSettings | null;
  /** Null: no files. */
  readonly files: FilesSettings | null;
  readonly readings: ReadingsSettings;
  readonly sink: SinkSettings;
  readonly limits: LimitSettings;
  /** Null: no status server. */
  readonly status: StatusSettings | null;
  /** Drain what is there, then leave. */
  readonly once: boolean;
  /** Print records to stdout and touch nothing. */
  readonly dryRun: boolean;
  /** `demo` only: how long it plays, in ms; null: until it is stopped. */
  readonly forMs: number | null;
}

/** How the log looks. */
export interface LogSettings {
  /** The least level that is written. */
  readonly level: Level;
  /** `auto`: `journal` under systemd, else `text`. */
  readonly format: "auto" | "text" | "json" | "journal";
}

/** A file that was read while the settings were checked. */
export interface TextFile {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
}

/** A certificate with its key, which are right together. */
export interface IdentityFiles {
  readonly certificate: TextFile;
  readonly key: Secret;
}

/** The MQTT side. */
export interface MqttSettings {
  /** `mqtt://` or `mqtts://`, without user and password. */
  readonly url: string;
  /** At least one; a message goes to the first template that fits. */
  readonly subscriptions: readonly { readonly template: string; readonly weight: number }[];
  readonly qos: 0 | 1;
  /** 4 is MQTT 3.1.1. `auto`: 5 first, then 3.1.1. */
  readonly version: "auto" | 4 | 5;
  /** Fixed client id, so that the broker keeps the session. */
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Secret | null;
  /** Certificates (PEM) trusted besides the system's. Only with TLS. */
  readonly ca: TextFile | null;
  /** Shown to a broker that asks for a certificate. Only with TLS. */
  readonly identity: IdentityFiles | null;
  /** Messages taken in and not yet acknowledged, at most. */
  readonly receiveMax: number;
  /** Retained messages: at every subscribe, only for a new subscription, never. */
  readonly retained: "all" | "once" | "none";
  readonly statusTopic: string | null;
  readonly keepaliveMs: number;
}

/** A folder that dumps are dropped into. */
export interface FolderSettings {
  /** Absolute path. */
  readonly path: string;
  /** Share among the folders, > 0. */
  readonly weight: number;
  /** How often a dump comes: its deadline is its arrival and this, in ms. */
  readonly periodMs: number | null;
  /** Cap of this folder alone. */
  readonly capRowsPerSecond: number | null;
}

/** The files side. */
export interface FilesSettings {
  readonly folders: readonly FolderSettings[];
  /** Globs on the base name, of which one must fit; null: the known endings. */
  readonly patterns: readonly string[] | null;
  readonly recursive: boolean;
  /** Cap of all folders together; null: none. */
  readonly capRowsPerSecond: number | null;
  readonly capBytesPerSecond: number | null;
  /** `deadline`: only as fast as the deadlines of the folders need, and never above the cap. */
  readonly pace: "cap" | "deadline";
  /** Depth of the cap; null: the least that keeps the rate. */
  readonly burstRows: number | null;
  /** The floor: promised to files even when streams overload the sink. Null: a tenth of the cap. 0: nothing is promised. */
  readonly minRowsPerSecond: number | null;
  /** When a file is complete. */
  readonly ready: "quiet" | "rename" | "marker";
  readonly quietMs: number;
  readonly pollMs: number;
  /** What becomes of a file after its last acknowledgement. */
  readonly after: "archive" | "delete" | "keep";
  /** How long archived files are kept; null: for ever. */
  readonly keepForMs: number | null;
  /** How large the archive may grow; null: without limit. */
  readonly archiveBytesMax: number | null;
  /** More bad rows than this send the file to the error folder. */
  readonly badRowsMax: number;
  readonly format: FileFormat | "auto";
  /** What files without a byte order mark are; `auto`: UTF-8. `utf-8`: all files are. */
  readonly encoding: "auto" | "utf-8" | "utf-16" | "latin1" | "windows-1252";
  /** One character, or null: found out. */
  readonly csvDelimiter: string | null;
  /** Lines that begin with this character are skipped; null: none. */
  readonly csvComment: string | null;
  /** Names of the columns of files without a header; null: the first row is the header. */
  readonly csvColumns: readonly string[] | null;
  /** Lines before the header that are skipped. */
  readonly csvSkipLines: number;
}

/** One schema, the same rules for both origins. */
export interface ReadingsSettings {
  /** A JSON Schema; null: the built-in schema. */
  readonly schema: TextFile | null;
  /** Field to the other names that it may come under. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  readonly extra: "keep" | "drop" | "rescue" | "reject";
  /** Assignments, in order. Expressions are CEL. */
  readonly set: readonly { readonly field: string; readonly expression: string }[];
  /** CEL; null: everything passes. */
  readonly filter: string | null;
  /** How times leave: epoch milliseconds or ISO 8601 in UTC. */
  readonly timeFormat: "ms" | "iso";
  /** IANA name of the zone of times without one. */
  readonly timeZone: string;
}

/** Where readings go. */
export type SinkSettings =
  | KafkaSettings
  | { readonly kind: "stdout" }
  /** `path` is absolute. */
  | { readonly kind: "ndjson"; readonly path: string };

/** The Kafka sink. */
export interface KafkaSettings {
  readonly kind: "kafka";
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  /** Topic, or a template with `{fields}`. */
  readonly topic: string;
  /** Topics that a template may give; not empty when `topic` has fields. */
  readonly topicAllow: readonly string[];
  /** Where dead letters are sent too; null: nowhere. */
  readonly deadLetterTopic: string | null;
  /** Rows of files go in transactions, with their checkpoints in this topic; null: they are sent at least once. */
  readonly filesCheckpointTopic: string | null;
  /** Template of the record key; empty: no key. */
  readonly key: string;
  readonly compression: "none" | "gzip" | "zstd";
  /** Headers besides `weir.id`. */
  readonly headers: readonly ("source" | "position" | "gateway")[];
  /** Null: no TLS. */
  readonly tls: { readonly ca: TextFile | null; readonly identity: IdentityFiles | null } | null;
  readonly sasl: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: Secret;
  } | null;
}

/** The status server. */
export interface StatusSettings {
  /** An address of this machine, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Null: only this machine gets there, and the contents of dead letters are not shown. */
  readonly token: Secret | null;
}

/** Bounds of what is on its way. Null: sized from the rates, as the reference says. */
export interface LimitSettings {
  /** Readings in flight to the sink, at most. */
  readonly inFlightRows: number | null;
  /** Of these, rows of files, at most. */
  readonly filesInFlightRows: number | null;
  /** Bytes in flight to the sink, at most. */
  readonly inFlightBytes: number;
  /** Size of the disk buffer for streams, at most; 0: none. */
  readonly spoolBytesMax: number;
  /** What becomes of readings of streams when it is full. */
  readonly spoolWhenFull: "block" | "drop_oldest" | "drop_newest";
  /** Size of the dead letters on disk, at most. */
  readonly deadLetterBytesMax: number;
  /** Dead letters that came in longer ago are deleted; null: none. */
  readonly deadLetterKeepForMs: number | null;
}
